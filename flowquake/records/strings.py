"""A column of text, each different text stored once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
Ends = npt.NDArray[np.int64]
Index = slice | npt.NDArray[np.integer[Any]]  # any integer type indexes
MISSING = -1


class _Table:
    """The different texts of a column, as text or as bytes; each made from the other when asked.

    As bytes they are two arrays, which travel between processes as fast as
    any other column.
    """

    __slots__ = ("_packed", "_texts", "count")

    def __init__(
        self, texts: tuple[str, ...] | None, packed: tuple[Bytes, Ends] | None = None
    ) -> None:
        self._texts = texts
        self._packed = packed
        self.count = len(texts) if texts is not None else len(packed[1])  # type: ignore[index]  # one is there

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts."""
        if self._texts is None:
            assert self._packed is not None
            raw, ends = self._packed[0].tobytes(), self._packed[1].tolist()
            places = zip([0, *ends], ends, strict=False)
            if raw.isascii():
                text = raw.decode("ascii")
                self._texts = tuple([text[start:end] for start, end in places])
            else:
                self._texts = tuple([_decoded(raw[start:end]) for start, end in places])
        return self._texts

    @property
    def packed(self) -> tuple[Bytes, Ends]:
        """All texts in UTF-8, one after the other, and where each ends."""
        if self._packed is None:
            assert self._texts is not None
            raw = [text.encode("utf-8", "surrogatepass") for text in self._texts]
            ends = np.cumsum([len(part) for part in raw], dtype=np.int64)
            self._packed = np.frombuffer(b"".join(raw), np.uint8), ends
        return self._packed

    def take(self, places: npt.NDArray[np.integer[Any]]) -> _Table:
        """Give a table of some of the texts."""
        raw, ends = self.packed
        starts = np.concatenate(([0], ends[:-1])) if len(ends) else ends
        sizes = (ends - starts)[places]
        stops = np.cumsum(sizes)
        at = np.repeat(starts[places] - (stops - sizes), sizes) + np.arange(sizes.sum())
        return _Table(None, (raw[at], stops))


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


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

    __slots__ = ("codes", "table")

    codes: Codes
    table: _Table

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
        object.__setattr__(self, "table", _Table(table))

    @property
    def values(self) -> tuple[str, ...]:
        """The different texts."""
        return self.table.texts

    @classmethod
    def _of(cls, codes: Codes, table: _Table) -> Strings:
        new = object.__new__(cls)
        object.__setattr__(new, "codes", codes)
        object.__setattr__(new, "table", table)
        return new

    @classmethod
    def from_list(cls, items: Iterable[str | None]) -> Strings:
        """Code a sequence of texts; None is missing."""
        table: dict[str | None, int] = {None: MISSING}
        add = table.setdefault
        codes = np.fromiter((add(item, len(table) - 1) for item in items), dtype=np.int32)
        del table[None]
        codes.setflags(write=False)
        return cls._of(codes, _Table(tuple(str(value) for value in table)))

    @classmethod
    def missing(cls, length: int) -> Strings:
        """Give a column without any text."""
        codes = np.full(length, MISSING, dtype=np.int32)
        codes.setflags(write=False)
        return cls._of(codes, _Table(()))

    @classmethod
    def concat(cls, parts: Sequence[Strings]) -> Strings:
        """Join columns, in order."""
        if not parts:
            return cls.missing(0)
        first = parts[0].table
        if all(part.table is first for part in parts):
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
        return cls._of(codes, _Table(tuple(table)))

    def take(self, index: Index) -> Strings:
        """Give the rows of a slice (a view) or an index array."""
        codes = self.codes[index]
        if codes.flags.writeable:
            codes.setflags(write=False)
        return Strings._of(codes, self.table)

    def compact(self) -> Strings:
        """Give the same column with only the values that occur."""
        occurs = np.zeros(self.table.count + 1, dtype=np.bool_)
        occurs[self.codes] = True  # a missing text marks the last place
        occurs[-1] = False
        place = np.cumsum(occurs, dtype=np.int32) - 1
        place[-1] = MISSING
        fresh = place[self.codes].astype(np.int32, copy=False)
        fresh.setflags(write=False)
        return Strings._of(fresh, self.table.take(np.flatnonzero(occurs)))

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
        return self.codes.nbytes + 16 * min(self.table.count, len(self.codes))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, place: int) -> str | None:
        code = self.codes[place]
        return None if code == MISSING else self.table.texts[code]

    def __iter__(self) -> Iterator[str | None]:
        return iter(self.to_list())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Strings):
            return NotImplemented
        if self.table is other.table or self.values == other.values:
            return bool(np.array_equal(self.codes, other.codes))
        return self.to_list() == other.to_list()

    __hash__ = None  # type: ignore[assignment]  # equal by value, and not small

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Strings cannot be changed: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Strings cannot be changed: {name}")

    def __repr__(self) -> str:
        return f"Strings({len(self)} rows, {self.table.count} values)"

    def __reduce__(self) -> tuple[object, tuple[Codes, Bytes, Ends]]:
        # A slice shares its parent's table; what is sent carries only its own.
        own = self.compact() if self.table.count > 2 * len(self.codes) else self
        return _restore, (own.codes, *own.table.packed)


def _restore(codes: Codes, raw: Bytes, ends: Ends) -> Strings:
    codes.setflags(write=False)
    return Strings._of(codes, _Table(None, (raw, ends)))
