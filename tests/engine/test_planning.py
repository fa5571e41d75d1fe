"""The plan, as data."""

from __future__ import annotations

import json
import pickle
import time
from collections import Counter
from collections.abc import Sequence

import pytest

from flowquake import (
    Composite,
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
    run,
)
from flowquake.mappings.simulated import Simulated
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


def worker_of(given: Plan, name: str, index: int = 0) -> int:
    return next(
        unit.worker
        for unit in given.units
        if any((i.element, i.index) == (name, index) for i in unit.instances)
    )


def test_side_data_does_not_keep_others_from_being_fused() -> None:
    workflow = Workflow("w")
    numbers, keyed, spread, weights = Single(), ByItself(), Weighed(), Numbers()
    workflow.connect(numbers.out, keyed.x)
    workflow.connect(keyed.out, spread.x)
    workflow.connect(weights.out, spread.weight)
    given = plan(workflow, 3)
    assert {"by_itself", "weighed"} in stages(given)
    assert [(c.source, c.target) for c in given.channels] == [
        ("single", "by_itself"),
        ("numbers", "weighed"),
    ]
    wanted = sorted(run(workflow, collect=[spread.out])[spread.out])
    for order in range(10):
        mapping = Simulated(order=order, channel_items=2)
        got = run(workflow, mapping=mapping, workers=3, collect=[spread.out])[spread.out]
        assert sorted(got) == wanted


class Weighed(ProcessingElement):
    x = Input(int)
    weight = Input(int, to="all")
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        yield self.out(x)

    def on_weight(self, weight: int) -> None:
        return None


def test_what_two_stages_alike_feed_is_not_fused_with_one_of_them() -> None:
    workflow = Workflow("w")
    one, two, gather = Single(), Numbers(), Gather()
    workflow.connect(one.out, gather.x)
    workflow.connect(two.out, gather.x)
    assert stages(plan(workflow, 2)) == [{"single"}, {"numbers"}, {"gather"}]


def test_a_join_is_not_fused_with_what_lies_before_its_branches() -> None:
    given = plan(diamond(), 2)
    assert stages(given) == [{"single"}, {"identity"}, {"odd"}, {"gather"}]


def test_channels_lead_from_earlier_stages_to_later_ones() -> None:
    given = plan(diamond(), 3, partitions=[["identity", "odd"]])
    stage = {i.element: unit.stage for unit in given.units for i in unit.instances}
    assert all(stage[c.source] < stage[c.target] for c in given.channels)


def test_the_heaviest_units_are_given_away_first() -> None:
    workflow = Workflow("w")
    numbers = workflow.add(Single())
    for name, weight in {"light": 2.0, "heavy": 8.0, "middle": 5.0}.items():
        sink = workflow.add(Gather(), name=name, weight=weight)
        by_itself = workflow.add(Odd(), name=f"before_{name}", instances=2, weight=0.1)
        workflow.connect(numbers.out, by_itself.x)
        workflow.connect(by_itself.out, sink.x)
    given = plan(workflow, 2)
    assert worker_of(given, "heavy") != worker_of(given, "middle")
    assert worker_of(given, "middle") == worker_of(given, "light")
    assert sum(given.loads) == pytest.approx(1 + 15 + 3 * 0.1)
    assert max(given.loads) == pytest.approx(8.2, abs=0.2)


def test_a_source_has_no_heavy_neighbour_while_another_worker_is_free() -> None:
    workflow = Workflow("w")
    heavy = workflow.add(CountByKey(), weight=50.0, instances=3)
    workflow.connect(workflow.add(Single()).out, heavy.x)
    given = plan(workflow, 4)
    assert len({worker_of(given, "count_by_key", i) for i in range(3)}) == 3
    assert worker_of(given, "single") not in {worker_of(given, "count_by_key", i) for i in range(3)}


def test_instances_of_unknown_weight_are_spread_evenly() -> None:
    workflow = Workflow("w")
    workflow.chain(Single(), CountByKey())
    given = plan(workflow, 2)
    assert {worker_of(given, "count_by_key", i) for i in range(2)} == {0, 1}


def test_more_instances_than_workers_share_them() -> None:
    workflow = Workflow("w")
    workflow.connect(Numbers(parts=9).out, workflow.add(CountByKey(), instances=7).x)
    held = Counter(unit.worker for unit in plan(workflow, 3).units)
    assert sum(held.values()) == 16
    assert max(held.values()) - min(held.values()) <= 2


def test_no_element_has_more_instances_than_there_are_cores() -> None:
    assert plan(diamond(), 8, cores=2).counts["odd"] == 2
    with pytest.raises(ConfigError, match="cores=0"):
        plan(diamond(), 8, cores=0)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf"), "heavy"])
def test_a_weight_that_is_no_positive_number_is_refused(weight: float) -> None:
    with pytest.raises(ConfigError, match="must be a positive number"):
        Workflow("w").add(Odd(), weight=weight)


def test_the_weights_of_a_composite_are_kept() -> None:
    inner = Composite("clean")
    inner.add(Odd(), weight=3.0)
    workflow = Workflow("w")
    workflow.add(inner)
    assert workflow.weight_of("clean.odd") == 3.0


def test_a_chain_of_five_thousand_is_planned_on_several_workers() -> None:
    workflow, parts = Workflow("long"), [Single(n=2)]
    steps = [workflow.add(Identity(), name=f"step_{number}") for number in range(5000)]
    workflow.chain(*parts, *steps)
    assert [len(names) for names in stages(plan(workflow, 4))] == [1, 5000]
    apart = plan(workflow, 4, fuse=False)
    assert len(stages(apart)) == 5001
    assert len(pickle.dumps(plan(workflow, 4))) < 2_000_000


def test_stacked_diamonds_are_planned_drawn_and_run() -> None:
    workflow = Workflow("diamonds")
    last: Single | Identity = workflow.add(Single(n=10))
    for number in range(30):
        odd, even = Odd(), Even()
        workflow.add(odd, name=f"odd_{number}")
        workflow.add(even, name=f"even_{number}")
        both = workflow.add(Identity(), name=f"both_{number}")
        for branch in (odd, even):
            workflow.connect(last.out, branch.x)
            workflow.connect(branch.out, both.x)
        last = both
    began = time.monotonic()
    assert workflow.faults() == []
    assert len(plan(workflow, 4, fuse=False).units) == 1 + 90 * 4
    assert workflow.to_svg().count("<g>") == 91
    assert sorted(run(workflow, collect=[last.out])[last.out]) == list(range(1, 11))
    assert time.monotonic() - began < 5.0


class Even(ProcessingElement):
    x = Input(int)
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        if x % 2 == 0:
            yield self.out(x)
