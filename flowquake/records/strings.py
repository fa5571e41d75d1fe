"""A column of text, each different text stored once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int32]
Index = slice | npt.NDArray[np.integer[Any]]  # any integer type indexes
MISSING = -1


class Strings:
    """An immutable, dictionary-coded column of text.

    Parameters
    ----------
    codes : ndarray of int32, shape (n,)
        Place of each row's text in ``values``; -1 where it is missing.
    values : sequence of str
        The different texts. Not every one needs to be used.

    Raises
    ------
    ValueError
        If a code is outside ``values`` or a value occurs twice.

    Examples
    --------
    >>> kinds = Strings.from_list(["ML", "MD", None, "ML"])
    >>> kinds[0], kinds[2], kinds.values
    ('ML', None, ('ML', 'MD'))
    """

    __slots__ = ("codes", "values")

    codes: Codes
    values: tuple[str, ...]

    def __init__(self, codes: npt.ArrayLike, values: Sequence[str]) -> None:
        array = np.ascontiguousarray(codes, dtype=np.int32)
        if array.ndim != 1:
            raise ValueError(f"codes have {array.ndim} dimensions, not one")
        table = tuple(values)
        if len(array) and not (array.min() >= MISSING and array.max() < len(table)):
            raise ValueError(f"a code is outside -1 to {len(table) - 1}")
        if len(set(table)) != len(table):
            raise ValueError("a value occurs twice")
        array.setflags(write=False)
        object.__setattr__(self, "codes", array)
        object.__setattr__(self, "values", table)

    @classmethod
    def _of(cls, codes: Codes, values: tuple[str, ...]) -> Strings:
        new = object.__new__(cls)
        object.__setattr__(new, "codes", codes)
        object.__setattr__(new, "values", values)
        return new

    @classmethod
    def from_list(cls, items: Iterable[str | None]) -> Strings:
        """Code a sequence of texts; None is missing."""
        table: dict[str | None, int] = {None: MISSING}
        add = table.setdefault
        codes = np.fromiter((add(item, len(table) - 1) for item in items), dtype=np.int32)
        del table[None]
        codes.setflags(write=False)
        return cls._of(codes, tuple(str(value) for value in table))

    @classmethod
    def missing(cls, length: int) -> Strings:
        """Give a column without any text."""
        codes = np.full(length, MISSING, dtype=np.int32)
        codes.setflags(write=False)
        return cls._of(codes, ())

    @classmethod
    def concat(cls, parts: Sequence[Strings]) -> Strings:
        """Join columns, in order."""
        if not parts:
            return cls.missing(0)
        first = parts[0].values
        if all(part.values is first for part in parts):
            codes = np.concatenate([part.codes for part in parts])
            codes.setflags(write=False)
            return cls._of(codes, first)
        table: dict[str, int] = {}
        chunks = []
        for part in parts:
            places = [table.setdefault(value, len(table)) for value in part.values]
            chunks.append(np.array([*places, MISSING], dtype=np.int32)[part.codes])
        codes = np.concatenate(chunks)
        codes.setflags(write=False)
        return cls._of(codes, tuple(table))

    def take(self, index: Index) -> Strings:
        """Give the rows of a slice (a view) or an index array."""
        codes = self.codes[index]
        if codes.flags.writeable:
            codes.setflags(write=False)
        return Strings._of(codes, self.values)

    def compact(self) -> Strings:
        """Give the same column with only the values that occur."""
        used, codes = np.unique(self.codes, return_inverse=True)
        shift = 1 if len(used) and used[0] == MISSING else 0
        fresh = (codes.reshape(-1) - shift).astype(np.int32)
        fresh.setflags(write=False)
        return Strings._of(fresh, tuple(self.values[code] for code in used[shift:].tolist()))

    def to_array(self) -> npt.NDArray[np.object_]:
        """Give an object array of texts, None where missing."""
        table = np.empty(len(self.values) + 1, dtype=object)
        table[:-1] = self.values
        return table[self.codes]

    def to_list(self) -> list[str | None]:
        """Give a list of texts, None where missing."""
        table = (*self.values, None)
        return [table[code] for code in self.codes.tolist()]

    def equals(self, value: str | None) -> npt.NDArray[np.bool_]:
        """Give a mask of the rows with this text (None: of the missing ones)."""
        if value is None:
            return np.equal(self.codes, MISSING)
        try:
            code = self.values.index(value)
        except ValueError:
            return np.zeros(len(self.codes), dtype=np.bool_)
        return np.equal(self.codes, code)

    @property
    def nbytes(self) -> int:
        """About the bytes it holds: the codes, and 16 for each text that can be in use."""
        return self.codes.nbytes + 16 * min(len(self.values), len(self.codes))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, place: int) -> str | None:
        code = self.codes[place]
        return None if code == MISSING else self.values[code]

    def __iter__(self) -> Iterator[str | None]:
        return iter(self.to_list())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Strings):
            return NotImplemented
        if self.values == other.values:
            return bool(np.array_equal(self.codes, other.codes))
        return self.to_list() == other.to_list()

    __hash__ = None  # type: ignore[assignment]  # equal by value, and not small

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Strings cannot be changed: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Strings cannot be changed: {name}")

    def __repr__(self) -> str:
        return f"Strings({len(self)} rows, {len(self.values)} values)"

    def __reduce__(self) -> tuple[object, tuple[Codes, tuple[str, ...]]]:
        # A slice shares its parent's table; what is sent carries only its own.
        own = self.compact() if len(self.values) > len(self.codes) else self
        return _restore, (own.codes, own.values)


def _restore(codes: Codes, values: tuple[str, ...]) -> Strings:
    codes.setflags(write=False)
    return Strings._of(codes, values)
