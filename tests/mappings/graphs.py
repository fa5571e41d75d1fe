"""Graphs that every mapping has to run with the same outcome."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from flowquake import Composite, FlowquakeError, ManualClock, RunResult, Workflow, element, run
from flowquake.mapping import Mapping
from flowquake.planning import plan
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
from tests.mappings.item_elements import Logs
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
    on_error: str = "stop"

    @property
    def is_cut(self) -> bool:
        """Whether batches pass through it, which may be cut anywhere."""
        return any("events" in repr(connection) for connection in self.workflow.connections)


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


def outcome_of(
    make: Callable[[], Graph], mapping: Mapping, *, workers: int | None = None, fuse: bool = True
) -> dict[str, object]:
    """Run a graph, and give all that has to be the same on every mapping."""
    graph = make()
    result = run(
        graph.workflow,
        mapping=mapping,
        workers=workers,
        collect=graph.collect,
        seed=3,
        on_error=graph.on_error,
        clock=ManualClock(),
        fuse=fuse,
    )
    return outcome(graph, result)


def outcome(graph: Graph, result: RunResult) -> dict[str, object]:
    given: dict[str, object] = {repr(out): rows_of(result[out]) for out in graph.collect}
    if graph.is_cut:  # counts are those of batches
        return given
    for name, counts in result.counts.items():
        given[name] = (counts.received, counts.emitted, counts.rejected, counts.counters)
    aside = [{k: v for k, v in entry.items() if k != "instance"} for entry in result.rejections]
    rejections = sorted(json.dumps(entry, sort_keys=True) for entry in aside)
    return given | {"unconnected": result.unconnected, "rejections": rejections}


def failure_of(
    make: Callable[[], Graph], mapping: Mapping, *, workers: int | None = None, fuse: bool = True
) -> tuple[str, str, int]:
    """Run a graph that fails; give its error."""
    try:
        outcome_of(make, mapping, workers=workers, fuse=fuse)
    except FlowquakeError as error:
        text = re.sub(r"\n  Where: worker \d+\n", "\n", str(error))
        return type(error).__name__, text, error.exit_code
    raise AssertionError("the graph did not fail")


def places_of(
    mapping: Mapping, *, workers: int | None = None, fuse: bool = True
) -> Counter[tuple[object, ...]]:
    """Run an element that logs; give what its records say, and whether the worker is right."""
    found: Counter[tuple[object, ...]] = Counter()

    class Take(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            has = vars(record)
            if "number" in has:
                pe, instance, worker = has.get("pe"), has.get("instance"), has.get("worker")
                found[has["number"], pe, instance, owner.get((pe, instance)) == worker] += 1

    w = Workflow("log records")
    numbers, relay, logs = Numbers(n=12, parts=2), Identity(), Logs()
    w.add(logs, name="wordy", instances=2)
    w.chain(numbers, relay, logs)
    laid_out = plan(w, mapping.workers(workers), fuse=fuse)
    owner: dict[tuple[Any, Any], int] = {
        (i.element, i.index): unit.worker for unit in laid_out.units for i in unit.instances
    }
    handler, root = Take(), logging.getLogger()
    root.addHandler(handler)
    try:
        run(w, mapping=mapping, workers=workers, fuse=fuse)
    finally:
        root.removeHandler(handler)
    return found


def recut(
    mapping: Mapping, *, workers: int | None = None, fuse: bool = True, **how: Any
) -> list[Counter[Hashable]]:  # parameters of Feed
    """Run one feed whose batches and watermarks are cut in a given way."""
    w = Workflow("cut anew")
    feed = Feed(rows=arrivals(5, disorder=1500), **how)
    follow, hours = Follow(), CountHours()
    w.connect(feed.events, follow.events)
    w.connect(feed.events, hours.events)
    outputs: list[BoundOutput[Any]] = [follow.out, hours.out]
    clock = ManualClock()
    result = run(w, mapping=mapping, workers=workers, fuse=fuse, collect=outputs, clock=clock)
    return [rows_of(result[output]) for output in outputs]


CUTS: list[dict[str, Any]] = [
    {"cut": cut, "parts": parts, "waits": True, "idles": parts == 1}
    for cut in range(4)
    for parts in (1, 3)
]
