"""Elements and graphs whose costs are known, for ``benchmarks.scaling``.

They burn processor time, the same for each item; they never sleep.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flowquake import (
    Emissions,
    Input,
    Output,
    ProcessingElement,
    Production,
    Source,
    Watermark,
    Workflow,
)
from flowquake.costs import CostTable, ElementCosts, HopCosts
from flowquake.keys import stable_hash
from flowquake.plans import Plan

Array = npt.NDArray[np.float64]

KEYS = 1000
HEAVY_LOOPS, LIGHT_LOOPS = 8_000, 400
WATERMARKS = 0.01  # for an item, in the graph of two exchanges
ARRAY_ITEMS = 65_536  # 512 kB


def burn(loops: int, seed: int) -> int:
    """Compute so many numbers of a sequence, in Python: processor time and nothing else."""
    x = seed
    for _ in range(loops):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x


def key_of(number: int) -> int:
    """Give the key of a number."""
    return number % KEYS


def itself(number: int) -> int:
    """Give the number as its key."""
    return number


def first_of(array: Array) -> int:
    """Give an array's first number as its key."""
    return int(array[0])


def crunch(array: Array) -> float:
    """Work on a large array."""
    return float(np.sqrt(np.abs(np.sin(array))).sum())


# ---- what measures hops ---------------------------------------------------------------------


