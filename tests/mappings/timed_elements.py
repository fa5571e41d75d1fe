"""Elements about event time that the tests of the mappings share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flowquake import (
    Emissions,
    Input,
    Output,
    ProcessingElement,
    Production,
    Source,
    State,
    Wait,
    Watermark,
)
from flowquake.ports import Key
from flowquake.records import EventBatch

SOURCES = ("etna", "hierro", "kilauea")
HOUR = 1000  # of the tests' own time


def arrivals(seed: int = 1, n: int = 120, disorder: int = 0) -> list[tuple[int, str, int]]:
    """Draw rows (time, source, place) in the order in which they arrive."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(0, 20 * HOUR, size=n))
    late = times + (rng.integers(0, disorder, size=n) if disorder else 0)
    order = np.argsort(late, kind="stable")
    names = rng.choice(SOURCES, size=n)
    return [(int(times[i]), str(names[i]), int(i)) for i in order]


class Feed(Source):
    """Rows as batches and watermarks, both cut at random places.

    Parameters
    ----------
    cut : int
        Seed of the cuts.
    parts : int
        Number of splits; each has every so many-th row.
    behind : int
        How far its watermarks lag behind its rows; too small makes rows late.
    waits, idles : bool
        Whether it pauses, and whether it says so; others may then go ahead.
    end : int
        The last watermark.
    """

    events = Output(EventBatch)

    rows: list[tuple[int, str, int]]
    cut: int = 0
    parts: int = 1
    behind: int | None = None
    waits: bool = False
    idles: bool = False
    end: int = 20 * HOUR

    def splits(self) -> Sequence[Key]:
        return tuple(range(self.parts))

    def produce(self, split: Key) -> Production:
        assert isinstance(split, int)
        rows = self.rows[split :: self.parts]
        rng = np.random.default_rng((self.cut, split))
        start = 0
        while start < len(rows):
            stop = start + int(rng.integers(1, 12))
            for name in SOURCES:
                mine = [row for row in rows[start:stop] if row[1] == name]
                if mine:
                    yield self.events(
                        EventBatch(
                            source=name,
                            time=[row[0] for row in mine],
                            sequence=[row[2] for row in mine],
                        )
                    )
            start = stop
            if self.waits and rng.random() < 0.3:
                yield Wait(float(rng.random()))
            if self.behind is not None:
                yield Watermark(max(row[0] for row in rows[:start]) - self.behind)
            elif rng.random() < 0.5:
                yield Watermark(min((row[0] for row in rows[start:]), default=self.end))
            elif self.idles and rng.random() < 0.4:
                yield Watermark(None)
                if self.waits:
                    yield Wait(float(rng.random()))
                if rng.random() < 0.5:
                    yield Watermark(min((row[0] for row in rows[start:]), default=self.end))
        yield Watermark(self.end)


@dataclass
class Trace:
    mixed: int = 0
    rows: int = 0
    version: int = 1


class Follow(ProcessingElement):
    """Fold the events of one key into a number that depends on their order."""

    events = Input(EventBatch, by="source", order="time")
    out = Output(tuple)
    state = State(Trace)

    def on_events(self, batch: EventBatch) -> None:
        for time, place in zip(batch.time.tolist(), batch.sequence.tolist(), strict=True):
            self.state.rows += 1
            self.state.mixed = (self.state.mixed * 31 + time * 7 + place) % 1_000_003

    def finish(self) -> Emissions:
        yield self.out((self.key, self.state.rows, self.state.mixed))


class FollowAll(ProcessingElement):
    """The same over all keys and two ports, in one order."""

    events = Input(EventBatch, order="time")
    more = Input(EventBatch, order="time")
    out = Output(tuple)
    state = State(Trace)

    def on_events(self, batch: EventBatch) -> None:
        self._fold(batch, 1)

    def on_more(self, batch: EventBatch) -> None:
        self._fold(batch, 2)

    def _fold(self, batch: EventBatch, port: int) -> None:
        for time, place in zip(batch.time.tolist(), batch.sequence.tolist(), strict=True):
            self.state.rows += 1
            word = time * 7 + place * 3 + port + sum(batch.source.encode())
            self.state.mixed = (self.state.mixed * 31 + word) % 1_000_003

    def finish(self) -> Emissions:
        yield self.out((self.state.rows, self.state.mixed))


@dataclass
class Hourly:
    counts: dict[int, int] = field(default_factory=dict)
    done: int = 0
    version: int = 1


class CountHours(ProcessingElement):
    """Events of each hour and key, given as soon as the hour is over."""

    events = Input(EventBatch, by="source", order="any")
    out = Output(tuple)
    state = State(Hourly)

    def on_events(self, batch: EventBatch) -> None:
        for time in batch.time.tolist():
            hour = time // HOUR
            self.state.counts[hour] = self.state.counts.get(hour, 0) + 1

    def on_watermark(self, time: int) -> Emissions:
        for hour in sorted(hour for hour in self.state.counts if (hour + 1) * HOUR <= time):
            yield self.out((self.key, hour, self.state.counts.pop(hour)))


class Patient(ProcessingElement):
    """Waits a little for late rows; gives those that come later still apart."""

    events = Input(EventBatch, by="source", order="time", lateness=2 * HOUR / 1e9)
    out = Output(EventBatch)
    late = Output(EventBatch)

    def on_events(self, batch: EventBatch) -> Emissions:
        yield self.out(batch)


class Strict(ProcessingElement):
    """Does not wait, and only counts what is late."""

    events = Input(EventBatch, order="time")
    out = Output(EventBatch)

    def on_events(self, batch: EventBatch) -> Emissions:
        yield self.out(batch)


def rows_of(items: Sequence[object]) -> Counter[Hashable]:
    """Count items; batches by their rows, so that cuts do not matter."""
    return Counter(row for item in items for row in _rows(item))


def _rows(item: object) -> Iterator[Hashable]:
    if isinstance(item, EventBatch):
        columns = (item.time.tolist(), item.sequence.tolist())
        yield from ((item.source, *row) for row in zip(*columns, strict=True))
    else:
        yield frozen(item)


def frozen(item: Any) -> Hashable:  # items of every type
    """Give an item as something that can be counted and compared."""
    if isinstance(item, np.ndarray):
        return ("array", item.dtype.str, item.shape, item.tobytes())
    if isinstance(item, dict):
        return tuple(sorted((key, frozen(value)) for key, value in item.items()))
    if isinstance(item, (tuple, list)):
        return tuple(map(frozen, item))
    if isinstance(item, bytearray):
        return bytes(item)
    assert isinstance(item, Hashable)
    return item
