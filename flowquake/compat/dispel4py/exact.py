"""Sums that do not depend on the order or the grouping of their terms."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

# Terms are added up in portions of this size, by a loop in C.
PORTION = 512


class ExactSum:
    """A sum of numbers, kept without any rounding.

    Parts of it, summed apart and added, give the same as the whole. Whole
    numbers give an int, others a float, rounded once at the end. What is no
    number (an array, a duration) is added as Python adds it.

    Examples
    --------
    >>> whole, part = ExactSum(), ExactSum()
    >>> for x in (1e100, 1.0):
    ...     whole.add(x)
    >>> part.add(-1e100)
    >>> whole.add(part)
    >>> whole.total()
    1.0
    """

    __slots__ = ("floats", "other", "whole")

    def __init__(self) -> None:
        self.whole = 0
        self.floats: list[float] = []
        self.other: Any = None  # of any type that can be added

    def add(self, term: Any) -> None:  # of any type that can be added
        """Add a number, or another sum."""
        kind = type(term)
        if kind is float:
            self.floats.append(term)
            if len(self.floats) >= PORTION:
                self._shorten()
        elif kind is int:
            self.whole += term
        elif kind is ExactSum:
            self._merge(term)
        elif isinstance(term, int):
            self.whole += int(term)
        elif isinstance(term, float):
            self.add(float(term))
        elif hasattr(term, "dtype") and getattr(term, "shape", None) == ():
            self.add(term.item())
        else:
            self.other = term if self.other is None else self.other + term

    def total(self) -> Any:  # an int or float, or what was added
        """Give the sum; 0 of nothing."""
        number: Any = self.exact() if self.floats else self.whole
        if isinstance(number, Fraction):
            number = _nearest(number)
        if self.other is None:
            return number
        return self.other if number == 0 else number + self.other

    def exact(self) -> Fraction | float:
        """Give the sum as a fraction; inf and NaN stay what they are."""
        if all(map(math.isfinite, self.floats)):
            return sum(map(Fraction, self.floats), Fraction(self.whole))
        return sum(self.floats)

    def _merge(self, term: ExactSum) -> None:
        self.whole += term.whole
        self.floats += term.floats
        if len(self.floats) >= PORTION:
            self._shorten()
        if term.other is not None:
            self.other = term.other if self.other is None else self.other + term.other

    def _shorten(self) -> None:
        """Write the sum of the floats as a few floats that add up to just the same."""
        left, short = self.floats, []
        try:
            while (part := math.fsum(left)) != 0 and math.isfinite(part):
                short.append(part)
                left = [*left, -part]
        except (OverflowError, ValueError):  # beyond the largest float, or inf less inf
            short = [sum(self.floats)]
        else:
            if not math.isfinite(part):
                short = [part]
        self.floats = short


class Moments:
    """Count, sum and sum of squares of numbers, kept without any rounding."""

    __slots__ = ("count", "squares", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = ExactSum()
        self.squares = ExactSum()

    def add(self, x: Any) -> None:  # a number of any type
        """Add a number."""
        self.count += 1
        self.total.add(x)
        if isinstance(x, float):
            square, rest = _square(float(x))
            self.squares.add(square)
            self.squares.add(rest)
        else:
            self.squares.add(x * x)

    def merge(self, other: Moments) -> None:
        """Add all numbers of another."""
        self.count += other.count
        self.total.add(other.total)
        self.squares.add(other.squares)

    def mean(self) -> float | None:
        """Give the average; None of nothing."""
        if not self.count:
            return None
        total = self.total.exact()
        return _nearest(total / self.count) if isinstance(total, Fraction) else total / self.count

    def deviation(self) -> float | None:
        """Give the standard deviation of the population, divided by n; None of nothing."""
        if not self.count:
            return None
        total, squares = self.total.exact(), self.squares.exact()
        if not (isinstance(total, Fraction) and isinstance(squares, Fraction)):
            return math.nan
        variance = (squares - total * total / self.count) / self.count
        return math.sqrt(_nearest(max(variance, Fraction(0))))


def _square(x: float) -> tuple[float, float]:
    """Give x squared as two floats whose sum is exact (Dekker 1971), but for underflow."""
    square = x * x
    split = 134217729.0 * x  # 2**27 + 1
    if not math.isfinite(split) or not math.isfinite(square):
        return square, 0.0
    high = split - (split - x)
    low = x - high
    return square, ((high * high - square) + 2.0 * high * low) + low * low


def _nearest(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.copysign(math.inf, number)