class _Clock:
    """Processor time of this process, and time on the wall, since its first item."""

    def __init__(self) -> None:
        self.cpu = time.process_time_ns()
        self.wall = time.monotonic_ns()

    def read(self, part: ProcessingElement) -> None:
        """Count both in microseconds, so that they are in the run's result."""
        part.count("cpu_us", (time.process_time_ns() - self.cpu) // 1000)
        part.count("wall_us", (time.monotonic_ns() - self.wall) // 1000)


class Repeats(Source):
    """One number again and again; says what processor time that took, with all that it led to."""

    number = Output(int)

    items: int = 100_000
    value: int = 0
    watermark_every: int = 0

    def produce(self, split: object) -> Production:
        clock = _Clock()
        every, value = self.watermark_every, self.value
        for place in range(self.items):
            yield self.number(value)
            if every and place % every == 0:
                yield Watermark(place)
        clock.read(self)


class ArrayRepeats(Source):
    """Arrays alike."""

    array = Output(np.ndarray)

    items: int = 500
    value: int = 0
    size: int = ARRAY_ITEMS

    def produce(self, split: object) -> Production:
        clock = _Clock()
        for _ in range(self.items):
            yield self.array(np.full(self.size, float(self.value)))
        clock.read(self)


class Relay(ProcessingElement):
    """Hands a number on."""

    number = Input(int)
    same = Output(int)

    def on_number(self, number: int) -> Emissions:
        yield self.same(number)


class KeyedRelay(ProcessingElement):
    """Hands a number of one key on."""

    number = Input(int, by=itself)
    same = Output(int)

    def on_number(self, number: int) -> Emissions:
        yield self.same(number)


class KeyedSink(ProcessingElement):
    """Takes numbers of one key; says what processor time that took."""

    number = Input(int, by=itself)

    def setup(self) -> None:
        self._clock: _Clock | None = None

    def on_number(self, number: int) -> None:
        if self._clock is None:
            self._clock = _Clock()

    def finish(self) -> Emissions:
        if self._clock is not None:
            self._clock.read(self)
        yield from ()


class ArraySink(ProcessingElement):
    """The same for arrays."""

    array = Input(np.ndarray, by=first_of)

    def setup(self) -> None:
        self._clock: _Clock | None = None

    def on_array(self, array: npt.NDArray[Any]) -> None:
        if self._clock is None:
            self._clock = _Clock()

    def finish(self) -> Emissions:
        if self._clock is not None:
            self._clock.read(self)
        yield from ()


# ---- what is predicted ----------------------------------------------------------------------


class Count(Source):
    """0, 1, 2, ..."""

    number = Output(int)

    items: int = 1000

    def produce(self, split: object) -> Production:
        for number in range(self.items):
            yield self.number(number)


class KeyedBurn(ProcessingElement):
    """Heavy work for one key."""

    number = Input(int, by=key_of)
    burnt = Output(int)

    loops: int = HEAVY_LOOPS

    def on_number(self, number: int) -> Emissions:
        yield self.burnt(burn(self.loops, number))


class Burn(ProcessingElement):
    """Work for any item."""

    number = Input(int)
    burnt = Output(int)

    loops: int = LIGHT_LOOPS

    def on_number(self, number: int) -> Emissions:
        yield self.burnt(burn(self.loops, number))


class Arrays(Source):
    """Large arrays."""

    array = Output(np.ndarray)

    items: int = 100
    size: int = ARRAY_ITEMS

    def produce(self, split: object) -> Production:
        for number in range(self.items):
            yield self.array(np.full(self.size, float(number)))


class Crunch(ProcessingElement):
    """Numerical work on arrays."""

    array = Input(np.ndarray)
    total = Output(float)

    def on_array(self, array: Array) -> Emissions:
        yield self.total(crunch(array))


class GatherNumbers(ProcessingElement):
    """Everything comes together."""

    number = Input(float, to="one")

    def on_number(self, number: float) -> None:
        return None


@dataclass(frozen=True)
class Graph:
    """A graph that is predicted, and what its elements cost.

    Parameters
    ----------
    name : str
        As in the report.
    make : callable
        Builds it for a number of source items.
    costs : callable
        Gives the costs of its elements for a plan.
    items : int
        In a measured run; 0 if the graph is only predicted.
    """

    name: str
    make: Callable[[int], Workflow]
    costs: Callable[[Plan], dict[str, ElementCosts]]
    items: int

    def table(self, hops: HopCosts) -> Callable[[Plan], CostTable]:
        """Give the costs of a plan."""
        return lambda plan: CostTable(hops, self.costs(plan))


def heavy_keyed(items: int) -> Workflow:
    """Source, heavy work by key, one that gathers."""
    workflow = Workflow("heavy keyed")
    source = workflow.add(Count(items=items), weight=0.01)
    work = workflow.add(KeyedBurn(), weight=20.0)
    gather = workflow.add(GatherNumbers(), weight=0.01)
    workflow.connect(source.number, work.number)
    workflow.connect(work.burnt, gather.number)
    return workflow


def diamond(items: int) -> Workflow:
    """One branch with little work, one with much."""
    workflow = Workflow("diamond")
    source = workflow.add(Count(items=items), weight=0.01)
    light = workflow.add(Burn(loops=LIGHT_LOOPS), name="light", weight=1.0)
    heavy = workflow.add(Burn(loops=HEAVY_LOOPS), name="heavy", weight=20.0)
    gather = workflow.add(GatherNumbers(), weight=0.02)
    for branch in (light, heavy):
        workflow.connect(source.number, branch.number)
        workflow.connect(branch.burnt, gather.number)
    return workflow


def arrays(items: int) -> Workflow:
    """Large arrays, dealt out to work on each."""
    workflow = Workflow("large arrays")
    source = workflow.add(Arrays(items=items), weight=0.1)
    work = workflow.add(Crunch(), weight=2.0)
    gather = workflow.add(GatherNumbers(), weight=0.01)
    workflow.connect(source.array, work.array)
    workflow.connect(work.total, gather.number)
    return workflow


def exchanges(items: int) -> Workflow:
    """Heavy work by key, twice, with a watermark now and then: all send to all."""
    workflow = Workflow("two exchanges")
    source = workflow.add(Count(items=items), weight=0.01)
    first = workflow.add(KeyedBurn(), name="first", weight=20.0)
    second = workflow.add(KeyedBurn(), name="second", weight=20.0)
    workflow.connect(source.number, first.number)
    workflow.connect(first.burnt, second.number)
    return workflow


def shares_of_keys(instances: int) -> tuple[float, ...]:
    """Give which part of the keys each instance gets."""
    held = [0] * instances
    for key in range(KEYS):
        held[stable_hash(key) % instances] += 1
    return tuple(count / KEYS for count in held)


def graphs(source_s: float) -> list[Graph]:
    """Measure what the elements' own work costs, outside the engine.

    Parameters
    ----------
    source_s : float
        What a source needs for a small item, seconds.
    """
    heavy_s = seconds_of(lambda: burn(HEAVY_LOOPS, 1))
    light_s = seconds_of(lambda: burn(LIGHT_LOOPS, 1))
    array = np.full(ARRAY_ITEMS, 3.0)
    make_s = seconds_of(lambda: np.full(ARRAY_ITEMS, 3.0))
    crunch_s = seconds_of(lambda: crunch(array))
    small = ElementCosts(service_s=source_s)
    return [
        Graph(
            "heavy keyed",
            heavy_keyed,
            lambda plan: {
                "count": small,
                "keyed_burn": ElementCosts(
                    service_s=heavy_s, shares=shares_of_keys(plan.counts["keyed_burn"])
                ),
            },
            2000,
        ),
        Graph(
            "diamond",
            diamond,
            lambda plan: {
                "count": small,
                "light": ElementCosts(service_s=light_s),
                "heavy": ElementCosts(service_s=heavy_s),
            },
            2000,
        ),
        Graph(
            "large arrays",
            arrays,
            lambda plan: {
                "arrays": ElementCosts(service_s=source_s + make_s, nbytes=array.nbytes),
                "crunch": ElementCosts(service_s=crunch_s),
            },
            800,
        ),
        Graph(
            "two exchanges",
            exchanges,
            lambda plan: {
                "count": ElementCosts(service_s=source_s, watermarks=WATERMARKS),
                "first": ElementCosts(service_s=heavy_s),
                "second": ElementCosts(service_s=heavy_s),
            },
            0,
        ),
    ]


def seconds_of(work: Callable[[], object], *, tries: int = 7, least_s: float = 0.05) -> float:
    """Time a call: the least of several rows of calls, seconds of processor time."""
    began, calls = time.process_time(), 0
    while time.process_time() - began < least_s:
        work()
        calls += 1
    found = []
    for _ in range(tries):
        began = time.process_time()
        for _ in range(calls):
            work()
        found.append((time.process_time() - began) / calls)
    return min(found)
