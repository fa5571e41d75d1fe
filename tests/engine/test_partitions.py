"""Partitions that a user asks for, and what cannot be together."""

from __future__ import annotations

import pytest

from flowquake import Composite, ConfigError, Workflow, plan, run
from flowquake.mappings.simulated import Simulated
from flowquake.planning import Plan
from tests.mappings.elements import (
    CountByKey,
    Gather,
    Identity,
    Numbers,
    Odd,
    Single,
)


def pipeline() -> Workflow:
    workflow = Workflow("pipeline")
    workflow.chain(Single(), Identity(), Odd(), CountByKey())
    return workflow


def diamond() -> Workflow:
    workflow = Workflow("diamond")
    numbers, one, odd, gather = Single(), Identity(), Odd(), Gather()
    workflow.connect(numbers.out, one.x)
    workflow.connect(numbers.out, odd.x)
    workflow.connect(one.out, gather.x)
    workflow.connect(odd.out, gather.x)
    return workflow


def workers_of(given: Plan, name: str) -> set[int]:
    return {u.worker for u in given.units if any(i.element == name for i in u.instances)}


def stage_of(given: Plan, name: str) -> int:
    (stage,) = {u.stage for u in given.units if any(i.element == name for i in u.instances)}
    return stage


def test_each_partition_has_workers_of_its_own() -> None:
    given = plan(pipeline(), 4, partitions=[["single"], ["identity", "odd"]])
    named = [workers_of(given, "single"), workers_of(given, "identity")]
    others = workers_of(given, "count_by_key")
    assert not named[0] & named[1]
    assert not (named[0] | named[1]) & others
    assert len(named[0]) == 1
    assert given.counts["identity"] == given.counts["odd"] == len(named[1])
    assert given.counts["count_by_key"] == len(others)
    assert named[0] | named[1] | others == set(range(4))


def test_what_the_planner_would_fuse_a_partition_parts() -> None:
    assert stage_of(plan(pipeline(), 3), "identity") == stage_of(plan(pipeline(), 3), "odd")
    given = plan(pipeline(), 3, partitions=[["identity"]])
    assert stage_of(given, "identity") != stage_of(given, "odd")


def test_an_element_takes_the_count_of_those_it_runs_with() -> None:
    given = plan(pipeline(), 4, partitions=[["single", "identity", "odd"]])
    assert given.counts["identity"] == 1
    assert workers_of(given, "odd") == workers_of(given, "single")


def test_more_partitions_than_workers_share_them() -> None:
    parts = [["single"], ["identity"], ["odd"], ["count_by_key"]]
    given = plan(pipeline(), 2, partitions=parts)
    assert set(given.counts.values()) == {1}
    assert {unit.worker for unit in given.units} == {0, 1}


def test_partitions_leave_the_rest_to_all_workers_if_none_is_left() -> None:
    given = plan(pipeline(), 2, partitions=[["single"], ["identity"]])
    assert workers_of(given, "single") != workers_of(given, "identity")
    assert given.counts["count_by_key"] == 2


def test_on_one_worker_everything_runs_together() -> None:
    assert plan(pipeline(), 1, partitions=[["single"], ["odd"]]).is_whole


def test_a_composite_stands_for_its_elements() -> None:
    inner = Composite("clean")
    first, second = Odd(), Identity()
    inner.chain(first, second)
    inner.expose(x=first.x, out=second.out)
    workflow = Workflow("w")
    workflow.connect(Single().out, inner.x)
    given = plan(workflow, 3, partitions=[["clean"]])
    assert stage_of(given, "clean.odd") == stage_of(given, "clean.identity")
    with pytest.raises(ConfigError, match="there is no element 'clea'"):
        plan(workflow, 3, partitions=[["clea"]])


def test_elements_that_only_others_join_cannot_be_together() -> None:
    with pytest.raises(ConfigError) as caught:
        plan(diamond(), 3, partitions=[["single", "gather"]])
    text = str(caught.value)
    assert "[single, gather] cannot be together" in text
    assert "single.out -> identity.x, identity.out -> gather.x" in text
    assert "put identity into it as well" in text


def test_two_partitions_that_wait_for_each_other_are_refused() -> None:
    workflow = Workflow("w")
    one, two = Single(), Single()
    workflow.add(one, name="one")
    workflow.add(two, name="two")
    first, second = Identity(), Odd()
    workflow.connect(one.out, first.x)
    workflow.connect(two.out, second.x)
    with pytest.raises(ConfigError, match=r"\[one, odd\] and \[two, identity\] cannot both be"):
        plan(workflow, 2, partitions=[["one", "odd"], ["two", "identity"]])


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_a_partition_whose_items_must_be_exchanged_is_refused(workers: int) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(pipeline(), workers, partitions=[["single"], ["odd", "count_by_key"]])
    assert "'odd' and 'count_by_key' cannot be in one partition" in str(caught.value)
    assert "by parity" in str(caught.value)


def test_a_partition_of_elements_of_different_counts_is_refused() -> None:
    workflow = Workflow("w")
    numbers, gather = Numbers(parts=3), Gather()
    workflow.connect(numbers.out, gather.x)
    with pytest.raises(ConfigError, match=r"'numbers' and 'gather' .* 3 and 1 instances"):
        plan(workflow, 4, partitions=[["numbers", "gather"]])


@pytest.mark.parametrize(
    ("partitions", "text"),
    [
        ([["identty"]], "no element 'identty'; did you mean 'identity'?"),
        ([["single", "single"]], "'single' is twice in one partition"),
        ([["single"], ["single"]], "'single' is in two partitions"),
        ([[]], "a partition is a list of names"),
        (["single"], "a partition is a list of names"),
    ],
)
def test_partitions_that_make_no_sense_are_refused(partitions: list[list[str]], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(pipeline(), 2, partitions=partitions)
    assert text in str(caught.value)


@pytest.mark.parametrize("workers", [2, 3, 5])
@pytest.mark.parametrize(
    "partitions", [[["single", "identity"]], [["identity", "odd"], ["gather"]], [["odd"]]]
)
def test_partitions_do_not_change_what_a_graph_gives(
    workers: int, partitions: list[list[str]]
) -> None:
    class Partitioned(Simulated):
        def execute(self, job, plan_given):  # type: ignore[no-untyped-def]  # as its base class
            laid_out = plan(job.workflow, plan_given.workers, partitions=partitions)
            return super().execute(job, laid_out)

    workflow = diamond()
    output = workflow.elements["gather"].out  # type: ignore[attr-defined]  # a Gather
    wanted = run(workflow, collect=[output])[output]
    for order in range(5):
        mapping = Partitioned(order=order, channel_items=2)
        assert run(workflow, mapping=mapping, workers=workers, collect=[output])[output] == wanted
