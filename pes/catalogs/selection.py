"""Choosing events by place, depth, time, magnitude and any attribute."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from flowquake.errors import ConfigError, InputError, suggest
from flowquake.pes.magnitudes.binning import LARGEST, MISSING_BIN, magnitude_bin
from flowquake.records import BoolArray, EventBatch, FrozenDict, Strings, to_ns

Moment = datetime | str | int
Condition = str | float | bool | None | Sequence[str] | Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which events are kept; every range holds its lower end and not its upper.

    Parameters
    ----------
    box : sequence of 4 float, optional
        Least and greatest latitude, least and greatest longitude, degrees. A
        box whose least longitude is the greater one crosses the meridian 180.
    depth : sequence of 2 float, optional
        Kilometres, positive down. Without it no event is dropped for its
        depth; with it those without one are.
    start, end : datetime, str or int, optional
        ISO 8601 text, UTC, or nanoseconds in the time scale of the events.
    min_magnitude : float, optional
        Compared on the grid of 0.1, so that 1.2 is in "1.2 and above". Events
        without a magnitude are dropped.
    where : mapping, optional
        For a column's name a value, a list of texts, or a range (low, high)
        of numbers. Events without a value are dropped.

    Raises
    ------
    ConfigError
        If a range is empty or not made of numbers.
    """

    box: Sequence[float] | None = None
    depth: Sequence[float] | None = None
    start: Moment | None = None
    end: Moment | None = None
    min_magnitude: float | None = None
    where: Mapping[str, Condition] = field(default_factory=FrozenDict)

    def __post_init__(self) -> None:
        if self.box is not None:
            south, north, west, east = _numbers("box", self.box, "37.5,37.9,14.7,15.3", 4)
            if not (-90 <= south < north <= 90.0000001 and -180 <= west <= 360 and west != east):
                raise ConfigError(
                    f"box={list(self.box)} is empty or not on the globe",
                    fix="give latitude min, latitude max, longitude min, longitude max",
                )
            if not -180 <= east <= 360:
                raise ConfigError(f"box={list(self.box)}: longitude {east:g} is not on the globe")
        if self.depth is not None:
            low, high = _numbers("depth", self.depth, "-10,30", 2, infinite=True)
            if not low < high:
                raise ConfigError(f"depth={list(self.depth)} is empty", fix="give min, max in km")
        start, end = self.times()
        if start is not None and end is not None and end <= start:
            raise ConfigError(
                f"end={_shown(self.end, end)} is not after start={_shown(self.start, start)}",
                fix="give an end that is later than the start",
            )
        if self.min_magnitude is not None and not abs(self.min_magnitude) <= LARGEST:
            raise ConfigError(
                f"min_magnitude={self.min_magnitude:g} is not a magnitude",
                fix="for example min_magnitude=1.5",
            )

    def times(self) -> tuple[int | None, int | None]:
        """Give start and end, nanoseconds."""
        return _moment("start", self.start), _moment("end", self.end)

    def apply(self, batch: EventBatch) -> tuple[EventBatch, dict[str, int]]:
        """Give the events that are kept, and why the others fell.

        Returns
        -------
        kept : EventBatch
            In the order of the batch.
        dropped : dict of str to int
            Numbers of events by the first condition that each fails.

        Raises
        ------
        InputError
            If ``where`` names a column that the batch does not have.
        """
        left = np.ones(len(batch), dtype=np.bool_)
        dropped: dict[str, int] = {}

        def drop(reason: str, mask: BoolArray) -> None:
            count = int((left & mask).sum())
            if count:
                dropped[reason] = dropped.get(reason, 0) + count
                np.logical_and(left, ~mask, out=left)

        if self.box is not None:
            drop("no location", np.isnan(batch.latitude) | np.isnan(batch.longitude))
            drop("outside box", ~_in_box(batch, self.box))
        if self.depth is not None:
            drop("no depth", np.isnan(batch.depth))
            drop("outside depth", ~((batch.depth >= self.depth[0]) & (batch.depth < self.depth[1])))
        start, end = self.times()
        if start is not None:
            drop("before start", batch.time < start)
        if end is not None:
            drop("at or after end", batch.time >= end)
        if self.min_magnitude is not None:
            bins = magnitude_bin(batch.magnitude)
            drop("no magnitude", bins == MISSING_BIN)
            drop("below magnitude", bins < int(magnitude_bin(self.min_magnitude)))
        for name, condition in self.where.items():
            missing, good = _meets(batch, name, condition)
            drop(f"no {name}", missing)
            drop(f"other {name}", ~good)
        return batch.where(left), dropped


