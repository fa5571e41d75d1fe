"""Cells of a text table, and numbers out of them.

What a cell means is said by one plain function a kind (`number` here,
`TimePattern.parse` for times). Whole columns go through numpy, which takes the
plainly written cells and leaves every other one to that function, so both
ways give the same values, and an error knows its cell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flowquake.records import BoolArray, FloatArray, IntArray

Bytes = npt.NDArray[np.uint8]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_POWERS = np.power(10.0, np.arange(19))
_LONGEST = 20


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of text cells, without the blanks around them.

    ``text[start:end]`` is a cell; ``codes`` holds one byte for each character
    of ``text``, ``?`` for what is not ASCII.
    """

    text: str
    codes: Bytes
    start: IntArray
    end: IntArray

    @classmethod
    def of(cls, texts: Sequence[str]) -> Cells:
        """Make a column of single texts."""
        stripped = [text.strip(" \t\r") for text in texts]
        text = "".join(stripped)
        end = np.cumsum(np.fromiter(map(len, stripped), dtype=np.int64, count=len(stripped)))
        start = np.concatenate(([0], end[:-1])) if len(end) else end
        return cls(text, characters(text), start, end)

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, row: int) -> str:
        return self.text[self.start[row] : self.end[row]]

    def to_list(self) -> list[str]:
        """Give all texts."""
        text = self.text
        pairs = zip(self.start.tolist(), self.end.tolist(), strict=True)
        return [text[start:end] for start, end in pairs]

    @property
    def lengths(self) -> IntArray:
        """Characters in each cell."""
        lengths: IntArray = self.end - self.start
        return lengths

    def at(self, place: int) -> Bytes:
        """Give the character at one place of each cell; 0 where the cell is shorter."""
        codes = self.codes.take(self.start + place, mode="clip")
        codes[self.start + place >= self.end] = 0
        return codes


def characters(text: str) -> Bytes:
    """Give one byte for each character of a text."""
    codes = np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8)
    return codes if len(codes) else np.zeros(1, dtype=np.uint8)


def trim(codes: Bytes, start: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """Move both ends of spans inwards past blanks, tabs and carriage returns."""
    start, end = start.copy(), end.copy()
    live = np.flatnonzero(start < end)
    while live.size:
        live = live[_blank(codes[start[live]])]
        start[live] += 1
        live = live[start[live] < end[live]]
    live = np.flatnonzero(start < end)
    while live.size:
        live = live[_blank(codes[end[live] - 1])]
        end[live] -= 1
        live = live[start[live] < end[live]]
    return start, end


def _blank(codes: Bytes) -> BoolArray:
    blank: BoolArray = (codes == 32) | (codes == 9) | (codes == 13)
    return blank


def number(text: str, decimal: str = ".") -> float:
    """Read a finite decimal number.

    Raises
    ------
    ValueError
        If the text is anything else, NaN and infinity included.

    Examples
    --------
    >>> number("-1.5e2")
    -150.0
    """
    plain = text.replace(decimal, ".") if decimal != "." and "." not in text else text
    if _NUMBER.fullmatch(plain) is None:
        raise ValueError(f"{text!r} is not a number")
    value = float(plain)
    if not np.isfinite(value):
        raise ValueError(f"{text!r} is too large")
    return value


def plain_numbers(cells: Cells, decimal: str = ".") -> tuple[FloatArray, BoolArray]:
    """Read the plainly written numbers of a column.

    Returns
    -------
    values : ndarray, shape (n,)
        The very number that `number` gives.
    taken : ndarray of bool, shape (n,)
        Which cells were read; the others are for `number`.

    Notes
    -----
    A sign, up to 18 digits and a decimal point are an integer below 2**53
    divided by a power of ten below 10**22. Both are exact, so the quotient is
    the correctly rounded value [1]_.

    References
    ----------
    .. [1] Clinger (1990), How to read floating point numbers accurately,
       doi:10.1145/93542.93557.
    """
    lengths = cells.lengths
    n = len(cells)
    taken = (lengths > 0) & (lengths <= _LONGEST)
    width = int(lengths[taken].max()) if taken.any() else 0
    mantissa = np.zeros(n, dtype=np.int64)
    decimals = np.zeros(n, dtype=np.int8)
    digits = np.zeros(n, dtype=np.int8)
    fraction = np.zeros(n, dtype=np.bool_)
    negative = np.zeros(n, dtype=np.bool_)
    for place in range(width):
        code = cells.at(place)
        digit = code - np.uint8(48)
        is_digit = digit < 10
        is_point = (code == ord(decimal)) & ~fraction
        fine = is_digit | is_point | (code == 0)
        if place == 0:
            negative = code == 45
            fine |= negative | (code == 43)
        taken &= fine
        np.multiply(mantissa, 10, out=mantissa, where=is_digit)
        np.add(mantissa, digit, out=mantissa, where=is_digit)
        digits += is_digit
        decimals += is_digit & fraction
        fraction |= is_point
    taken &= (digits > 0) & (digits <= 18) & (mantissa <= 2**53)
    values = mantissa / _POWERS[np.minimum(decimals, 18)]
    np.negative(values, out=values, where=negative)
    return values, taken
