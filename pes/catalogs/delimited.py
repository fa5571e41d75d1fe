"""Delimited catalogs of any make, by a description of their columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from flowquake.errors import FormatError, suggest
from flowquake.pes.catalogs.columns import (
    ELAPSED_NS,
    NAMES,
    NUMBERS,
    PARTS,
    TEXTS,
    ColumnDescription,
)
from flowquake.pes.catalogs.dates import ISO
from flowquake.pes.catalogs.formats import depth, latitude, longitude, magnitude
from flowquake.pes.catalogs.layouts import BLANKS, Field, Layout
from flowquake.pes.catalogs.reports import shorten
from flowquake.pes.catalogs.splitting import split_quoted
from flowquake.records import FrozenDict

DELIMITERS: Final = (",", "\t", ";", "|")

# What common catalogs call a column, in small letters without signs.
ALIASES: Final[Mapping[str, tuple[str, ...]]] = FrozenDict(
    {
        "time": ("time", "timestring", "timestamp", "origintime", "datetime", "timeutc"),
        "date": ("date",),
        "clock": ("timeofday", "clock", "timeorig"),
        "elapsed": ("elapsed", "elapsedtime"),
        "year": ("year", "yr"),
        "month": ("month", "mo"),
        "day": ("day", "da"),
        "hour": ("hour", "ho", "hr"),
        "minute": ("minute", "mi", "min"),
        "second": ("second", "se", "sec"),
        "latitude": ("latitude", "lat", "latorig"),
        "longitude": ("longitude", "lon", "long", "longorig"),
        "depth": ("depth", "depthkm", "dep"),
        "magnitude": ("magnitude", "mag", "m", "mw", "ml"),
        "event_id": ("eventid", "id", "evid"),
        "magnitude_type": ("magtype", "magnitudetype", "typemag"),
    }
)
_MAKERS: Final[Mapping[str, Callable[[int], Field]]] = FrozenDict(
    {"latitude": latitude, "longitude": longitude, "depth": depth, "magnitude": magnitude}
)
# What some programs take for the end of a line.
_BREAK: Final = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# A header with these columns gives depth in metres.
_METRES: Final = frozenset({"eventtype", "evaluationmode"})


def plain_name(header: str) -> str:
    """Give a header's name in small letters without signs, for comparison."""
    name = re.sub(r"\(.*?\)|/.*$", "", header.strip().lstrip("#"))
    return re.sub(r"[^a-z0-9]", "", name.lower())


def describe_layout(text: str, description: ColumnDescription, *, file: str) -> Layout:
    """Find the layout of a delimited text.

    Parameters
    ----------
    text : str
        The file's text.
    description : ColumnDescription
        What is known of it.
    file : str
        Its name, for errors.

    Raises
    ------
    FormatError
        If the header does not say which column is the time, or lacks a column
        that the description names.
    """
    numbered = bool(description.columns) and all(
        isinstance(place, int) for place in description.columns.values()
    )
    lines = description.header_lines
    header_lines = (0 if numbered else 1) if lines is None else lines
    header_line, skip = _header(text, header_lines)
    delimiter = _delimiter(header_line, description)
    names = _split(header_line, delimiter)
    header = names if header_lines and not numbered else []
    glued = next((name for name in header if _BREAK.search(name)), None)
    if glued is not None:
        raise FormatError(
            f"the header holds a control character, in {shorten(glued, 60)!r}",
            file=file,
            line=skip,
            fix="save the file with lines that end in a line feed",
        )
    places = _places(header, description, file=file)
    fields = list(_fields(header, places, description))
    if not any(one.kind in ("time", "part", "elapsed") for one in fields):
        raise FormatError(
            "no column is the time; the columns are "
            + (shorten(", ".join(header)) or str(len(names))),
            file=file,
            line=skip or 1,
            fix="describe the columns, for example columns={'time': 'origin', 'magnitude': 'ML'}",
        )
    least = max(one.place for one in fields if isinstance(one.place, int)) + 1 if numbered else 0
    return Layout(
        split=delimiter,
        fields=tuple(fields),
        header_lines=skip,
        least=least or _needed(fields),
        most=len(header) if header else 10_000,
        quotes=delimiter != BLANKS,
        twice=_twice(header, fields, description),
    )


def _needed(fields: list[Field]) -> int:
    """Give how many columns a row must have: up to the last one that says where and when."""
    places = [
        one.place
        for one in fields
        if isinstance(one.place, int)
        and (one.kind in ("time", "part", "elapsed") or one.name in NUMBERS)
    ]
    return max(places) + 1


