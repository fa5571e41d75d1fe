"""Batches of eruptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flowquake.records.batch import (
    Batch,
    FloatArray,
    IntArray,
    float_column,
    text_column,
    time_column,
)
from flowquake.records.events import check_batch, sequence_column
from flowquake.records.strings import Strings
from flowquake.records.times import UNKNOWN_TIME


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class EruptionBatch(Batch):
    """Eruptions of one volcano.

    Parameters
    ----------
    source : str
        The volcano.
    time : array_like of int64 or datetime64, shape (n,)
        Start, nanoseconds since 1970 UTC.
    sequence : array_like of int64, shape (n,), optional
        Place of each row in its source; default 0, 1, …
    end : array_like of int64, shape (n,), optional
        End, nanoseconds since 1970 UTC; ``UNKNOWN_TIME`` (-2**63) if unknown.
    kind, location, elevation, notes : Strings or list of str, optional
        Text: flank or summit, where, the vents' elevation in metres as it is
        written, and remarks.
    area_km2, volume_1e6_m3 : array_like, shape (n,), optional
        Of the lava, km² and 10⁶ m³; NaN is missing.

    Raises
    ------
    ValueError
        If columns differ in length or an eruption ends before it starts.
    TypeError
        If a column is of the wrong type.
    """

    source: str
    time: IntArray
    sequence: IntArray
    end: IntArray
    kind: Strings
    location: Strings
    elevation: Strings
    area_km2: FloatArray
    volume_1e6_m3: FloatArray
    notes: Strings

    _columns: ClassVar[tuple[str, ...]] = (
        "time",
        "sequence",
        "end",
        "kind",
        "location",
        "elevation",
        "area_km2",
        "volume_1e6_m3",
        "notes",
    )
    _constants: ClassVar[tuple[str, ...]] = ("source",)

    def __init__(
        self,
        *,
        source: str,
        time: object,
        sequence: object = None,
        end: object = None,
        kind: object = None,
        location: object = None,
        elevation: object = None,
        area_km2: object = None,
        volume_1e6_m3: object = None,
        notes: object = None,
    ) -> None:
        check_batch(source, "utc")
        times = time_column("time", time)
        n = len(times)
        ends = time_column("end", np.full(n, UNKNOWN_TIME) if end is None else end)
        if len(ends) != n:
            raise ValueError(f"end has {len(ends)} rows, time has {n}")
        if bool(((ends != UNKNOWN_TIME) & (ends < times)).any()):
            raise ValueError("an eruption ends before it starts")
        put = object.__setattr__
        put(self, "source", source)
        put(self, "time", times)
        put(self, "sequence", sequence_column(sequence, n))
        put(self, "end", ends)
        put(self, "kind", text_column("kind", kind, n))
        put(self, "location", text_column("location", location, n))
        put(self, "elevation", text_column("elevation", elevation, n))
        put(self, "area_km2", float_column("area_km2", area_km2, n))
        put(self, "volume_1e6_m3", float_column("volume_1e6_m3", volume_1e6_m3, n))
        put(self, "notes", text_column("notes", notes, n))
