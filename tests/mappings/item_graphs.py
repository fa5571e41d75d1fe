"""Graphs about items of every kind, counts and rejections, for every mapping."""

from __future__ import annotations

from collections.abc import Callable

from flowquake import Workflow
from tests.mappings.elements import Blocks, CountByKey, Gather, Identity, Numbers, Single
from tests.mappings.graphs import Graph
from tests.mappings.item_elements import (
    MB,
    Changing,
    Checksum,
    Fragile,
    FragileBlocks,
    FragileKeys,
    Freeze,
    Halves,
    Heavy,
    Hoard,
    Keeps,
    Nested,
    Range,
    Refills,
    RefillsBare,
    SecondTry,
    Spoils,
    Words,
)


def changed_after_they_were_emitted() -> Graph:
    w = Workflow("changed afterwards")
    small, large = w.add(Changing(), name="small"), w.add(Changing(size=9000, n=4), name="large")
    freeze, keeps = Freeze(), Keeps()
    for source in (small, large):
        w.connect(source.out, freeze.x)
        w.connect(source.out, keeps.x)
    return Graph(w, [freeze.out, keeps.out, small.out])


def changed_by_a_receiver() -> Graph:
    w = Workflow("changed by a receiver")
    source, spoils, freeze, after = Changing(), Spoils(), Freeze(), Freeze()
    w.add(spoils)
    w.add(after, name="after")
    w.connect(source.out, spoils.x)
    w.connect(source.out, freeze.x)
    w.connect(spoils.out, after.x)
    return Graph(w, [freeze.out, after.out])


def buffer_in_records() -> Graph:
    w = Workflow("buffer in records")
    small, large, spread = w.add(Refills(), name="small"), w.add(Refills(size=9000)), Range()
    w.connect(small.out, spread.x)
    w.connect(large.out, spread.x)
    return Graph(w, [spread.out])


def nested_arrays() -> Graph:
    w = Workflow("nested arrays")
    source, relay, freeze = Nested(), Freeze(), Freeze()
    w.add(relay, name="relay")
    w.chain(source, relay, freeze)
    return Graph(w, [relay.out, freeze.out, source.out])


def texts() -> Graph:
    w = Workflow("texts")
    words, freeze = Words(), Freeze()
    w.chain(words, freeze)
    return Graph(w, [freeze.out])


def more_instances_than_workers() -> Graph:
    w = Workflow("many instances")
    numbers, relay, count, gather = Numbers(n=60, parts=8), Identity(), CountByKey(), Gather()
    w.add(relay, instances=9)
    w.add(count, instances=11)
    w.connect(numbers.out, relay.x)
    w.connect(relay.out, count.x)
    w.connect(relay.out, gather.x)
    return Graph(w, [count.out, gather.out])


def counted_and_unconnected() -> Graph:
    w = Workflow("counted")
    numbers, halves, relay, last = Numbers(n=33, parts=3), Halves(), Identity(), Identity()
    w.add(relay, name="relay")
    w.connect(numbers.out, halves.x)
    w.connect(halves.even, relay.x)
    w.connect(relay.out, last.x)
    return Graph(w, [relay.out])


def skipped() -> Graph:
    w = Workflow("skipped")
    numbers, fragile, keys = Numbers(n=40, parts=2), Fragile(), FragileKeys()
    w.connect(numbers.out, fragile.x)
    w.connect(numbers.out, keys.x)
    return Graph(w, [fragile.out, keys.out], on_error="skip")


def tried_again() -> Graph:
    w = Workflow("tried again")
    numbers, second = Numbers(n=20, parts=2), SecondTry()
    w.chain(numbers, second)
    return Graph(w, [second.out], on_error="retry:1")


ITEM_GRAPHS: list[Callable[[], Graph]] = [
    *(changed_after_they_were_emitted, changed_by_a_receiver, buffer_in_records, nested_arrays),
    *(texts, more_instances_than_workers, counted_and_unconnected, skipped, tried_again),
]


def hundred_megabytes() -> Graph:
    w = Workflow("a hundred megabytes")
    heavy, checksum = Heavy(), Checksum()
    w.chain(heavy, checksum)
    return Graph(w, [checksum.out])


def hoarded() -> Graph:
    w = Workflow("hoarded")
    blocks, hoard = Blocks(n=500, size=MB // 8), Hoard()
    w.connect(blocks.out, hoard.x)
    return Graph(w, [hoard.out])


def hundred_thousand() -> Graph:
    w = Workflow("a hundred thousand")
    numbers, relay = Numbers(n=100_000, parts=2), Identity()
    w.chain(numbers, relay)
    return Graph(w, [relay.out, numbers.out])


# Once for each mapping, not for each number of workers.
HEAVY_GRAPHS: list[Callable[[], Graph]] = [hundred_megabytes, hoarded, hundred_thousand]


def failing() -> Graph:
    w = Workflow("failing")
    w.chain(Single(n=9), w.add(Identity(), instances=1), w.add(Fragile(), instances=1))
    return Graph(w)


def failing_in_a_source() -> Graph:
    w = Workflow("failing in a source")
    w.chain(RefillsBare(), Hoard())
    return Graph(w)


def failing_without_a_key() -> Graph:
    w = Workflow("failing without a key")
    w.chain(Single(n=20), FragileKeys(every=100))
    return Graph(w)


def failing_always() -> Graph:
    w = Workflow("failing always")
    w.chain(Single(n=20), w.add(Fragile(), instances=1))
    return Graph(w, on_error="retry:2")


def failing_under_load() -> Graph:
    w = Workflow("failing under load")
    blocks, fragile, hoard = Blocks(n=60, size=40_000), FragileBlocks(), Hoard()
    w.add(fragile, instances=1)
    w.connect(blocks.out, fragile.block)
    w.connect(blocks.out, hoard.x)
    w.connect(fragile.out, hoard.x)
    return Graph(w, [fragile.out])


FAILING_GRAPHS: list[Callable[[], Graph]] = [
    *(failing, failing_in_a_source, failing_without_a_key, failing_always, failing_under_load),
]
