"""The plan, as data."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import pytest

from flowquake import (
    ConfigError,
    Emissions,
    Input,
    InputError,
    Output,
    PEError,
    ProcessingElement,
    Production,
    Source,
    Workflow,
    WorkflowError,
    plan,
)
from flowquake.planning import Plan
from flowquake.ports import Key
from tests.mappings.elements import (
    CountByKey,
    Everywhere,
    Gather,
    Identity,
    Numbers,
    Odd,
    Single,
    Sink,
)


def diamond() -> Workflow:
    workflow = Workflow("diamond")
    numbers, one, odd, gather = Single(), Identity(), Odd(), Gather()
    workflow.connect(numbers.out, one.x)
    workflow.connect(numbers.out, odd.x)
    workflow.connect(one.out, gather.x)
    workflow.connect(odd.out, gather.x)
    return workflow


def stages(given: Plan) -> list[set[str]]:
    names: dict[int, set[str]] = {}
    for unit in given.units:
        names.setdefault(unit.stage, set()).update(i.element for i in unit.instances)
    return [names[stage] for stage in sorted(names)]


def test_one_worker_runs_everything_in_one_unit() -> None:
    given = plan(diamond())
    assert given.is_whole
    assert stages(given) == [{"single", "identity", "odd", "gather"}]
    assert given.channels == ()


def test_what_needs_no_exchange_is_fused() -> None:
    workflow = Workflow("w")
    workflow.chain(Single(), Identity(), Odd(), CountByKey())
    given = plan(workflow, 3)
    assert given.counts == {"single": 1, "identity": 3, "odd": 3, "count_by_key": 3}
    assert stages(given) == [{"single"}, {"identity", "odd"}, {"count_by_key"}]
    assert [(c.source, c.target, len(c)) for c in given.channels] == [
        ("single", "identity", 3),
        ("odd", "count_by_key", 9),
    ]
    apart = plan(workflow, 3, fuse=False)
    assert len(stages(apart)) == 4
    assert sum(map(len, apart.channels)) == 3 + 9 + 9


def test_numbers_of_channels_are_unique() -> None:
    given = plan(diamond(), 4, fuse=False)
    numbers = [
        channel.number(i, j)
        for channel in given.channels
        for i in range(channel.senders)
        for j in range(channel.receivers)
    ]
    assert numbers == list(range(len(numbers)))


def test_instances_are_spread_over_workers() -> None:
    workflow = Workflow("w")
    workflow.chain(Numbers(parts=4), CountByKey())
    for workers in range(1, 9):
        given = plan(workflow, workers)
        used = {unit.worker for unit in given.units}
        assert used <= set(range(workers))
        assert len(used) == min(workers, len(given.units))


def test_copies_to_all_are_as_many_as_asked_for() -> None:
    workflow = Workflow("w")
    everywhere = workflow.add(Everywhere(), instances=3)
    workflow.connect(Single().out, everywhere.x)
    other = Workflow("w")
    other.chain(Single(), Everywhere())
    for workers in (1, 2, 5):
        assert plan(workflow, workers).counts["everywhere"] == 3
        assert plan(other, workers).counts["everywhere"] == 1


def test_a_plan_is_the_same_each_time_and_can_be_printed() -> None:
    given = plan(diamond(), 2)
    assert given == plan(diamond(), 2)
    assert json.loads(json.dumps(given.to_json()))["instances"]["gather"] == 1
    assert given.describe().splitlines()[0] == "diamond: 2 workers"
    assert "identity[1]" in given.describe()


def test_a_printed_plan_lists_the_channels() -> None:
    workflow = Workflow("w")
    numbers, counts = Numbers(n=9, parts=3), CountByKey()
    workflow.connect(numbers.out, counts.x)
    assert plan(workflow, 2).describe().splitlines()[-2:] == [
        "  channels between units: 6",
        "    numbers[0:3] -> count_by_key[0:2]",
    ]
    assert plan(workflow, 1).describe().endswith("  channels between units: 0")


def test_ten_thousand_instances_are_planned_within_a_second() -> None:
    workflow, before = Workflow("wide"), Single()
    workflow.add(before)
    output = before.out
    for number in range(4):
        part = workflow.add(ByItself(), name=f"wide_{number}", instances=2500)
        workflow.connect(output, part.x)
        output = part.out
    began = time.monotonic()
    given = plan(workflow, 8)
    assert time.monotonic() - began < 1.0
    assert sum(given.counts.values()) == 10_001
    assert sum(map(len, given.channels)) == 2500 + 3 * 2500**2


class ByItself(ProcessingElement):
    x = Input(int, by=abs)
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        yield self.out(x)


def test_a_faulty_workflow_and_no_worker_are_refused() -> None:
    with pytest.raises(WorkflowError):
        plan(Workflow("w"))
    with pytest.raises(ConfigError, match="at least 1"):
        plan(diamond(), 0)


class Parts(Source):
    out = Output(int)

    parts: tuple[object, ...] = ()
    fails: bool = False

    def splits(self) -> Sequence[Key]:
        if self.fails:
            raise OSError("no such folder")
        return self.parts  # type: ignore[return-value]  # whatever the test says

    def produce(self, split: Key) -> Production:
        yield self.out(1)


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        (Parts(), InputError, "nothing to read"),
        (Parts(parts=("a", "a")), InputError, "'a' more than once"),
        (Parts(parts=(1, True)), InputError, "1 more than once"),
        (Parts(parts=([],)), InputError, "cannot be a key"),
        (Parts(fails=True), PEError, "OSError: no such folder"),
    ],
)
def test_splits_that_cannot_be_used_are_refused(
    source: Parts, error: type[Exception], text: str
) -> None:
    workflow = Workflow("w")
    workflow.chain(source, Sink())
    with pytest.raises(error) as caught:
        plan(workflow)
    assert text in str(caught.value)
    assert "'parts'" in str(caught.value)
