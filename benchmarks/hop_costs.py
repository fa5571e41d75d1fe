"""What a hop costs on a mapping, from three tiny graphs."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.scaling_graphs import (
    ArrayRepeats,
    ArraySink,
    KeyedRelay,
    KeyedSink,
    Relay,
    Repeats,
)
from flowquake import ConfigError, ProcessingElement, RunResult, Workflow, plan, run
from flowquake.costs import HopCosts
from flowquake.keys import stable_hash
from flowquake.plans import Plan

ITEMS, ARRAYS = 100_000, 400
SHORT, LONG = 1, 9  # elements of a chain
TRIES = 3


@dataclass(frozen=True)
class HopReport:
    """Hop costs, and what else the graphs gave.

    Attributes
    ----------
    hops : HopCosts
        What was fitted.
    source_s : float
        What a source needs for one small item.
    between : bool
        Whether hops between workers could be measured.
    """

    hops: HopCosts
    source_s: float
    between: bool


@dataclass(frozen=True)
class Spent:
    """Processor seconds per item, of the source's process and of the sink's."""

    source: float
    sink: float


def measure_hop_costs(mapping: str, *, items: int = ITEMS, arrays: int = ARRAYS) -> HopReport:
    """Run three tiny graphs and fit the prices of hops.

    A chain on one worker gives the price of a call. A source and two keyed
    sinks on two workers give that of a hop: all items have the key of the sink
    on the source's worker, then that of the other; the same with arrays. A
    source that says a watermark for each item, with four sinks on four
    workers, gives that of a signal.

    Parameters
    ----------
    mapping : str
        Name of a mapping; one that has a single worker gives calls alone.
    items, arrays : int
        How many are sent.
    """
    call_s, source_s = _line(mapping, items, Relay)
    keyed_call_s, _ = _line(mapping, items, KeyedRelay)
    together = _median(lambda: _clocked(_numbers(items, 0), mapping, 1)).source
    known = {"call_s": call_s, "keyed_s": max(0.0, keyed_call_s - call_s)}
    try:
        near = _median(lambda: _clocked(_numbers(items, _key(here=True)), mapping, 2))
    except ConfigError:
        return HopReport(HopCosts(**known), source_s, between=False)
    far = _median(lambda: _clocked(_numbers(items, _key(here=False)), mapping, 2))
    known["local_s"] = max(0.0, near.source - together)
    # The sink gives nothing, so its call is cheaper than one of the chain's.
    sink_s = max(0.0, together - source_s)
    send_s, receive_s = _sides(mapping, far, source_s, sink_s)
    known |= {"send_s": send_s, "receive_s": receive_s}

    nbytes = ArrayRepeats().size * 8
    made_s = _median(lambda: _clocked(_arrays(arrays, 0), mapping, 1)).source - sink_s
    moved = _median(lambda: _clocked(_arrays(arrays, _key(here=False)), mapping, 2))
    send_s, receive_s = _sides(mapping, moved, made_s, sink_s)
    known["send_byte_s"] = max(0.0, send_s - known["send_s"]) / nbytes
    known["receive_byte_s"] = max(0.0, receive_s - known["receive_s"]) / nbytes
    known["tell_s"], known["hear_s"] = _signal(mapping, items // 10)
    return HopReport(HopCosts(**known), source_s, between=True)


def _sides(mapping: str, spent: Spent, source_s: float, call_s: float) -> tuple[float, float]:
    """Split what a hop costs into what the sender and what the receiver pays."""
    if mapping == "simulated":  # both sides are one process
        both = max(0.0, spent.source - source_s - call_s)
        return both / 2, both / 2
    return max(0.0, spent.source - source_s), max(0.0, spent.sink - call_s)


def _line(mapping: str, items: int, make: Callable[[], ProcessingElement]) -> tuple[float, float]:
    """Give what an element of a chain costs for an item, and what the chain costs without any."""
    short, long = (
        _median(lambda n=length: _clocked(_chain(items, n, make), mapping, 1)).source  # type: ignore[misc]  # binds the loop's value
        for length in (SHORT, LONG)
    )
    each = max(0.0, (long - short) / (LONG - SHORT))
    return each, max(0.0, short - SHORT * each)


def _signal(mapping: str, items: int) -> tuple[float, float]:
    """Give what a watermark costs on one queue: for the sender, and for the receiver."""
    queues = 4
    rare, often = (
        _median(lambda n=every: _clocked(_numbers(items, 0, watermark_every=n), mapping, queues))  # type: ignore[misc]  # binds the loop's value
        for every in (0, 1)
    )
    told, heard = max(0.0, often.source - rare.source), max(0.0, often.sink - rare.sink)
    if mapping == "simulated":  # all queues and both of their ends are one process
        return told / queues / 2, told / queues / 2
    return told / queues, heard


def _chain(items: int, length: int, make: Callable[[], ProcessingElement]) -> Workflow:
    workflow = Workflow("calls")
    parts: list[ProcessingElement] = [workflow.add(Repeats(items=items))]
    parts += [workflow.add(make(), name=f"relay_{number}") for number in range(length)]
    workflow.chain(*parts)
    return workflow


def _numbers(items: int, value: int, *, watermark_every: int = 0) -> Workflow:
    workflow = Workflow("hops")
    source = Repeats(items=items, value=value, watermark_every=watermark_every)
    workflow.chain(source, KeyedSink())
    return workflow


def _arrays(items: int, value: int) -> Workflow:
    workflow = Workflow("array hops")
    workflow.chain(ArrayRepeats(items=items, value=value), ArraySink())
    return workflow


def _key(*, here: bool) -> int:
    """Give a key whose items stay on the source's worker, or leave it."""
    laid_out = plan(_numbers(1, 0), 2)
    home = _worker_of(laid_out, "repeats", 0)
    return next(
        key
        for key in range(1000)
        if (_worker_of(laid_out, "keyed_sink", stable_hash(key) % 2) == home) is here
    )


def _worker_of(laid_out: Plan, name: str, index: int) -> int:
    return next(
        unit.worker
        for unit in laid_out.units
        for instance in unit.instances
        if (instance.element, instance.index) == (name, index)
    )


def _clocked(workflow: Workflow, mapping: str, workers: int) -> Spent:
    result = run(workflow, mapping=mapping, workers=workers)
    names = list(workflow)
    return Spent(_per_item(result, names[0]), _per_item(result, names[-1]))


def _per_item(result: RunResult, name: str) -> float:
    counts = result.counts[name]
    items = counts.received or sum(counts.emitted.values())
    return counts.counters.get("cpu_us", 0) * 1e-6 / max(1, items)


def _median(measure: Callable[[], Spent]) -> Spent:
    found = [measure() for _ in range(TRIES)]
    return Spent(
        statistics.median(s.source for s in found), statistics.median(s.sink for s in found)
    )
