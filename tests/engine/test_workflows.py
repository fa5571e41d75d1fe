"""Building a workflow, its rules, and its order."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from flowquake import (
    Composite,
    Emissions,
    Input,
    Output,
    ProcessingElement,
    State,
    Workflow,
    WorkflowError,
    plan,
    run,
)
from flowquake.mappings.simulated import Simulated
from tests.mappings.elements import (
    CountByKey,
    Everywhere,
    Gather,
    Identity,
    Numbers,
    Odd,
    Pairs,
    Repeat,
    Single,
    Sink,
    Weigh,
)


def refused(workflow: Workflow) -> str:
    with pytest.raises(WorkflowError) as caught:
        workflow.validate()
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_elements_are_named_after_their_class_or_as_told() -> None:
    workflow = Workflow("w")
    numbers = workflow.add(Numbers())
    assert workflow.name_of(numbers) == "numbers"
    workflow.add(Numbers(), name="more")
    assert list(workflow) == ["numbers", "more"]
    with pytest.raises(WorkflowError, match="two elements are called 'numbers'"):
        workflow.add(Numbers())
    with pytest.raises(WorkflowError, match="in the workflow already, as 'numbers'"):
        workflow.add(numbers, name="again")
    with pytest.raises(WorkflowError, match="did you mean 'numbers'"):
        workflow.element("nubmers")
    with pytest.raises(WorkflowError, match="not a processing element"):
        workflow.add(Numbers)  # type: ignore[call-overload]  # the class, on purpose


def test_what_is_connected_is_added() -> None:
    workflow = Workflow("w")
    workflow.connect(Numbers().out, Identity().x)
    assert [str(c) for c in workflow.connections] == ["numbers.out -> identity.x"]


def test_swapped_ports_are_told_from_wrong_ones() -> None:
    workflow, numbers, relay = Workflow("w"), Numbers(), Identity()
    with pytest.raises(WorkflowError, match=r"workflow\.connect\(Numbers\.out, Identity\.x\)"):
        workflow.connect(relay.x, numbers.out)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(WorkflowError, match="an output first"):
        workflow.connect(numbers, relay)  # type: ignore[arg-type]  # on purpose


def test_types_that_do_not_fit_are_refused_when_connected() -> None:
    workflow, pairs, relay = Workflow("w"), Pairs(), Identity()
    with pytest.raises(WorkflowError, match="carries tuple, the input takes int"):
        workflow.connect(pairs.out, relay.x)  # type: ignore[misc]  # on purpose


def test_a_chain_needs_one_output_and_one_input() -> None:
    workflow = Workflow("w")
    with pytest.raises(WorkflowError, match=r"Pairs has 2 inputs \(a, b\)"):
        workflow.chain(Numbers(), Pairs())
    with pytest.raises(WorkflowError, match="Sink has 0 outputs"):
        workflow.chain(Sink(), Identity())


def test_every_fault_is_reported_at_once() -> None:
    workflow = Workflow("etna")
    first, second, pairs = Identity(), Odd(), Pairs()
    workflow.add(first)
    workflow.connect(first.out, second.x)
    workflow.connect(second.out, first.x)
    workflow.connect(first.out, pairs.a)
    numbers = workflow.add(Numbers(parts=2))
    count = workflow.add(FirstOnly())
    workflow.connect(numbers.out, count.x)
    text = refused(workflow)
    assert text.startswith("3 faults:\n")
    assert "input 'b' of PE 'pairs' is not connected." in text
    assert "workflow.connect(identity.out, pairs.b)" in text
    assert "the workflow has a cycle: identity -> odd -> identity" in text
    assert "input 'x' of PE 'first_only' is reached by several channels" in text
    assert f"Where: {Path(__file__)}, workflow 'etna'" in text


@dataclass
class First:
    value: int = 0
    version: int = 1


class FirstOnly(ProcessingElement):
    x = Input(int)
    out = Output(int)
    state = State(First)

    def on_x(self, x: int) -> Emissions:
        yield self.out(x)


@pytest.mark.parametrize("fan_in", [True, False])
def test_state_behind_several_channels_must_say_its_order(fan_in: bool) -> None:
    workflow, first = Workflow("w"), FirstOnly()
    if fan_in:
        for name in ("a", "b"):
            workflow.connect(workflow.add(Single(), name=name).out, first.x)
    else:
        workflow.chain(Single(), Identity(), first)
    assert "order='time'" in refused(workflow)
    alone = Workflow("w")
    alone.chain(Single(), FirstOnly())
    alone.validate()


def test_an_empty_workflow_and_an_element_without_ports_are_faults() -> None:
    class Alone(ProcessingElement):
        pass

    assert "no elements" in refused(Workflow("w"))
    workflow = Workflow("w")
    workflow.add(Alone())
    assert "has no input and is not a Source" in refused(workflow)


def test_optional_inputs_may_stay_open_but_not_all() -> None:
    class Either(ProcessingElement):
        a = Input(int, optional=True)
        b = Input(int, optional=True)

        def on_a(self, item: int) -> None:
            return None

        def on_b(self, item: int) -> None:
            return None

    workflow, either = Workflow("w"), Either()
    workflow.add(either)
    assert refused(workflow).count("is not connected") == 2
    workflow.connect(Numbers().out, either.a)
    workflow.validate()


@pytest.mark.parametrize(
    ("part", "instances", "may"),
    [
        (Identity(), 3, True),
        (CountByKey(), 3, True),
        (Everywhere(), 3, True),
        (Weigh(), 2, True),
        (Gather(), 1, True),
        (Gather(), 2, False),
        (FirstOnly(), 2, False),
        (Numbers(), 2, False),
        (Identity(), 0, False),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_instances_may_be_asked_for_where_they_make_sense(
    part: ProcessingElement, instances: int, may: bool
) -> None:
    workflow = Workflow("w")
    if may:
        workflow.add(part, instances=instances)
        assert workflow.instances_of(part.name) == instances
    else:
        with pytest.raises(WorkflowError, match=f"cannot have {instances} instances"):
            workflow.add(part, instances=instances)


# Composites.


def twice() -> Composite:
    composite = Composite("twice")
    first, second = Repeat(), Identity()
    composite.chain(first, second)
    composite.expose(x=first.x, out=second.out)
    return composite


def test_a_composite_is_added_as_one_step() -> None:
    workflow, inner, numbers = Workflow("w"), twice(), Single(n=3)
    workflow.add(inner, name="double")
    workflow.connect(numbers.out, inner.x)
    assert list(workflow) == ["double.repeat", "double.identity", "single"]
    assert run(workflow, collect=[inner.out])[inner.out] == [1, 1, 2, 2, 3, 3]


def test_connecting_a_port_of_a_composite_brings_all_of_it() -> None:
    inner, outer, workflow = twice(), Composite("outer"), Workflow("w")
    outer.connect(inner.out, Odd().x)
    outer.expose(x=inner.x)
    workflow.connect(Single(n=3).out, outer.x)
    assert set(workflow) == {
        "single",
        "outer.twice.repeat",
        "outer.twice.identity",
        "outer.odd",
    }
    workflow.validate()


def test_a_composite_says_which_ports_it_lacks() -> None:
    inner = twice()
    with pytest.raises(AttributeError, match="did you mean 'out'"):
        _ = inner.outt
    with pytest.raises(WorkflowError, match="not part of the workflow"):
        inner.expose(y=Identity().x)
    for taken in ("name", "add", "x"):
        with pytest.raises(WorkflowError, match="the name is taken"):
            inner.expose(**{taken: inner.x})


# Size.


def long_chain(length: int) -> tuple[Workflow, Identity]:
    workflow, last = Workflow("long"), Identity()
    numbers = workflow.add(Single(n=3))
    before = numbers.out
    for number in range(length):
        last = workflow.add(Identity(), name=f"step_{number}")
        workflow.connect(before, last.x)
        before = last.out
    return workflow, last


def test_a_chain_of_five_thousand_runs_without_recursion() -> None:
    workflow, last = long_chain(5000)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        assert workflow.order()[-1] == "step_4999"
        result = run(workflow, collect=[last.out])
    finally:
        sys.setrecursionlimit(limit)
    assert result[last.out] == [1, 2, 3]
    assert len(plan(workflow, 3).units) == 1 + 3


def test_thirty_stacked_diamonds_do_not_explode() -> None:
    workflow = Workflow("diamonds")
    before = workflow.add(Single(n=0)).out
    for number in range(30):
        left = workflow.add(Odd(), name=f"left_{number}")
        right = workflow.add(Odd(), name=f"right_{number}")
        join = workflow.add(Identity(), name=f"join_{number}")
        for side in (left, right):
            workflow.connect(before, side.x)
            workflow.connect(side.out, join.x)
        before = join.out
    began = time.monotonic()
    workflow.validate()
    plan(workflow, 4)
    run(workflow)
    run(workflow, mapping=Simulated(fuse=False), workers=2)
    assert time.monotonic() - began < 5.0


def test_a_cycle_is_named() -> None:
    workflow = Workflow("w")
    parts = [workflow.add(Identity(), name=name) for name in "abc"]
    for number, part in enumerate(parts):
        workflow.connect(part.out, parts[(number + 1) % 3].x)
    tail = workflow.add(Sink())
    workflow.connect(parts[0].out, tail.x)
    assert "cycle: a -> b -> c -> a\n" in refused(workflow)


def test_the_graph_is_there_for_networkx() -> None:
    workflow, _ = long_chain(3)
    graph = workflow.to_networkx()
    assert list(graph) == ["single", "step_0", "step_1", "step_2"]
    assert graph.edges["single", "step_0", 0] == {"output": "out", "input": "x"}
    assert repr(workflow) == "<Workflow 'long': 4 elements, 3 connections>"


# Types, as mypy sees them.

TYPED = """
from flowquake import Emissions, Input, Output, ProcessingElement, Production, Source, Workflow


