"""What every batch of rows can do.

The engine sees a batch through ``len``, ``nbytes``, ``column``, ``take`` and
``concat`` alone. A batch is cut very often, so a cut runs no checks: only the
public constructor of a batch class checks its columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from flowquake.records.frozen import FrozenDict
from flowquake.records.strings import Strings
from flowquake.records.times import UNKNOWN_TIME, format_time, json_time

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
AnyArray = npt.NDArray[Any]  # a column of any type
Column = AnyArray | Strings
Columns = FrozenDict[str, Column]
RowIndex = slice | npt.NDArray[np.integer[Any]] | Sequence[int]  # any integer type indexes
Timescale = Literal["utc", "elapsed"]

_set = object.__setattr__


class Batch:
    """The base of the batch classes; it has no columns of its own.

    A subclass is a frozen dataclass with slots whose fields are arrays,
    `Strings`, one dictionary of further columns, and constants of the batch.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # Every batch class has these fields itself.

        @property
        def source(self) -> str:
            """What the rows belong to."""

        @property
        def time(self) -> IntArray:
            """Event times, nanoseconds."""

        @property
        def sequence(self) -> IntArray:
            """Places in the source."""

    _columns: ClassVar[tuple[str, ...]]  # fields that are arrays or Strings; "time" is the first
    _further: ClassVar[str | None] = None  # the field that is a dictionary of columns
    _constants: ClassVar[tuple[str, ...]]  # fields that hold for all rows; "source" is the first

    def __len__(self) -> int:
        return len(self.time)

    @property
    def nbytes(self) -> int:
        """Bytes of all columns; text is estimated."""
        return sum(int(self._field(name).nbytes) for name in self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, those of ``extra`` or ``values`` last."""
        further = getattr(self, self._further) if self._further else ()
        return (*self._columns, *further)

    def _field(self, name: str) -> Column:
        if name in self._columns:
            column: Column = getattr(self, name)
            return column
        further: Mapping[str, Column] = getattr(self, self._further) if self._further else {}
        if name in further:
            return further[name]
        raise KeyError(f"no column {name!r}; there are {', '.join((*self.columns, 'source'))}")

    def column(self, name: str) -> AnyArray:
        """Give a column as an array, shape (n,).

        Text comes as an object array with None where it is missing. The name
        of a constant of the batch, such as ``source``, gives it once a row.

        Raises
        ------
        KeyError
            If there is no such column; the message names those there are.
        """
        if name in self._constants and isinstance(getattr(self, name), str):
            return np.broadcast_to(np.array(getattr(self, name), dtype=object), len(self))
        field = self._field(name)
        return field.to_array() if isinstance(field, Strings) else field

    def take(self, index: RowIndex) -> Self:
        """Give some rows: views for a slice, copies for an array of row numbers.

        Raises
        ------
        TypeError
            If the index is neither; for a mask use `where`.
        IndexError
            If a row number is out of range.
        """
        if type(index) is not slice:
            rows = np.asarray(index)
            if rows.dtype.kind not in "iu":
                if rows.size:
                    raise TypeError("take needs a slice or row numbers; for a mask use where")
                rows = rows.astype(np.intp)
            if rows.ndim != 1:
                raise TypeError("take needs a slice or a one-dimensional array of row numbers")
            index = rows
        new = object.__new__(type(self))
        for name in self._columns:
            _set(new, name, _cut(getattr(self, name), index))
        if self._further is not None:
            further: Columns = getattr(self, self._further)
            if further:
                further = FrozenDict({key: _cut(part, index) for key, part in further.items()})
            _set(new, self._further, further)
        for name in self._constants:
            _set(new, name, getattr(self, name))
        return new

    def where(self, mask: npt.ArrayLike) -> Self:
        """Give the rows where a mask, shape (n,), is true.

        Raises
        ------
        ValueError
            If the mask is not one truth value a row.
        """
        flags = np.asarray(mask)
        if flags.dtype != np.bool_ or flags.shape != (len(self),):
            raise ValueError(
                f"the mask is {flags.dtype} of shape {flags.shape}, not bool of ({len(self)},)"
            )
        if flags.all():
            return self
        return self.take(np.flatnonzero(flags))

    def sorted(self) -> Self:
        """Give the rows in the order of (time, sequence), equal ones as they are."""
        time, sequence = self.time, self.sequence
        before, after = time[:-1], time[1:]
        in_order = (before < after) | ((before == after) & (sequence[:-1] <= sequence[1:]))
        return self if bool(in_order.all()) else self.take(np.lexsort((sequence, time)))

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Join batches of one source, in order.

        A further column that some parts lack is missing there: NaN, or no text.

        Raises
        ------
        ValueError
            If there is no part, or the parts differ in source, time scale or unit.
        """
        if not parts:
            raise ValueError("there is no batch to join")
        first = parts[0]
        if len(parts) == 1:
            return first
        new = object.__new__(cls)
        for name in cls._constants:
            value = getattr(first, name)
            for part in parts[1:]:
                if getattr(part, name) != value:
                    raise ValueError(
                        f"batches of different {name} cannot be joined: "
                        f"{value!r} and {getattr(part, name)!r}"
                    )
            _set(new, name, value)
        for name in cls._columns:
            _set(new, name, _join([getattr(part, name) for part in parts]))
        if cls._further is not None:
            maps: list[Columns] = [getattr(part, cls._further) for part in parts]
            names = dict.fromkeys(name for columns in maps for name in columns)
            joined = {
                name: _join(
                    [
                        _or_missing(part, columns, name, maps)
                        for part, columns in zip(parts, maps, strict=True)
                    ]
                )
                for name in names
            }
            _set(new, cls._further, FrozenDict(joined))
        return new

    def with_columns(self, **columns: object) -> Self:
        """Give a batch with some columns or constants replaced or added.

        A name that is no field becomes a further column, where the batch has
        such. The new columns are checked as in the constructor.
        """
        fields = {name: getattr(self, name) for name in (*self._columns, *self._constants)}
        further = dict(getattr(self, self._further)) if self._further else {}
        for name, value in columns.items():
            if name in fields:
                fields[name] = value
            elif name == self._further and isinstance(value, Mapping):
                further = dict(value)
            elif self._further:
                further[name] = value
            else:
                raise KeyError(f"no column {name!r}; there are {', '.join(self.columns)}")
        if self._further:
            fields[self._further] = further
        return type(self)(**fields)

    def equals(self, other: object) -> bool:
        """Say whether the other batch has the same class, rows and constants; NaN equals NaN."""
        if type(other) is not type(self) or not isinstance(other, Batch):
            return False
        if any(getattr(self, name) != getattr(other, name) for name in self._constants):
            return False
        if set(self.columns) != set(other.columns):
            return False
        return all(_same(self._field(name), other._field(name)) for name in self.columns)

    def row(self, place: int) -> dict[str, object]:
        """Give one row as plain values for JSON: times as text, missing ones as None."""
        values: dict[str, object] = {"source": self.source}
        timescale: str = getattr(self, "timescale", "utc")
        for name in self.columns:
            field = self._field(name)
            value = field[place] if isinstance(field, Strings) else field[place].item()
            if isinstance(value, float) and not np.isfinite(value):
                value = None
            elif name in ("time", "end") and isinstance(value, int):
                value = None if value == UNKNOWN_TIME else json_time(value, timescale)
            values[name] = value
        return values

    def __eq__(self, other: object) -> bool:
        return self.equals(other) if isinstance(other, Batch) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # equal by value, and not small

    def __repr__(self) -> str:
        count = len(self)
        rows = f"{count} row{'' if count == 1 else 's'}"
        span = ""
        if count:
            low, high = int(self.time.min()), int(self.time.max())
            if getattr(self, "timescale", "utc") == "elapsed":
                span = f", {low / 1e9:g} s to {high / 1e9:g} s"
            else:
                span = f", {format_time(low)} to {format_time(high)}"
        return f"{type(self).__name__}({self.source!r}, {rows}{span})"

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        names = (*self._columns, *((self._further,) if self._further else ()), *self._constants)
        return _restore, (type(self), tuple((name, getattr(self, name)) for name in names))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


def _restore(cls: type[Batch], fields: tuple[tuple[str, object], ...]) -> Batch:
    new = object.__new__(cls)
    for name, value in fields:
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
        elif isinstance(value, FrozenDict):
            for part in value.values():
                if isinstance(part, np.ndarray):
                    part.setflags(write=False)
        _set(new, name, value)
    return new


def _cut(column: Column, index: slice | AnyArray) -> Column:
    if isinstance(column, Strings):
        return column.take(index)
    part = column[index]
    if part.flags.writeable:
        part.setflags(write=False)
    return part


def _join(parts: Sequence[Column]) -> Column:
    texts = [part for part in parts if isinstance(part, Strings)]
    if len(texts) == len(parts):
        return Strings.concat(texts)
    if texts:
        raise ValueError("a column is text in one batch and numbers in another")
    joined: AnyArray = np.concatenate([part for part in parts if isinstance(part, np.ndarray)])
    joined.setflags(write=False)
    return joined


def _or_missing(part: Batch, columns: Columns, name: str, maps: Sequence[Columns]) -> Column:
    if name in columns:
        return columns[name]
    if any(isinstance(other.get(name), Strings) for other in maps):
        return Strings.missing(len(part))
    return np.full(len(part), np.nan)


def _same(one: Column, other: Column) -> bool:
    if isinstance(one, Strings) or isinstance(other, Strings):
        return isinstance(one, Strings) and isinstance(other, Strings) and one == other
    if one.dtype != other.dtype:
        return False
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def time_column(name: str, values: object) -> IntArray:
    """Check and freeze a column of times: int64 nanoseconds, or datetime64.

    Raises
    ------
    TypeError
        If it holds neither integers nor datetime64.
    ValueError
        If it is not one-dimensional or holds NaT.
    """
    array = np.asarray(values)
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            raise ValueError(f"{name} holds NaT")
        array = array.astype("datetime64[ns]").view(np.int64)
    return int_column(name, array)


def int_column(name: str, values: object) -> IntArray:
    """Check and freeze a column of integers."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{name} is {array.dtype}, not integers")
    return _frozen(name, np.ascontiguousarray(array, dtype=np.int64))


def float_column(name: str, values: object, length: int) -> FloatArray:
    """Check and freeze a column of numbers; None gives NaN throughout."""
    if values is None:
        return _frozen(name, np.full(length, np.nan), length)
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" and array.size:
        raise TypeError(f"{name} is {array.dtype}, not numbers")
    return _frozen(name, np.ascontiguousarray(array, dtype=np.float64), length)


def text_column(name: str, values: object, length: int) -> Strings:
    """Check a column of text; None gives no text throughout."""
    if values is None:
        return Strings.missing(length)
    if not isinstance(values, Strings):
        if isinstance(values, str) or not isinstance(values, (Sequence, np.ndarray)):
            raise TypeError(f"{name} is {type(values).__name__}, not Strings or a list of text")
        values = Strings.from_list(None if value is None else str(value) for value in values)
    if len(values) != length:
        raise ValueError(f"{name} has {len(values)} rows, time has {length}")
    return values


def further_columns(values: Mapping[str, object], taken: Sequence[str], length: int) -> Columns:
    """Check and freeze a dictionary of columns of numbers, truth values or text."""
    columns: dict[str, Column] = {}
    for name, part in values.items():
        if name in taken:
            raise ValueError(
                f"{name!r} is a column of every such batch; name the further one otherwise"
            )
        array = part if isinstance(part, Strings) else np.asarray(part)
        if isinstance(array, Strings) or array.dtype.kind in "OUT":
            columns[name] = text_column(name, part, length)
        elif array.dtype.kind in "biuf":
            columns[name] = _frozen(name, np.ascontiguousarray(array), length)
        else:
            raise TypeError(f"{name} is {array.dtype}, not numbers or text")
    return FrozenDict(columns)


def _frozen(name: str, array: AnyArray, length: int | None = None) -> AnyArray:
    if array.ndim != 1:
        raise ValueError(f"{name} has {array.ndim} dimensions, not one")
    if length is not None and len(array) != length:
        raise ValueError(f"{name} has {len(array)} rows, time has {length}")
    array.setflags(write=False)
    return array
