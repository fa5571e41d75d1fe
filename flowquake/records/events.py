"""Batches of earthquakes, and of acoustic emissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flowquake.records.batch import (
    Batch,
    Columns,
    FloatArray,
    IntArray,
    Timescale,
    float_column,
    further_columns,
    int_column,
    text_column,
    time_column,
)
from flowquake.records.frozen import FrozenDict
from flowquake.records.strings import Strings


def check_batch(source: object, timescale: object) -> None:
    """Check the constants of a batch."""
    if not isinstance(source, str) or not source:
        raise ValueError(f"source is {source!r}, not a name")
    if timescale not in ("utc", "elapsed"):
        raise ValueError(f"timescale is {timescale!r}, not 'utc' or 'elapsed'")


def sequence_column(sequence: object, length: int) -> IntArray:
    """Check and freeze a column of places in the source; None counts from 0."""
    if sequence is None:
        sequence = np.arange(length)
    column = int_column("sequence", sequence)
    if len(column) != length:
        raise ValueError(f"sequence has {len(column)} rows, time has {length}")
    return column


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class EventBatch(Batch):
    """Events of one source, one row each, in any order.

    The arrays given become read-only; those of the right type are not copied.
    An absent column is NaN, or no text, throughout.

    Parameters
    ----------
    source : str
        What the events belong to: a volcano, a region, an experiment.
    time : array_like of int64 or datetime64, shape (n,)
        Origin times, nanoseconds since 1970 UTC, or since the start of the
        experiment where ``timescale`` is ``"elapsed"``.
    sequence : array_like of int64, shape (n,), optional
        Place of each event in its source: row of the file, number in the
        feed; default 0, 1, …
    latitude, longitude : array_like, shape (n,), optional
        Degrees.
    depth : array_like, shape (n,), optional
        Kilometres, positive down; NaN is missing.
    magnitude : array_like, shape (n,), optional
        NaN is missing.
    event_id, magnitude_type : Strings or list of str, optional
        Text by row.
    extra : mapping, optional
        Further columns of numbers or text by name.
    timescale : {"utc", "elapsed"}
        What time counts from.

    Raises
    ------
    ValueError
        If columns differ in length or are not one-dimensional.
    TypeError
        If a column is of the wrong type.

    Examples
    --------
    >>> batch = EventBatch(source="etna", time=[0, 10**9], magnitude=[1.2, 2.0])
    >>> batch.where(batch.magnitude > 1.5)
    EventBatch('etna', 1 row, 1970-01-01T00:00:01Z to 1970-01-01T00:00:01Z)
    """

    source: str
    time: IntArray
    sequence: IntArray
    latitude: FloatArray
    longitude: FloatArray
    depth: FloatArray
    magnitude: FloatArray
    event_id: Strings
    magnitude_type: Strings
    extra: Columns
    timescale: Timescale

    _columns: ClassVar[tuple[str, ...]] = (
        "time",
        "sequence",
        "latitude",
        "longitude",
        "depth",
        "magnitude",
        "event_id",
        "magnitude_type",
    )
    _further: ClassVar[str | None] = "extra"
    _constants: ClassVar[tuple[str, ...]] = ("source", "timescale")

    def __init__(
        self,
        *,
        source: str,
        time: object,
        sequence: object = None,
        latitude: object = None,
        longitude: object = None,
        depth: object = None,
        magnitude: object = None,
        event_id: object = None,
        magnitude_type: object = None,
        extra: Mapping[str, object] = FrozenDict(),
        timescale: Timescale = "utc",
    ) -> None:
        check_batch(source, timescale)
        times = time_column("time", time)
        n = len(times)
        put = object.__setattr__
        put(self, "source", source)
        put(self, "timescale", timescale)
        put(self, "time", times)
        put(self, "sequence", sequence_column(sequence, n))
        put(self, "latitude", float_column("latitude", latitude, n))
        put(self, "longitude", float_column("longitude", longitude, n))
        put(self, "depth", float_column("depth", depth, n))
        put(self, "magnitude", float_column("magnitude", magnitude, n))
        put(self, "event_id", text_column("event_id", event_id, n))
        put(self, "magnitude_type", text_column("magnitude_type", magnitude_type, n))
        put(self, "extra", further_columns(extra, (*self._columns, "source"), n))

    @classmethod
    def empty(cls, source: str, timescale: Timescale = "utc") -> EventBatch:
        """Give a batch without events."""
        return cls(source=source, time=np.empty(0, dtype=np.int64), timescale=timescale)
