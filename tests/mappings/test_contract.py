"""One contract for every mapping: the same graph gives the same answer.

Each graph is run by the sequential mapping first; every other run, with any
number of workers, bounds of the channels and order of deliveries, has to give
equal multisets, equal counts, equal counters and equal rejections.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

import pytest

from flowquake import ManualClock, Workflow, run
from flowquake.mappings.multi import Multi
from flowquake.mappings.sequential import Sequential
from flowquake.mappings.simulated import Simulated
from tests.mappings.graphs import (
    CUTS,
    GRAPHS,
    Graph,
    by_key,
    empty,
    failure_of,
    in_order_of_time,
    late_rows,
    outcome_of,
    places_of,
    recut,
    side_data,
)
from tests.mappings.item_graphs import (
    FAILING_GRAPHS,
    HEAVY_GRAPHS,
    ITEM_GRAPHS,
    buffer_in_records,
    nested_arrays,
)
from tests.mappings.mpi_session import Session
from tests.mappings.random_graphs import Pass
from tests.mappings.timed_elements import Feed, Follow, arrivals, rows_of
from tests.mappings.ways import EVERY, HERE, MPI_WAYS, ONCE, Way, as_parameters

Make = Callable[[], Graph]
Sessions = Callable[[int], Session]


@functools.cache
def reference(make: Make) -> dict[str, object]:
    return outcome_of(make, Sequential())


@pytest.mark.parametrize("way", EVERY)
@pytest.mark.parametrize("make", [*GRAPHS, *ITEM_GRAPHS], ids=lambda make: make.__name__)
def test_the_answer_is_that_of_the_sequential_mapping(
    make: Make, way: Way, mpi_session: Sessions
) -> None:
    if way.ranks:
        given = mpi_session(way.ranks).answer(f"{way.text} {make.__name__}")
    else:
        given = outcome_of(make, way.mapping, workers=way.workers, fuse=way.fuse)
    assert given == reference(make)
    assert any(value for name, value in given.items() if "." in name) or make is empty


@pytest.mark.parametrize("way", ONCE)
@pytest.mark.parametrize("make", HEAVY_GRAPHS, ids=lambda make: make.__name__)
def test_what_is_large_is_the_same_too(make: Make, way: Way, mpi_session: Sessions) -> None:
    test_the_answer_is_that_of_the_sequential_mapping(make, way, mpi_session)


@pytest.mark.parametrize("way", EVERY)
@pytest.mark.parametrize("make", FAILING_GRAPHS, ids=lambda make: make.__name__)
def test_the_error_is_that_of_the_sequential_mapping(
    make: Make, way: Way, mpi_session: Sessions
) -> None:
    if way.ranks:
        given = mpi_session(way.ranks).answer(f"{way.text} {make.__name__}")
    else:
        given = failure_of(make, way.mapping, workers=way.workers, fuse=way.fuse)
    assert given == failure_of(make, Sequential())


@pytest.mark.parametrize("make", [by_key, nested_arrays, buffer_in_records])
def test_workers_that_are_spawned_give_the_same_answer(make: Make) -> None:
    given = outcome_of(make, Multi(start="spawn"), workers=2, fuse=False)
    assert given == reference(make)


@pytest.mark.parametrize("way", EVERY)
def test_log_records_say_where_they_come_from(way: Way, mpi_session: Sessions) -> None:
    if way.ranks:
        places = mpi_session(way.ranks).answer(f"{way.text} places")
    else:
        places = places_of(way.mapping, workers=way.workers, fuse=way.fuse)
    assert places.total() == 12
    assert {place[0] for place in places} == set(range(1, 13))
    assert {place[1] for place in places} == {"wordy"}
    assert {place[2] for place in places} == {0, 1}
    assert all(is_right for *_, is_right in places), places


@functools.cache
def uncut() -> list[Counter[Hashable]]:
    return recut(Sequential())


@pytest.mark.parametrize("way", as_parameters([*HERE[::3], *MPI_WAYS]))
@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: f"{cut['cut']}-{cut['parts']}")
def test_answers_do_not_depend_on_how_batches_and_watermarks_are_cut(
    way: Way, cut: dict[str, Any], mpi_session: Sessions
) -> None:
    if way.ranks:
        given = mpi_session(way.ranks).answer(f"{way.text} {cut}")
    else:
        given = recut(way.mapping, workers=way.workers, fuse=way.fuse, **cut)
    assert given == uncut()


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
        assert given == {name: value for name, value in reference(make).items() if name in given}


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


def test_no_row_is_late_after_a_pause_behind_several_relays() -> None:
    for order in range(200):
        w = Workflow("pauses")
        feed, relay, follow = Feed(rows=arrivals(5, n=40), cut=order, idles=True), Pass(), Follow()
        w.add(relay, instances=3)
        w.connect(feed.events, relay.events)
        w.connect(relay.out, follow.events)
        mapping = Simulated(order=order, channel_items=2)
        result = run(w, mapping=mapping, workers=3, clock=ManualClock())
        assert result.counts["follow"].counters == {}
