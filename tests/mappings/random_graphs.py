"""Graphs drawn at random, for every mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from flowquake import (
    Emissions,
    Input,
    ManualClock,
    Output,
    ProcessingElement,
    State,
    Workflow,
    run,
)
from flowquake.mapping import Mapping
from flowquake.ports import BoundInput, BoundOutput
from flowquake.records import EventBatch
from tests.mappings.elements import Identity, Numbers, Odd, Repeat, parity
from tests.mappings.timed_elements import (
    HOUR,
    CountHours,
    Feed,
    Follow,
    FollowAll,
    Patient,
    Strict,
    arrivals,
    rows_of,
)

T = TypeVar("T")


@dataclass
class Sum:
    amount: int = 0
    version: int = 1


class KeyEcho(ProcessingElement):
    x = Input(int, by=parity)
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        assert self.key == parity(x)
        yield self.out(x)


class OneEcho(ProcessingElement):
    x = Input(int, to="one")
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        yield self.out(x)


class AllEcho(ProcessingElement):
    x = Input(int, to="all")
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        yield self.out(x)


class KeySum(ProcessingElement):
    x = Input(int, by=parity, order="any")
    out = Output(int)
    state = State(Sum)

    def on_x(self, x: int) -> None:
        self.state.amount += x

    def finish(self) -> Emissions:
        yield self.out(self.state.amount)


class Total(ProcessingElement):
    x = Input(int, order="any")
    out = Output(int)
    state = State(Sum)

    def on_x(self, x: int) -> None:
        self.state.amount += x

    def finish(self) -> Emissions:
        yield self.out(self.state.amount)
        yield self.out(-self.state.amount)


class Pass(ProcessingElement):
    """Batches as they come, by any instance."""

    events = Input(EventBatch)
    out = Output(EventBatch)

    def on_events(self, batch: EventBatch) -> Emissions:
        yield self.out(batch)


class PassKeys(Pass):
    """Batches as they come, by the instance of their key."""

    events = Input(EventBatch, by="source")


class Numbered(Strict):
    """Rows in order of time, numbered in that order."""

    numbered = Output(tuple)
    state = State(Sum)

    def on_events(self, batch: EventBatch) -> Emissions:
        for time in batch.time.tolist():
            self.state.amount += 1
            yield self.numbered((self.state.amount, time))
        yield self.out(batch)


OF_NUMBERS = (Identity, Odd, Repeat, KeyEcho, OneEcho, AllEcho, KeySum, Total)
OF_BATCHES = (Pass, PassKeys, Strict, Patient, Numbered, Follow, FollowAll, CountHours)
KINDS: dict[str, type[ProcessingElement]] = {
    kind.__name__: kind for kind in (*OF_NUMBERS, *OF_BATCHES)
}
GIVING_BATCHES = ("Pass", "PassKeys", "Strict", "Patient", "Numbered")
DAY = 20 * HOUR  # all that `arrivals` gives is earlier
ONE_INSTANCE = ("OneEcho", "Total", "Strict", "Numbered", "FollowAll")


@dataclass(frozen=True)
class Node:
    kind: str
    instances: int | None
    upstream: tuple[int, ...]


@dataclass(frozen=True)
class Origin:
    """A source: of numbers, or (with a seed) of rows in some disorder.

    One that is idle now and then may be overtaken by others, so its rows are later
    than all of theirs.
    """

    items: int
    parts: int
    seed: int | None = None
    idles: bool = False


@dataclass(frozen=True)
class Drawn:
    """Sources, then nodes, each after those it takes from."""

    sources: tuple[Origin, ...]
    nodes: tuple[Node, ...]

    def build(self) -> tuple[Workflow, list[BoundOutput[Any]]]:
        """Make the workflow; give its outputs, those of sources and nodes in turn first."""
        workflow = Workflow("drawn")
        outputs: list[BoundOutput[Any]] = []
        more: list[BoundOutput[Any]] = []
        for number, origin in enumerate(self.sources):
            outputs.append(_source(workflow, origin, number))
        for number, node in enumerate(self.nodes):
            part = workflow.add(
                KINDS[node.kind](), name=f"{node.kind.lower()}_{number}", instances=node.instances
            )
            for turn, place in enumerate(node.upstream):
                workflow.connect(outputs[place], _input(part, turn))
            if node.kind == "FollowAll" and len(node.upstream) == 1:
                workflow.connect(outputs[node.upstream[0]], _input(part, 1))
            outputs.append(getattr(part, "out"))  # noqa: B009 - every kind has it
            if isinstance(part, Numbered):
                more.append(part.numbered)
        return workflow, outputs + more


def _source(workflow: Workflow, origin: Origin, number: int) -> BoundOutput[Any]:
    name = f"source_{number}"
    if origin.seed is None:
        return workflow.add(Numbers(n=origin.items, parts=origin.parts), name=name).out
    rows = arrivals(origin.seed, n=origin.items, disorder=4000 * (origin.seed % 2))
    end = DAY
    if origin.idles:
        rows, end = [(time + DAY, key, place) for time, key, place in rows], 2 * DAY
    feed = Feed(
        rows=rows,
        cut=origin.seed,
        parts=origin.parts,
        waits=origin.seed % 3 == 0,
        idles=origin.idles,
        end=end,
    )
    return workflow.add(feed, name=name).events


def _input(part: ProcessingElement, turn: int) -> BoundInput[Any]:
    ports = list(part._declaration.inputs)
    port: BoundInput[Any] = getattr(part, ports[turn % len(ports)])
    return port


# Made once: what is made while a graph is drawn costs more than running it.
_ITEMS, _PARTS, _SEED = st.integers(0, 6), st.integers(1, 3), st.integers(-25, 50)
_SOURCES, _NODES, _INSTANCES = st.integers(1, 2), st.integers(1, 7), st.integers(0, 3)
_UPSTREAM, _CHOICE, _PLACE = st.integers(1, 2), st.booleans(), st.integers(0, 23)


@st.composite
def graphs(draw: st.DrawFn) -> Drawn:
    def chosen(known: Sequence[T]) -> T:
        return known[draw(_PLACE) % len(known)]

    sources = []
    for _ in range(draw(_SOURCES)):
        number = draw(_SEED)
        sources.append(Origin(draw(_ITEMS), draw(_PARTS), number if number >= 0 else None))
    if sources[-1].seed is not None and draw(_CHOICE):
        sources[-1] = replace(sources[-1], parts=1, idles=True)
    # Whether a place gives numbers or batches; nothing takes the tuples of the rest.
    numbers = [place for place, origin in enumerate(sources) if origin.seed is None]
    batches = [place for place, origin in enumerate(sources) if origin.seed is not None]
    nodes: list[Node] = []
    for place in range(len(sources), len(sources) + draw(_NODES)):
        takes_numbers = not batches or (bool(numbers) and draw(_CHOICE))
        kind = chosen(OF_NUMBERS if takes_numbers else OF_BATCHES).__name__
        instances = None if kind in ONE_INSTANCE else draw(_INSTANCES) or None
        known = numbers if takes_numbers else batches
        upstream = dict.fromkeys(chosen(known) for _ in range(draw(_UPSTREAM)))
        nodes.append(Node(kind, instances, tuple(upstream)))
        if takes_numbers:
            numbers.append(place)
        elif kind in GIVING_BATCHES:
            batches.append(place)
    return Drawn(tuple(sources), tuple(nodes))


def draw_graphs(number: int, chosen_seed: int) -> list[Drawn]:
    """Draw so many graphs; the same ones from the same seed."""
    found: list[Drawn] = []

    @seed(chosen_seed)
    @settings(
        max_examples=number,
        phases=[Phase.generate],
        database=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(graphs())
    def take(drawn: Drawn) -> None:
        found.append(drawn)

    take()
    return found


def answer(
    drawn: Drawn, mapping: Mapping, *, workers: int | None = None, fuse: bool = True
) -> dict[str, object]:
    """Run a drawn graph; give all that has to be the same on every mapping."""
    workflow, outputs = drawn.build()
    result = run(
        workflow,
        mapping=mapping,
        workers=workers,
        collect=outputs,
        fuse=fuse,
        clock=ManualClock(),
    )
    if result.interrupted:
        return {}
    given: dict[str, object] = {
        f"{workflow.name_of(out.element)}.{out.port.name}": rows_of(result[out]) for out in outputs
    }
    for name, counts in result.counts.items():
        assert not counts.counters.get("late"), f"{name} has late rows: {counts.counters}"
        if "events" not in workflow.element(name)._declaration.inputs:
            given[name] = (counts.received, "events" in counts.emitted or counts.emitted)
    return given
