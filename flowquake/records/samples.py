"""Batches of samples: tilt, strain, stress, RSAM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from flowquake.records.batch import (
    Batch,
    FloatArray,
    IntArray,
    Timescale,
    float_column,
    time_column,
)
from flowquake.records.events import check_batch, sequence_column
from flowquake.records.frozen import FrozenDict


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class SampleBatch(Batch):
    """Samples of one source: some values at each time.

    Parameters
    ----------
    source : str
        What the samples belong to: a station, an experiment.
    time : array_like of int64 or datetime64, shape (n,)
        Nanoseconds since 1970 UTC, or since the start of the experiment.
    sequence : array_like of int64, shape (n,), optional
        Place of each row in its source; default 0, 1, …
    values : mapping of str to array_like, shape (n,)
        The columns by name, such as ``strain``.
    units : mapping of str to str, optional
        The unit of each column; one that is not named is dimensionless.
    timescale : {"utc", "elapsed"}
        What time counts from.

    Raises
    ------
    ValueError
        If columns differ in length, or a unit names no column.
    TypeError
        If a column is of the wrong type.

    Examples
    --------
    >>> batch = SampleBatch(source="CDV", time=[0], values={"tilt": [4.2]}, units={"tilt": "urad"})
    >>> batch.column("tilt")
    array([4.2])
    """

    source: str
    time: IntArray
    sequence: IntArray
    values: FrozenDict[str, FloatArray]
    units: FrozenDict[str, str]
    timescale: Timescale

    _columns: ClassVar[tuple[str, ...]] = ("time", "sequence")
    _further: ClassVar[str | None] = "values"
    _constants: ClassVar[tuple[str, ...]] = ("source", "units", "timescale")

    def __init__(
        self,
        *,
        source: str,
        time: object,
        sequence: object = None,
        values: Mapping[str, object],
        units: Mapping[str, str] = FrozenDict(),
        timescale: Timescale = "utc",
    ) -> None:
        check_batch(source, timescale)
        times = time_column("time", time)
        for name in values:
            if name in (*self._columns, "source"):
                raise ValueError(f"{name!r} is a column of every such batch")
        unknown = sorted(set(units) - set(values))
        if unknown:
            raise ValueError(f"a unit is given for {unknown[0]!r}, which is no column")
        put = object.__setattr__
        put(self, "source", source)
        put(self, "timescale", timescale)
        put(self, "time", times)
        put(self, "sequence", sequence_column(sequence, len(times)))
        columns = {name: float_column(name, part, len(times)) for name, part in values.items()}
        put(self, "values", FrozenDict(columns))
        put(self, "units", FrozenDict(units))
