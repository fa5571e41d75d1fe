"""One contract for every mapping: the same graph gives the same answer.

Each graph is run by the sequential mapping first; every other run, with any
number of workers, bounds of the channels and order of deliveries, has to give
equal multisets, equal counts and equal counters.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from flowquake import Composite, ManualClock, RunResult, Workflow, element, run
from flowquake.mapping import Mapping
from flowquake.mappings.multi import Multi
from flowquake.mappings.sequential import Sequential
from flowquake.mappings.simulated import Simulated
from flowquake.ports import BoundOutput
from tests.mappings.elements import (
    Blocks,
    CountByKey,
    Everywhere,
    Gather,
    Identity,
    KeyNoise,
    Noise,
    Numbers,
    Odd,
    Pairs,
    Repeat,
    Sink,
    SumBlock,
    Weigh,
)
from tests.mappings.timed_elements import (
    CountHours,
    Feed,
    Follow,
    FollowAll,
    Patient,
    Strict,
    arrivals,
    rows_of,
)


@dataclass
class Graph:
    workflow: Workflow
    collect: list[BoundOutput[Any]] = field(default_factory=list)  # of every type


@element
def halves(x: int) -> float:
    return x / 2


def by_key() -> Graph:
    w = Workflow("by key")
    numbers, relay, count = Numbers(n=40, parts=2), Identity(), CountByKey()
    w.chain(numbers, relay, count)
    return Graph(w, [count.out])


def gathered() -> Graph:
    w = Workflow("gathered")
    numbers, twice, gather = Numbers(n=30), Repeat(times=3), Gather()
    w.chain(numbers, twice, gather)
    return Graph(w, [gather.out])


def copied_to_all() -> Graph:
    w = Workflow("copied to all")
    numbers = w.add(Numbers(n=12, parts=3))
    everywhere = w.add(Everywhere(), instances=3)
    w.connect(numbers.out, everywhere.x)
    return Graph(w, [everywhere.out])


def side_data() -> Graph:
    w = Workflow("side data")
    numbers, weights, weigh = Numbers(n=20, parts=2), Numbers(n=5), Weigh()
    w.add(weights, name="weights")
    w.connect(numbers.out, weigh.x)
    w.connect(weights.out, weigh.weight)
    return Graph(w, [weigh.out])


def fan_out_and_in() -> Graph:
    w = Workflow("fan-out and fan-in")
    numbers, odd, all_of, pairs, sink = Numbers(n=25), Odd(), Identity(), Pairs(), Sink()
    w.connect(numbers.out, odd.x)
    w.connect(numbers.out, all_of.x)
    w.connect(numbers.out, sink.x)
    w.connect(odd.out, pairs.a)
    w.connect(all_of.out, pairs.b)
    w.connect(all_of.out, pairs.b)
    return Graph(w, [pairs.out, odd.out])


def composites() -> Graph:
    inner = Composite("twice")
    first, second = Repeat(), Identity()
    inner.chain(first, second)
    inner.expose(x=first.x, out=second.out)
    outer = Composite("outer")
    outer.add(inner)
    outer.expose(x=inner.x, out=inner.out)
    w = Workflow("composites")
    numbers, half = Numbers(n=10), halves()
    w.connect(numbers.out, outer.x)
    w.connect(outer.out, half.x)
    return Graph(w, [half.out])


def in_order_of_time() -> Graph:
    w = Workflow("order of time")
    feed = Feed(rows=arrivals(1), parts=3, waits=True)
    relay, follow, hours = Strict(), Follow(), CountHours()
    w.connect(feed.events, follow.events)
    w.connect(feed.events, hours.events)
    w.connect(feed.events, relay.events)
    return Graph(w, [follow.out, hours.out, relay.out])


def two_ports_in_one_order() -> Graph:
    w = Workflow("two ports")
    one = w.add(Feed(rows=arrivals(2), parts=2), name="one")
    two = w.add(Feed(rows=arrivals(3), cut=1), name="two")
    both = w.add(FollowAll())
    w.connect(one.events, both.events)
    w.connect(two.events, both.more)
    return Graph(w, [both.out])


def late_rows() -> Graph:
    w = Workflow("late rows")
    feed = Feed(rows=arrivals(4, disorder=6 * 1000), behind=500)
    patient, strict = Patient(), Strict()
    w.connect(feed.events, patient.events)
    w.connect(feed.events, strict.events)
    return Graph(w, [patient.out, patient.late, strict.out])


def empty() -> Graph:
    w = Workflow("empty")
    numbers, count, gather, relay = Numbers(n=0, parts=2), CountByKey(), Gather(), Identity()
    w.connect(numbers.out, count.x)
    w.connect(numbers.out, relay.x)
    w.connect(relay.out, gather.x)
    return Graph(w, [count.out, gather.out])


def big_items() -> Graph:
    w = Workflow("big items")
    blocks, total, gather = Blocks(n=8, size=4000), SumBlock(), Gather()
    w.chain(blocks, total, gather)
    return Graph(w, [gather.out, total.out])


def random_numbers() -> Graph:
    w = Workflow("random numbers")
    numbers, noise, of_keys = Numbers(n=15, parts=2), Noise(), KeyNoise()
    w.connect(numbers.out, noise.x)
    w.connect(numbers.out, of_keys.x)
    return Graph(w, [noise.out, of_keys.out])


def two_pipelines() -> Graph:
    w = Workflow("two pipelines")
    a, b, one, two = Numbers(n=9), Numbers(n=6, parts=2), Identity(), CountByKey()
    w.add(a, name="a")
    w.add(b, name="b")
    w.connect(a.out, one.x)
    w.connect(b.out, two.x)
    return Graph(w, [one.out, two.out])


def emitting_at_the_end() -> Graph:
    w = Workflow("emitting at the end")
    numbers, count, last = Numbers(n=20, parts=2), Gather(), w.add(repeat_sum())
    w.connect(numbers.out, count.x)
    w.connect(count.out, last.pair)
    return Graph(w, [last.out])


@element
def repeat_sum(pair: tuple[int, int]) -> int:
    return sum(pair)


GRAPHS: list[Callable[[], Graph]] = [
    *(by_key, gathered, copied_to_all, side_data, fan_out_and_in, composites, in_order_of_time),
    *(two_ports_in_one_order, late_rows, empty, big_items, random_numbers, two_pipelines),
    emitting_at_the_end,
]


@dataclass
class Way:
    """One way of running a graph."""

    mapping: Mapping
    workers: int
    text: str
    fuse: bool = True


def _multi(workers: int, fuse: bool) -> Way:
    items = 1 if workers == 3 else None
    mapping = Multi(channel_items=items)
    return Way(mapping, workers, f"multi-{workers}-{'fused' if fuse else 'apart'}-{items}", fuse)


def _simulated(number: int, workers: int, fuse: bool, items: int) -> Way:
    mapping = Simulated(order=number, channel_items=items, channel_bytes=5000, fuse=fuse)
    return Way(mapping, workers, f"simulated-{workers}-{'fused' if fuse else 'apart'}-{items}")


MAPPINGS: list[Way] = [
    Way(Sequential(), 1, "sequential"),
    *(
        _simulated(number, *case)
        for number, case in enumerate(itertools.product((1, 2, 3, 4, 7), (True, False), (1, 1024)))
    ),
    *(_multi(*case) for case in itertools.product((1, 2, 3, 4, 7), (True, False))),
]


def outcome(graph: Graph, result: RunResult) -> dict[str, object]:
    given: dict[str, object] = {repr(out): rows_of(result[out]) for out in graph.collect}
    for name, counts in result.counts.items():
        given[name] = (counts.received, counts.emitted, counts.rejected, counts.counters)
    return given | {"unconnected": result.unconnected, "rejected": result.rejected}


def cuts_do_not_count(given: dict[str, object]) -> dict[str, object]:
    """Leave out what counts batches, which may be cut anywhere."""
    return {name: value for name, value in given.items() if "." in name}


REFERENCE: dict[str, dict[str, object]] = {}


def reference(make: Callable[[], Graph]) -> dict[str, object]:
    if make.__name__ not in REFERENCE:
        graph = make()
        result = run(graph.workflow, collect=graph.collect, seed=3, clock=ManualClock())
        REFERENCE[make.__name__] = outcome(graph, result)
    return REFERENCE[make.__name__]


@pytest.mark.parametrize("way", MAPPINGS, ids=lambda way: way.text)
@pytest.mark.parametrize("make", GRAPHS, ids=lambda make: make.__name__)
def test_the_answer_is_that_of_the_sequential_mapping(make: Callable[[], Graph], way: Way) -> None:
    graph = make()
    result = run(
        graph.workflow,
        mapping=way.mapping,
        workers=way.workers,
        collect=graph.collect,
        seed=3,
        clock=ManualClock(),
        fuse=way.fuse,
    )
    expected, given = reference(make), outcome(graph, result)
    if any("events" in repr(c) for c in graph.workflow.connections):
        expected, given = cuts_do_not_count(expected), cuts_do_not_count(given)
    assert given == expected
    assert any(value for name, value in given.items() if "." in name) or make is empty


@pytest.mark.parametrize("way", MAPPINGS[::3], ids=lambda way: way.text)
@pytest.mark.parametrize("cut", range(4))
@pytest.mark.parametrize("parts", [1, 3])
def test_answers_do_not_depend_on_how_batches_and_watermarks_are_cut(
    way: Way, cut: int, parts: int
) -> None:
    def answer(way: Way, **how: Any) -> list[object]:  # parameters of Feed
        w = Workflow("cut anew")
        feed = Feed(rows=arrivals(5, disorder=1500), **how)
        follow, hours = Follow(), CountHours()
        w.connect(feed.events, follow.events)
        w.connect(feed.events, hours.events)
        outputs: list[BoundOutput[Any]] = [follow.out, hours.out]
        clock = ManualClock()
        result = run(w, mapping=way.mapping, workers=way.workers, collect=outputs, clock=clock)
        return [rows_of(result[output]) for output in outputs]

    assert answer(way, cut=cut, parts=parts, waits=True, idles=parts == 1) == answer(MAPPINGS[0])


@pytest.mark.parametrize("order", range(20))
def test_any_order_of_deliveries_gives_the_same_answer(order: int) -> None:
    for make in (by_key, in_order_of_time, side_data):
        graph = make()
        mapping = Simulated(order=order, channel_items=1 + order % 3, fuse=bool(order % 2))
        result = run(
            graph.workflow,
            mapping=mapping,
            workers=1 + order % 5,
            collect=graph.collect,
            seed=3,
            clock=ManualClock(),
        )
        given = {repr(out): rows_of(result[out]) for out in graph.collect}
        assert given == cuts_do_not_count(reference(make))


def test_a_simulated_run_can_be_replayed_from_its_seed() -> None:
    def items(order: int) -> list[object]:
        graph = by_key()
        way = Simulated(order=order, channel_items=2, fuse=False)
        output = graph.collect[0]
        return run(graph.workflow, mapping=way, workers=3, collect=[output])[output]

    assert items(1) == items(1)
    assert any(items(order) != items(1) for order in range(2, 6))


def test_late_rows_are_given_apart_or_counted_and_none_is_lost() -> None:
    graph = late_rows()
    result = run(graph.workflow, collect=graph.collect)
    out, late, strict = (rows_of(result[output]) for output in graph.collect)
    every = rows_of_feed(graph)
    assert out + late == every
    assert late.total() == result.counts["patient"].counters["late"] > 0
    assert strict.total() + result.counts["strict"].counters["late"] == every.total()


def rows_of_feed(graph: Graph) -> Any:  # a Counter of rows
    feed = graph.workflow.element("feed")
    return rows_of(run(graph.workflow, collect=[feed.events])[feed.events])  # type: ignore[attr-defined]  # it is a Feed