class Animal: ...
class Dog(Animal): ...


class Dogs(Source):
    out = Output(Dog)
    numbers = Output(int)
    size: int = 1
    def produce(self, split: object) -> Production:
        yield self.out(Dog())
        yield self.out(Animal())  # E: arg-type


class Feed(ProcessingElement):
    animal = Input(Animal)
    dog = Input(Dog)
    level = Input(float)
    fed = Output(Animal)
    rate: float = 1.0
    def on_animal(self, animal: Animal) -> Emissions:
        yield self.fed(animal)
    def on_dog(self, dog: Dog) -> None: ...
    def on_level(self, level: float) -> None: ...


workflow = Workflow("typed")
dogs, feed = Dogs(size=2), Feed(rate=2)
workflow.connect(dogs.out, feed.animal)
workflow.connect(dogs.out, feed.dog)
workflow.connect(dogs.numbers, feed.level)
workflow.connect(feed.fed, feed.dog)  # E: misc
workflow.connect(dogs.numbers, feed.animal)  # E: misc
workflow.connect(feed.animal, dogs.out)  # E: arg-type
Dogs(szie=2)  # E: call-arg
Dogs(size="a")  # E: arg-type
workflow.connect(dogs.oot, feed.dog)  # E: attr-defined
"""


def test_mypy_sees_connections_that_do_not_fit(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    file = tmp_path / "typed.py"
    file.write_text(TYPED)
    printed = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary"),
            *("--hide-error-context", "--config-file=", f"--cache-dir={tmp_path}", str(file)),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    ).stdout
    found = {
        (int(line.split(":")[1]), line.rstrip("]").rpartition("[")[2])
        for line in printed.splitlines()
        if ": error:" in line
    }
    expected = {
        (number, line.rpartition("# E: ")[2])
        for number, line in enumerate(TYPED.splitlines(), start=1)
        if "# E: " in line
    }
    assert found == expected, printed
