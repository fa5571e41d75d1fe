"""Random graphs on random transports end, and give the sequential answer.

A failing example prints what was drawn and can be replayed from it. ``make
soak`` and ``FLOWQUAKE_GRAPHS=5000 pytest ...`` draw more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import given, settings
from hypothesis import strategies as st

from flowquake import Emissions, Input, Output, ProcessingElement, State, Workflow, run
from flowquake.mapping import Mapping
from flowquake.mappings.simulated import Simulated
from flowquake.ports import BoundInput, BoundOutput
from tests.mappings.elements import Identity, Numbers, Odd, Repeat, parity
from tests.mappings.timed_elements import rows_of

EXAMPLES = int(os.environ.get("FLOWQUAKE_GRAPHS", "200"))


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


KINDS: dict[str, type[ProcessingElement]] = {
    kind.__name__: kind
    for kind in (Identity, Odd, Repeat, KeyEcho, OneEcho, AllEcho, KeySum, Total)
}


@dataclass(frozen=True)
class Node:
    kind: str
    instances: int | None
    upstream: tuple[int, ...]


@dataclass(frozen=True)
class Drawn:
    """A graph: sources as (items, splits), then nodes, each after those it takes from."""

    sources: tuple[tuple[int, int], ...]
    nodes: tuple[Node, ...]

    def build(self) -> tuple[Workflow, list[BoundOutput[Any]]]:
        workflow = Workflow("drawn")
        outputs: list[BoundOutput[Any]] = []
        for number, (items, parts) in enumerate(self.sources):
            source = workflow.add(Numbers(n=items, parts=parts), name=f"source_{number}")
            outputs.append(source.out)
        for number, node in enumerate(self.nodes):
            part = workflow.add(
                KINDS[node.kind](), name=f"{node.kind.lower()}_{number}", instances=node.instances
            )
            target: BoundInput[int] = getattr(part, "x")  # noqa: B009 - every kind has it
            for place in node.upstream:
                workflow.connect(outputs[place], target)
            outputs.append(getattr(part, "out"))  # noqa: B009 - every kind has it
        return workflow, outputs


@st.composite
def graphs(draw: st.DrawFn) -> Drawn:
    sources = draw(
        st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3)), min_size=1, max_size=2)
    )
    nodes = []
    for number in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from(sorted(KINDS)))
        free = kind not in ("OneEcho", "Total")
        instances = draw(st.none() | st.integers(1, 3)) if free else None
        places = st.integers(0, len(sources) + number - 1)
        upstream = draw(st.lists(places, min_size=1, max_size=2, unique=True))
        nodes.append(Node(kind, instances, tuple(upstream)))
    return Drawn(tuple(sources), tuple(nodes))


def answer(drawn: Drawn, mapping: Mapping | str, workers: int) -> dict[str, object]:
    workflow, outputs = drawn.build()
    result = run(workflow, mapping=mapping, workers=workers, collect=outputs)
    given: dict[str, object] = {
        f"{workflow.name_of(output.element)}.out": rows_of(result[output]) for output in outputs
    }
    for name, counts in result.counts.items():
        given[name] = (counts.received, counts.emitted)
    return given


@settings(max_examples=EXAMPLES)
@given(
    drawn=graphs(),
    workers=st.integers(1, 5),
    fuse=st.booleans(),
    channel_items=st.sampled_from([1, 2, 1024]),
    order=st.integers(0, 2**16),
)
def test_a_random_graph_ends_with_the_sequential_answer(
    drawn: Drawn, workers: int, fuse: bool, channel_items: int, order: int
) -> None:
    mapping = Simulated(order=order, channel_items=channel_items, fuse=fuse)
    expected = answer(drawn, "sequential", 1)
    given = answer(drawn, mapping, workers)
    hypothesis.note(f"sequential: {expected}")
    if any(node.kind == "AllEcho" and node.instances is None for node in drawn.nodes):
        hypothesis.event("a copy to all without instances=")
    assert given == expected
