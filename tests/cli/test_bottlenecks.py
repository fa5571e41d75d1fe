"""Which element held a run up."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from flowquake import (
    Emissions,
    Input,
    Output,
    ProcessingElement,
    Production,
    Source,
    Workflow,
    run,
)
from flowquake.cli.bottlenecks import bottleneck
from flowquake.cli.measuring import Loads

if TYPE_CHECKING:
    from tests.cli.conftest import Flowquake

ITEMS = 2400
SLOW, QUICK = 30, 1  # about 10 µs each
MATRIX = np.ones((48, 48))


def burn(times: int, *, in_numpy: bool) -> None:
    for _ in range(times):
        if in_numpy:
            np.dot(MATRIX, MATRIX)
        else:
            sum(n * n for n in range(120))


class Reads(Source):
    out = Output(int)

    times: int = QUICK
    in_numpy: bool = False

    def produce(self, split: object) -> Production:
        for number in range(ITEMS):
            burn(self.times, in_numpy=self.in_numpy)
            yield self.out(number)


class Works(ProcessingElement):
    x = Input(int)
    out = Output(int)

    times: int = QUICK
    in_numpy: bool = False

    def on_x(self, x: int) -> Emissions:
        burn(self.times, in_numpy=self.in_numpy)
        yield self.out(x)


def random_graph(seed: int) -> tuple[Workflow, str]:
    """Draw a chain or a diamond of four to seven elements, and which of them is slow."""
    rng = random.Random(seed)
    size, is_diamond = rng.randint(4, 7), rng.random() < 0.5
    slow = rng.randrange(size)
    kinds = [rng.random() < 0.5 for _ in range(size)]
    workflow = Workflow("drawn")
    times = [SLOW if number == slow else QUICK for number in range(size)]
    source = Reads(times=times[0], in_numpy=kinds[0])
    workflow.add(source, name="pe0")
    works = [Works(times=t, in_numpy=k) for t, k in zip(times[1:], kinds[1:], strict=True)]
    for number, part in enumerate(works, 1):
        workflow.add(part, name=f"pe{number}")
    workflow.connect(source.out, works[0].x)
    for number in range(1, len(works)):
        before = works[0] if is_diamond and number == 2 else works[number - 1]
        workflow.connect(before.out, works[number].x)
    if is_diamond and len(works) > 3:
        workflow.connect(works[1].out, works[3].x)
    return workflow, f"pe{slow}"


def loads_of(workflow: Workflow, mapping: str, workers: int) -> tuple[dict[str, Any], Any]:
    class Watches:
        def __init__(self) -> None:
            self.loads = Loads()

        def on_progress(self, progress: Any) -> None:
            self.loads.see(progress)

    watcher = Watches()
    result = run(workflow, mapping=mapping, workers=workers, observer=watcher)
    return watcher.loads.to_json(workflow), result


@pytest.mark.slow
def test_the_slow_element_of_ten_random_graphs_is_named_on_every_mapping() -> None:
    named, right = [], []
    for seed in range(10):
        workflow, slow = random_graph(seed)
        for mapping, workers in (("sequential", 1), ("multi", 2)):
            loads, result = loads_of(workflow, mapping, workers)
            found = bottleneck(
                loads,
                received={name: count.received for name, count in result.counts.items()},
                seconds=result.seconds,
                workers=workers,
            )
            named.append((seed, mapping, found.element if found else None))
            right.append((seed, mapping, slow))
    assert named == right


def load(busy: float, **other: Any) -> dict[str, Any]:
    usual = {"queued": 0.0, "queue_longest": 0, "instances": 1, "workers": 1, "limit": None}
    return {"busy": busy, "busy_seconds": 10 * busy, **usual, **other}


def text(loads: dict[str, Any], **how: Any) -> str:
    given: dict[str, Any] = {"received": {"fit": 100}, "seconds": 10.0, **how}
    found = bottleneck(loads, **given)
    return found.text if found else ""


def test_a_clear_bottleneck_is_named_with_what_waited_for_it() -> None:
    said = text({"read": load(0.02), "fit": load(0.97, queued=0.9, queue_longest=4096)}, workers=2)
    assert said == (
        "bottleneck: fit, busy 97 % of the run; items waited for it 90 % of the time, "
        "up to 4,096; it has one instance on 1 worker; more workers (-n) would share it"
    )


def test_an_element_of_one_instance_says_why() -> None:
    said = text({"fit": load(0.97, limit="it keeps a state without a key")}, workers=4)
    assert said.endswith(
        "; it has one instance, and more workers make no more: it keeps a state without a key"
    )


def test_more_workers_than_cores_are_not_advised() -> None:
    said = text({"fit": load(0.9, instances=4, workers=4)}, workers=4, cores=4)
    assert said.endswith("; the 4 cores of this machine are in use")


def test_instances_that_share_a_worker_can_be_spread() -> None:
    fixed = load(0.9, instances=8, workers=2, limit="it reads 8 splits")
    said = text({"read": fixed}, workers=2, cores=64)
    assert said.endswith("; it has 8 instances on 2 workers; more workers (-n) would share it")


def test_no_element_is_called_the_bottleneck_where_several_are_alike() -> None:
    said = text({"a": load(0.3), "b": load(0.28)})
    assert said == "no single bottleneck; busiest: a, 30 % of the run, then b, 28 %"


def test_where_nobody_is_busy_the_sources_wait() -> None:
    said = text({"feed": load(0.001), "fit": load(0.01)})
    assert said == "no element is busy (at most fit, 1 %): the sources wait"


def test_where_many_small_items_pass_they_take_the_time() -> None:
    said = text({"fit": load(0.01)}, received={"fit": 10**7})
    assert "the time goes into handing items on" in said


def test_a_run_that_was_too_short_has_none() -> None:
    assert bottleneck({}, received={}, seconds=9.0) is None
    short = {"fit": load(0.5, busy_seconds=0.04)}
    assert bottleneck(short, received={"fit": 1}, seconds=0.08) is None
    assert bottleneck({"fit": load(0.0)}, received={"fit": 1}, seconds=0.08) is None


def test_why_an_element_has_one_instance_is_read_from_its_class() -> None:
    class Ends(ProcessingElement):
        x = Input(int)

        def on_x(self, x: int) -> None: ...

        def finish(self) -> None: ...

    class Gathers(ProcessingElement):
        x = Input(int, to="one")

        def on_x(self, x: int) -> None: ...

    workflow, reads, works = Workflow("w"), Reads(), Works()
    workflow.add(works, instances=3)
    others = workflow.add(Works(), name="others"), Ends(), Gathers()
    for part in (works, *others):
        workflow.connect(reads.out, part.x)
    loads, _ = loads_of(workflow, "sequential", 1)
    assert {name: load["limit"] for name, load in loads.items()} == {
        "reads": "it reads one split",
        "works": "the workflow fixes their number",
        "others": None,
        "ends": "it acts at the end",
        "gathers": "its input is gathered, to='one'",
    }


def test_show_names_the_bottleneck(flowquake: Flowquake) -> None:
    flowquake("run", "toy.py", "-q", "--set", "upto=3000")
    out = flowquake("runs", "show", "last").out
    assert "longest queue" in out
    assert out.splitlines()[-1].startswith("bottleneck: keep, busy ")
    shown = flowquake("runs", "show", "last", "--json").json("run")
    assert shown["bottleneck"]["element"] == "keep"


def test_show_says_that_a_run_was_too_short(flowquake: Flowquake) -> None:
    flowquake("run", "toy.py", "-q", "--set", "upto=1")
    out = flowquake("runs", "show", "last").out
    assert out.splitlines()[-1] == "the run was too short to tell a bottleneck"