def _twice(
    header: list[str], fields: list[Field], description: ColumnDescription
) -> tuple[str, ...]:
    """Give the names that head a used column and another one."""
    chosen = description.columns.values()
    plain = [plain_name(name) for name in header]
    found = []
    for one in fields:
        if not header or not isinstance(one.place, int) or one.name not in (*NAMES, "time"):
            continue
        name = header[one.place]
        if chosen:
            again = name in chosen and header.count(name) > 1
        else:
            again = one.kind != "any" and plain.count(plain[one.place]) > 1
        if again:
            found.append(name)
    return tuple(found)


def _header(text: str, header_lines: int) -> tuple[str, int]:
    """Give the line with the names (or the first row) and how many lines to skip."""
    start, number, seen = 0, 0, 0
    while start <= len(text):
        cut = text.find("\n", start)
        line = text[start : cut if cut >= 0 else len(text)]
        number += 1
        if line.strip():
            seen += 1
            if seen >= max(header_lines, 1):
                return line.strip("\r"), number if header_lines else 0
        if cut < 0:
            break
        start = cut + 1
    return "", header_lines


def _delimiter(line: str, description: ColumnDescription) -> str:
    if description.delimiter != "auto":
        return description.delimiter
    counts = {mark: line.count(mark) for mark in DELIMITERS if mark != description.decimal}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else BLANKS


def _split(line: str, delimiter: str) -> list[str]:
    if delimiter == BLANKS:
        return line.split()
    cells = split_quoted(line, delimiter)
    names = [name.strip() for name in (line.split(delimiter) if cells is None else cells)]
    while names and not names[-1]:
        names.pop()
    return names


def _places(header: list[str], description: ColumnDescription, *, file: str) -> dict[str, int]:
    """Give the number of each column that is used."""
    if not description.columns:
        return _recognised(header)
    places: dict[str, int] = {}
    for name, at in description.columns.items():
        if isinstance(at, int):
            if at < 0 or (header and at >= len(header)):
                raise FormatError(
                    f"there is no column {at} for {name}; the last is {len(header) - 1}",
                    file=file,
                    fix="columns are numbered from 0",
                )
            places[name] = at
        elif at in header:
            places[name] = header.index(at)
        else:
            raise FormatError(
                f"there is no column {at!r} for {name}{suggest(at, header)}",
                file=file,
                fix=f"the columns are {shorten(', '.join(header))}",
            )
    return places


def _recognised(header: list[str]) -> dict[str, int]:
    """Find the columns by the names that common catalogs give them."""
    plain = [plain_name(name) for name in header]
    places: dict[str, int] = {}
    for name, aliases in ALIASES.items():
        at = next((plain.index(alias) for alias in aliases if alias in plain), None)
        if at is not None:
            places[name] = at
    if "date" in places and "time" in places:
        places["clock"] = places.pop("time")
    if "time" in places or ("date" in places and "clock" in places):
        drop = ("elapsed", *PARTS, *(("date", "clock") if "time" in places else ()))
    elif {"year", "month", "day"} <= set(places):
        drop = ("elapsed", "date", "clock")
    else:
        drop = (*PARTS, "clock")
    return {name: at for name, at in places.items() if name not in drop}


def _value_field(
    name: str, place: int, offset: int, description: ColumnDescription, *, metres: bool
) -> Field:
    """Say how a column that is written as a number or text is read."""
    if name in PARTS:
        return Field(name=name, place=place, kind="part", offset=offset)
    if name == "elapsed":
        scale = ELAPSED_NS[description.elapsed_unit]
        return Field(name=name, place=place, kind="elapsed", scale=scale)
    if name in NUMBERS:
        scale = 1000.0 if name == "depth" and metres else 1.0
        return replace(_MAKERS[name](place), scale=scale)
    return Field(name=name, place=place, kind="text" if name in TEXTS else "any")


def _fields(
    header: list[str], places: Mapping[str, int], description: ColumnDescription
) -> Iterator[Field]:
    offset = description.offset_ns()
    metres = description.depth_unit == "m" or (
        description.depth_unit is None and {plain_name(name) for name in header} >= _METRES
    )
    for name, place in places.items():
        title = header[place] if header else f"column {place}"
        if name in ("time", "date", "clock"):
            pattern = (
                description.clock_format
                if name == "clock"
                else description.date_format
                or (ISO if name == "time" or "clock" not in places else "%Y-%m-%d")
            )
            own = offset if name != "date" or "clock" not in places else 0
            field = Field(name="time", place=place, kind="time", pattern=pattern, offset=own)
        else:
            field = replace(
                _value_field(name, place, offset, description, metres=metres),
                decimal=description.decimal,
            )
        yield replace(field, header=title, missing=description.missing)
    if header and not description.columns:
        taken = {*NAMES, "sequence", "source"}
        for place, title in enumerate(header):
            name = title.strip().lstrip("#").strip()
            if place in places.values() or not name:
                continue
            if name in taken:
                name = f"{name}_{place}"
            taken.add(name)
            yield Field(
                name=name, place=place, kind="any", missing=description.missing, header=title,
                decimal=description.decimal,
            )  # fmt: skip
