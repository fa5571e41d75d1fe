"""The cost model, against sums done by hand."""

from __future__ import annotations

import pytest

from flowquake import Emissions, Input, Output, ProcessingElement, Workflow, plan
from flowquake.costs import CostTable, ElementCosts, HopCosts, predict
from flowquake.planning import Plan
from flowquake.scaling import find_bend, scale
from tests.mappings.elements import Everywhere, Gather, Identity, Numbers, Odd, Single

HOPS = HopCosts(call_s=1.0, keyed_s=0.5, local_s=2.0, send_s=3.0, receive_s=4.0, send_byte_s=0.1)


class Keyed(ProcessingElement):
    x = Input(int, by=abs)
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        yield self.out(x)


def keyed(instances: int | None = None) -> Workflow:
    workflow = Workflow("keyed")
    workflow.connect(workflow.add(Single()).out, workflow.add(Keyed(), instances=instances).x)
    return workflow


def worker_of(given: Plan, name: str, index: int = 0) -> int:
    return next(
        unit.worker
        for unit in given.units
        if any((i.element, i.index) == (name, index) for i in unit.instances)
    )


def test_one_worker_pays_work_and_calls() -> None:
    workflow = keyed()
    costs = CostTable(
        HOPS, {"single": ElementCosts(service_s=10), "keyed": ElementCosts(service_s=5)}
    )
    found = predict(plan(workflow), workflow, costs)
    assert found.workers == (10 + 5 + 1.5,)
    assert found.elements == {"single": 10, "keyed": 6.5}
    assert found.throughput == pytest.approx(1 / 16.5)
    assert (found.bottleneck, found.bound) == ("single", "source")


def test_hops_are_paid_by_those_who_make_them() -> None:
    workflow = keyed()
    given = plan(workflow, 2)
    near, far = (worker_of(given, "single") == worker_of(given, "keyed", i) for i in range(2))
    assert {near, far} == {True, False}
    costs = CostTable(HOPS, {"single": ElementCosts(service_s=10, nbytes=20)})
    found = predict(given, workflow, costs)
    here = worker_of(given, "single")
    # Half of the items stay: a local hop; half leave: sent here, received there.
    assert found.workers[here] == pytest.approx(10 + 0.5 * (1.5 + 2) + 0.5 * (3 + 20 * 0.1))
    assert found.workers[1 - here] == pytest.approx(0.5 * (1.5 + 4))
    assert found.total == pytest.approx(sum(found.elements.values()))


def test_the_shares_of_instances_count() -> None:
    workflow = keyed()
    given = plan(workflow, 2)
    there = next(i for i in range(2) if worker_of(given, "keyed", i) != worker_of(given, "single"))
    shares = [1.0, 0.0] if there == 0 else [0.0, 1.0]
    costs = CostTable(HOPS, {"keyed": ElementCosts(service_s=6, shares=shares)})
    found = predict(given, workflow, costs)
    assert found.workers[worker_of(given, "single")] == pytest.approx(3 + 8 * 0.1)
    assert found.workers[worker_of(given, "keyed", there)] == pytest.approx(6 + 1.5 + 4)
    assert (found.bottleneck, found.bound) == ("keyed", "work")


def test_copies_to_all_are_paid_by_each() -> None:
    workflow = Workflow("copies")
    everywhere = workflow.add(Everywhere(), instances=3)
    workflow.connect(workflow.add(Single()).out, everywhere.x)
    costs = CostTable(HopCosts(), {"everywhere": ElementCosts(service_s=2)})
    for workers in (1, 2, 4):
        found = predict(plan(workflow, workers), workflow, costs)
        assert found.elements["everywhere"] == pytest.approx(6)
    assert found.throughput == pytest.approx(1 / 2)


def test_selectivity_thins_or_multiplies_what_follows() -> None:
    workflow = Workflow("thin")
    workflow.chain(Single(), Odd(), Identity())
    costs = CostTable(
        HopCosts(),
        {"odd": ElementCosts(selectivity={"out": 0.25}), "identity": ElementCosts(service_s=8)},
    )
    for fuse in (True, False):
        given = plan(workflow, 3, fuse=fuse)
        assert predict(given, workflow, costs).elements["identity"] == pytest.approx(2)


def test_cores_limit_what_workers_could_do() -> None:
    workflow = keyed(instances=4)
    costs = CostTable(HopCosts(), {"keyed": ElementCosts(service_s=1)})
    free = predict(plan(workflow, 4), workflow, costs)
    tight = predict(plan(workflow, 4), workflow, costs, cores=2)
    assert free.throughput == pytest.approx(4)
    assert tight.throughput == pytest.approx(2)
    assert (tight.bound, tight.bottleneck) == ("cores", "keyed")


def test_instances_of_a_unit_share_the_items_alike() -> None:
    workflow = Workflow("unit")
    first, second = Keyed(), Identity()
    workflow.chain(Single(), first, second)
    costs = CostTable(
        HopCosts(),
        {"keyed": ElementCosts(shares=[0.75, 0.25]), "identity": ElementCosts(service_s=4)},
    )
    found = predict(plan(workflow, 2), workflow, costs)
    assert max(found.workers) == pytest.approx(3)


def test_a_gather_bends_the_curve() -> None:
    workflow = Workflow("gather")
    workflow.chain(Single(), Keyed(), Gather())
    costs = CostTable(
        HopCosts(send_s=1e-6, receive_s=1e-6),
        {"keyed": ElementCosts(service_s=1e-3), "gather": ElementCosts(service_s=5e-5)},
    )
    bend = find_bend(scale(workflow, costs, [2**n for n in range(8)]))
    assert bend is not None
    assert (bend.element, bend.bound) == ("gather", "gather")
    assert 32 <= bend.workers <= 64


def test_a_source_bends_the_curve() -> None:
    costs = CostTable(
        HopCosts(), {"single": ElementCosts(service_s=1.0), "keyed": ElementCosts(service_s=9.0)}
    )
    bend = find_bend(scale(keyed(), costs, [1, 2, 4, 8, 16, 32, 64]))
    assert bend is not None
    assert (bend.element, bend.bound) == ("single", "source")


def test_watermarks_on_all_queues_bend_the_curve() -> None:
    workflow = Workflow("exchanges")
    numbers, first, second = Numbers(n=2048, parts=1024), Keyed(), Keyed()
    workflow.add(first, name="first")
    workflow.add(second, name="second")
    workflow.chain(numbers, first, second)
    costs = CostTable(
        HopCosts(tell_s=5e-7, hear_s=5e-7),
        {
            "numbers": ElementCosts(watermarks=0.01),
            "first": ElementCosts(service_s=1e-3),
            "second": ElementCosts(service_s=1e-3),
        },
    )
    points = scale(workflow, costs, [1, 4, 16, 64, 256, 1024])
    bend = find_bend(points)
    assert bend is not None
    assert bend.bound == "channels"
    assert points[-1].queues == 2 * 1024**2
    assert points[-1].prediction.throughput < points[-2].prediction.throughput


def test_what_costs_nothing_has_no_bound() -> None:
    workflow = keyed()
    found = predict(plan(workflow, 2), workflow, CostTable(HopCosts()))
    assert found.throughput == float("inf")
    assert find_bend([]) is None


def test_queues_are_paid_for_once() -> None:
    workflow = keyed()
    found = predict(plan(workflow, 2), workflow, CostTable(HopCosts(call_s=1.0, queue_s=0.5)))
    assert found.startup_s == pytest.approx(1.5)
    assert found.seconds(10) == pytest.approx(1.5 + 10 / found.throughput)
