"""Times written by a pattern, one at a time and by whole columns."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import numpy as np

from flowquake.pes.catalogs.cells import Bytes, Cells
from flowquake.records import (
    NS_PER_MINUTE,
    NS_PER_SECOND,
    BoolArray,
    IntArray,
    civil_ns,
    parse_time,
)
from flowquake.records.times import zone_offset

ISO: Final = "iso"

_DIRECTIVES: Final = {
    "Y": r"(?P<Y>\d{4})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{1,2})",
    "S": r"(?P<S>\d{1,2})(?:[.,](?P<f>\d{1,9}))?",
}
_WIDTHS: Final = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_NAMES: Final = {
    "Y": "year", "m": "month", "d": "day", "H": "hour", "M": "minute", "S": "second"
}  # fmt: skip
_ZONE: Final = r"(?: ?(?P<z>Z|[+-]\d\d(?::?\d\d)?))?"


class TimePattern:
    """How a time is written.

    Parameters
    ----------
    pattern : str
        ``iso``, or directives and what stands between them: ``%Y`` (four
        digits), ``%m``, ``%d``, ``%H``, ``%M``, ``%S`` (with or without
        decimals), such as ``%d/%m/%Y``. What is not named counts from
        1970-01-01T00:00. A trailing ``Z`` or offset is taken.
    offset : int, default 0
        Of times without their own offset, nanoseconds east of UTC.

    Raises
    ------
    ValueError
        If the pattern has an unknown or a repeated directive, or none.
    """

    def __init__(self, pattern: str = ISO, offset: int = 0) -> None:
        self.pattern = pattern
        self.offset = offset
        self._iso = pattern == ISO
        plain = "%Y-%m-%dT%H:%M:%S" if self._iso else pattern
        self._layout: list[tuple[str, int]] = []  # directive or literal, place
        expression, place, rest = "", 0, plain
        while rest:
            if rest[0] == "%":
                name = rest[1:2]
                if name not in _DIRECTIVES:
                    raise ValueError(
                        f"%{name} is not one of {', '.join('%' + key for key in _DIRECTIVES)}"
                    )
                if f"(?P<{name}>" in expression:
                    raise ValueError(f"%{name} occurs twice")
                expression += _DIRECTIVES[name]
                self._layout.append((f"%{name}", place))
                place += _WIDTHS[name]
                rest = rest[2:]
            else:
                expression += re.escape(rest[0])
                self._layout.append((rest[0], place))
                place += 1
                rest = rest[1:]
        if "(?P<" not in expression:
            raise ValueError(f"{pattern!r} has no directive such as %Y")
        self._length = place
        self._decimals = plain.endswith("%S")
        self._regex = re.compile(expression + _ZONE, re.ASCII)

    def parse(self, text: str) -> int:
        """Read one time, int nanoseconds since 1970.

        Raises
        ------
        ValueError
            If the text is not written so or is no time.
        """
        if self._iso:
            zoned = re.search(r"[T ].*(?:[Zz]|[+-]\d\d:?\d{0,2})$", text, re.ASCII)
            return parse_time(text) - (0 if zoned else self.offset)
        match = self._regex.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not written as {self}")
        part = {name: int(match[name]) for name in _DIRECTIVES if match.groupdict().get(name)}
        fraction = match.groupdict().get("f")
        if part.get("m", 1) > 12 >= part.get("d", 13):
            raise ValueError(f"{text!r} has no month {part['m']}; is it written month first?")
        time = civil_ns(
            part.get("Y", 1970), part.get("m", 1), part.get("d", 1),
            part.get("H", 0), part.get("M", 0), part.get("S", 0),
            int(fraction.ljust(9, "0")) if fraction else 0,
        )  # fmt: skip
        return time - (zone_offset(match["z"]) if match["z"] else self.offset)

    def plain_times(self, cells: Cells) -> tuple[IntArray, BoolArray]:
        """Read the plainly written times of a column.

        Returns
        -------
        times : ndarray of int64, shape (n,)
            The very number that `parse` gives.
        taken : ndarray of bool, shape (n,)
            Which cells were read; the others are for `parse`.
        """
        lengths = cells.lengths
        taken = lengths >= self._length
        part = {"Y": _constant(1970, cells), "m": _constant(1, cells), "d": _constant(1, cells)}
        for name, place in self._layout:
            if name[0] != "%" or len(name) == 1:
                code = cells.at(place)
                fine = code == (ord(name) if ord(name) < 128 else 0)
                if self._iso and name == "T":
                    fine |= code == 32
                taken &= fine
                continue
            value = np.zeros(len(cells), dtype=np.int64)
            for step in range(_WIDTHS[name[1]]):
                digit = cells.at(place + step) - np.uint8(48)
                taken &= digit < 10
                value *= 10
                value += digit
            part[name[1]] = value
        zero = _constant(0, cells)
        hour, minute, second = (part.get(name, zero) for name in "HMS")
        taken &= (hour < 24) & (minute < 60) & (second < 60)
        days, real = _days(part["Y"], part["m"], part["d"])
        taken &= real
        times = (days * 86_400 + hour * 3_600 + minute * 60 + second) * NS_PER_SECOND
        rest = lengths - self._length
        rest[~taken] = 0
        if not rest.any():
            return times - self.offset, taken
        zone, zoned, width = _zones(cells, rest)
        decimals, utc, fine = self._tail(cells, rest - width)
        times += decimals
        times -= np.where(zoned, zone, np.where(utc, 0, self.offset))
        return times, taken & fine & ~(zoned & utc)

    def _tail(self, cells: Cells, rest: IntArray) -> tuple[IntArray, BoolArray, BoolArray]:
        """Read what follows the pattern: decimals of the second, then a Z."""
        decimals = np.zeros(len(cells), dtype=np.int64)
        digits = np.zeros(len(cells), dtype=np.int64)
        zoned = np.zeros(len(cells), dtype=np.bool_)
        first: Bytes = cells.at(self._length)
        point = (first == 46) & (rest > 1) & self._decimals
        fine = (rest == 0) | point | (first == 90)
        for place in range(int(min(rest.max(), 11))):
            code = first if place == 0 else cells.at(self._length + place)
            inside = rest > place
            digit = code - np.uint8(48)
            is_digit = inside & (digit < 10) & point
            decimals = np.where(is_digit, decimals * 10 + digit, decimals)
            digits += is_digit
            ends = inside & (code == 90) & (rest == place + 1)
            zoned |= ends
            if place:
                fine &= ~inside | is_digit | ends
            else:
                fine &= ~inside | point | ends
        fine &= (rest <= 11) & (digits <= 9) & (~point | (digits > 0))
        decimals *= 10 ** (9 - np.minimum(digits, 9))
        return decimals, zoned, fine

    def __str__(self) -> str:
        if self._iso:
            return "an ISO 8601 time such as 2011-10-10T04:05:06.7Z"
        text = self.pattern
        for name, word in _NAMES.items():
            text = text.replace(f"%{name}", word)
        return text


@lru_cache(maxsize=64)
def time_pattern(pattern: str, offset: int = 0) -> TimePattern:
    """Give a pattern, made once."""
    return TimePattern(pattern, offset)


def _zones(cells: Cells, rest: IntArray) -> tuple[IntArray, BoolArray, IntArray]:
    """Read offsets such as +01:00 or +0100 at the ends of cells.

    Returns
    -------
    zone : ndarray of int64, shape (n,)
        Nanoseconds east of UTC.
    zoned : ndarray of bool, shape (n,)
        Which cells have one.
    width : ndarray of int64, shape (n,)
        Its characters.
    """
    width = np.zeros(len(cells), dtype=np.int64)
    zone = np.zeros(len(cells), dtype=np.int64)
    last = [cells.codes.take(cells.end - back, mode="clip") for back in range(1, 7)]
    for colon in (0, 1):
        places = (0, 1, 2 + colon, 3 + colon)
        ones, tens, hours, ten_hours = (last[at] - np.uint8(48) for at in places)
        sign = last[4 + colon]
        fits = (rest >= 5 + colon) & ((sign == 43) | (sign == 45)) & (tens < 6)
        for digit in (ones, hours, ten_hours):
            fits &= digit < 10
        if colon:
            fits &= last[2] == 58
        minutes = (ten_hours * np.int64(10) + hours) * 60 + tens * np.int64(10) + ones
        fits &= minutes <= 18 * 60
        width[fits] = 5 + colon
        zone[fits] = np.where(sign == 45, -minutes, minutes)[fits] * NS_PER_MINUTE
    return zone, width > 0, width


def _constant(value: int, cells: Cells) -> IntArray:
    return np.full(len(cells), value, dtype=np.int64)


def _days(year: IntArray, month: IntArray, day: IntArray) -> tuple[IntArray, BoolArray]:
    """Give days since 1970 and which dates exist, for years 1678 to 2261."""
    real = (year >= 1678) & (year <= 2261) & (month >= 1) & (month <= 12) & (day >= 1)
    safe_year = np.where(real, year, 1970)
    safe_month = np.where(real, month, 1)
    months = (safe_year - 1970) * 12 + safe_month - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    days = first + day - 1
    return days, real & (days < after)