def select_events(
    batch: EventBatch,
    *,
    box: Sequence[float] | None = None,
    depth: Sequence[float] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    min_magnitude: float | None = None,
    where: Mapping[str, Condition] | None = None,
) -> EventBatch:
    """Give the events of a batch that a `Selection` keeps.

    Examples
    --------
    >>> batch = EventBatch(source="etna", time=[0, 1], magnitude=[1.1, 1.2])
    >>> len(select_events(batch, min_magnitude=1.2))
    1
    """
    selection = Selection(
        box=box, depth=depth, start=start, end=end, min_magnitude=min_magnitude,
        where=where or FrozenDict(),
    )  # fmt: skip
    return selection.apply(batch)[0]


def _numbers(
    name: str, values: Sequence[float], example: str, count: int, *, infinite: bool = False
) -> tuple[float, ...]:
    numbers: tuple[float, ...] = ()
    with contextlib.suppress(TypeError, ValueError):
        numbers = tuple(float(value) for value in values)
    fine = all(math.isfinite(one) or (infinite and not math.isnan(one)) for one in numbers)
    if len(numbers) != count or not fine:
        raise ConfigError(f"{name}={values!r} is not {count} numbers", fix=f"{name}={example}")
    return numbers


def _moment(name: str, value: Moment | None) -> int | None:
    if value is None:
        return None
    try:
        return to_ns(value)
    except (TypeError, ValueError) as cause:
        raise ConfigError(f"{name}: {cause}", fix=f"for example {name}=2011-08-01") from cause


def _shown(given: Moment | None, time: int) -> str:
    """Write a time as it was given."""
    return f"{time:,} ns" if isinstance(given, int) else str(given)


def _in_box(batch: EventBatch, box: Sequence[float]) -> BoolArray:
    south, north, west, east = box
    if east < west:
        east += 360.0
    inside = np.zeros(len(batch), dtype=np.bool_)
    for turn in (-360.0, 0.0, 360.0):
        longitude = batch.longitude + turn
        inside |= (longitude >= west) & (longitude < east)
    return inside & (batch.latitude >= south) & (batch.latitude < north)


def _meets(batch: EventBatch, name: str, condition: Condition) -> tuple[BoolArray, BoolArray]:
    """Give which events have no value, and which meet a condition."""
    if name not in batch.columns:
        raise InputError(
            f"the events have no column {name!r}{suggest(name, batch.columns)}",
            fix=f"use one of {', '.join(batch.columns)}",
        )
    column = batch.extra.get(name, getattr(batch, name, None))
    if isinstance(column, Strings):
        allowed = [condition] if not isinstance(condition, (list, tuple)) else list(condition)
        good = np.zeros(len(batch), dtype=np.bool_)
        for value in allowed:
            good |= column.equals(str(value))
        return column.equals(None), good
    values = np.asarray(column)
    try:
        if isinstance(condition, (list, tuple)):
            low, high = (float(value) for value in condition)
            good = (values >= low) & (values < high)
        else:
            good = np.equal(values, float(condition))  # type: ignore[arg-type]  # or TypeError
    except (TypeError, ValueError) as cause:
        raise ConfigError(
            f"where {name}={condition!r}: the column holds numbers",
            fix=f"give a number or a range such as {name}=(0, 10)",
        ) from cause
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(batch), np.bool_), good
