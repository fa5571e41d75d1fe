"""dispel4py's aggregations: B20 to B22, and results that no grouping of the items changes."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake.compat.dispel4py import WorkflowGraph
from flowquake.compat.dispel4py.aggregate import (
    AverageParallelPE,
    AverageReducePE,
    ContinuousReducePE,
    CountPE,
    MaxPE,
    MinPE,
    StdDevPE,
    StdDevReducePE,
    SumPE,
    parallel_avg,
    parallel_count,
    parallel_max,
    parallel_min,
    parallel_std_dev,
    parallel_sum,
)
from flowquake.compat.dispel4py.exact import ExactSum, Moments
from tests.compat.elements import RUNS, Emit, Run, line

AGGREGATES = {
    "sum": (SumPE, parallel_sum),
    "count": (CountPE, parallel_count),
    "min": (MinPE, parallel_min),
    "max": (MaxPE, parallel_max),
    "average": (AverageParallelPE, parallel_avg),
    "deviation": (StdDevPE, parallel_std_dev),
}


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> Run:
    return RUNS[request.param]


def result(run: Run, aggregate: Any, items: list[Any]) -> Any:
    source, graph = Emit([[item] for item in items]), WorkflowGraph()
    graph.connect(source, "output", aggregate, "input")
    ((_, outputs),) = run(graph, {source: len(items)}).items()
    (only,) = outputs["output"]
    return only


@pytest.mark.parametrize(
    ("what", "items", "expected"),
    [
        ("sum", range(1000), [499500]),
        ("count", range(1000), [1000]),
        ("min", range(1000), [0]),
        ("max", range(1000), [999]),
        ("average", range(1000), [499.5, 1000, 499500]),
        ("sum", range(-9, 0), [-45]),
        ("min", range(-9, 0), [-9]),
        ("max", range(-9, 0), [-1]),
        ("sum", (), [0]),
        ("count", (), [0]),
        ("min", (), [None]),
        ("max", (), [None]),
        ("average", (), [None, 0, 0]),
        ("deviation", (), (None, 0, 0, 0)),
        ("deviation", (4.0,), (0.0, 1, 4.0, 16.0)),
    ],
)
@pytest.mark.parametrize("form", [0, 1], ids=["single", "parallel"])
def test_b20_b21_aggregates_are_right_and_given_once(
    run: Run, what: str, items: Any, expected: Any, form: int
) -> None:
    assert result(run, AGGREGATES[what][form](), list(items)) == expected


@pytest.mark.parametrize("form", [StdDevPE, parallel_std_dev])
def test_b21_the_standard_deviation_is_that_of_the_population(run: Run, form: Any) -> None:
    deviation, count, total, squares = result(run, form(), list(range(1000)))
    assert deviation == pytest.approx(288.6749902572095, rel=1e-15)
    assert (count, total, squares) == (1000, 499500, sum(k * k for k in range(1000)))


class RunningSum(ContinuousReducePE):
    def _process(self, data: Any) -> None:
        self.value = [self.value[0] + data[0]]


def test_b22_a_continuous_reduction_gives_one_item_for_each(run: Run) -> None:
    source, reduce = Emit([[k] for k in range(1, 6)]), RunningSum()
    outputs = run(line(source, reduce), {source: 5})
    assert outputs == {reduce.id: {"output": [[1], [3], [6], [10], [15]]}}


def test_several_places_of_an_item(run: Run) -> None:
    items = [[k, -k, 10.0 * k] for k in range(5)]
    for form, expected in (
        (parallel_sum, [100.0, -10]),
        (parallel_max, [40.0, 0]),
        (parallel_min, [0.0, -4]),
    ):
        source, graph = Emit(items), WorkflowGraph()
        graph.connect(source, "output", form([2, 1]), "input")
        ((_, outputs),) = run(graph, {source: 5}).items()
        assert outputs["output"] == [expected]


def test_sums_of_floats_are_equal_on_every_mapping() -> None:
    rng = random.Random(1)
    items = [rng.choice((-1, 1)) * 10 ** rng.uniform(-12, 12) for _ in range(3000)]
    for form in (parallel_sum, parallel_avg, parallel_std_dev):
        given = [result(run, form(), items) for run in RUNS.values()]
        assert all(one == given[0] for one in given)
    assert result(RUNS["sequential"], parallel_sum(), items) == [math.fsum(items)]


def test_the_plain_pair_of_averages_merges_what_instances_give(run: Run) -> None:
    for first, last, place in (
        (AverageParallelPE, AverageReducePE, 0),
        (StdDevPE, StdDevReducePE, 0),
    ):
        source, one, merged = Emit([[k] for k in range(10)]), first(), last()
        one.numprocesses = 3
        ((given,),) = [run(line(source, one, merged), {source: 10})[merged.id]["output"]]
        expected = {AverageReducePE: 4.5, StdDevReducePE: 8.25**0.5}[last]
        assert given[place] == pytest.approx(expected)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), max_size=40))
def test_a_sum_of_floats_is_the_nearest_float_to_the_truth(items: list[float]) -> None:
    whole, parts = ExactSum(), [ExactSum() for _ in range(3)]
    for number, item in enumerate(items):
        whole.add(item)
        parts[number % 3].add(item)
    merged = ExactSum()
    for part in parts:
        merged.add(part)
    truth = sum(map(Fraction, items), Fraction(0))
    assert whole.exact() == merged.exact() == truth


def test_long_sums_are_shortened_without_loss() -> None:
    rng = random.Random(2)
    total, truth = ExactSum(), Fraction(0)
    for _ in range(5000):
        item = rng.choice((-1, 1)) * 10 ** rng.uniform(-30, 30)
        total.add(item)
        truth += Fraction(item)
    assert len(total.floats) < 600
    assert total.exact() == truth


@given(st.lists(st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100), min_size=1))
def test_moments_are_exact(items: list[float]) -> None:
    moments = Moments()
    for item in items:
        moments.add(item)
    assert moments.squares.exact() == sum(Fraction(item) ** 2 for item in items)


@pytest.mark.parametrize(
    ("items", "expected"),
    [([math.inf, 1.0], math.inf), ([1, 2**70, 1.0], 2.0**70), ([Fraction(1, 3)], Fraction(1, 3))],
)
def test_sums_of_what_is_no_plain_number(items: list[Any], expected: Any) -> None:
    total = ExactSum()
    for item in items:
        total.add(item)
    assert total.total() == expected


def test_infinity_and_its_opposite_are_not_a_number() -> None:
    total = ExactSum()
    for _ in range(600):
        total.add(math.inf)
    total.add(-math.inf)
    assert math.isnan(total.total())
