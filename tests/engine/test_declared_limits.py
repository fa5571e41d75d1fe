"""What a class may not redefine, and orders that it must state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from flowquake import (
    ConfigError,
    Emissions,
    Input,
    Output,
    ProcessingElement,
    State,
    Workflow,
)
from flowquake.testing import replay, run_element


def passing(**body: Any) -> type[ProcessingElement]:
    """Make an element that hands its items on, with a further attribute."""

    def on_number(self: Any, number: int) -> Emissions:
        yield self.same(number)

    ports = {"number": Input(int), "same": Output(int), "on_number": on_number}
    return type("Passing", (ProcessingElement,), {**ports, "__annotations__": {}, **body})


@pytest.mark.parametrize("value", ["a text", lambda self: 1, property(lambda self: 1)])
@pytest.mark.parametrize(
    "name",
    ["key", "key_as", "rng", "clock", "name", "state", "count", "reject", "progress", "run_path"],
)
def test_what_the_engine_gives_cannot_be_redefined(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"the name '{name}' is reserved"):
        passing(**{name: value})


@pytest.mark.parametrize("name", ["setup", "teardown", "finish"])
def test_what_an_element_may_define_can_be_defined(name: str) -> None:
    element = passing(**{name: lambda self: None})()
    assert run_element(element, {"number": [1]})["same"] == [1]


@dataclass
class Seen:
    version: int = 1
    items: int = 0


@pytest.mark.parametrize("kind", [float, bool, int, str])
def test_a_key_has_the_type_that_its_element_asks_for(kind: Callable[[str], object]) -> None:
    class ByValue(ProcessingElement):
        value = Input(object, by=lambda value: value)
        found = Output(object)
        state = State(Seen)

        def on_value(self, value: object) -> Emissions:
            yield self.found((self.key_as(type(value)), type(self.key_as(type(value)))))

    value = kind("1")
    assert run_element(ByValue(), {"value": [value]})["found"] == [(value, type(value))]


def test_a_key_of_another_type_is_an_error() -> None:
    class ByText(ProcessingElement):
        value = Input(float, by=lambda value: value)
        found = Output(str)

        def on_value(self, value: float) -> Emissions:
            yield self.found(self.key_as(str))

    with pytest.raises(ConfigError, match=r"the key of 'by_text' is 2\.5, not a str"):
        run_element(ByText(), {"value": [2.5]})


def test_side_data_of_all_keys_has_no_order_in_time() -> None:
    with pytest.raises(ConfigError, match=r"Weighted\.weight takes side data for all keys, which"):

        class Weighted(ProcessingElement):
            value = Input(object, by="source", order="time")
            weight = Input(object, to="all", order="time")

            def on_value(self, value: object) -> None:
                return None

            def on_weight(self, weight: object) -> None:
                return None


@pytest.mark.parametrize(("order", "faults"), [(None, 1), ("any", 0)])
def test_copies_that_keep_state_say_whether_the_order_of_channels_matters(
    order: Any, faults: int
) -> None:
    class Last(ProcessingElement):
        number = Input(int, to="all", order=order)
        state = State(Seen)

        def on_number(self, number: int) -> None:
            self.state.items = number

    workflow = Workflow()
    last = workflow.add(Last())
    for name in ("first", "second"):
        source = workflow.add(replay([1]), name=name)
        workflow.connect(source.out, last.number)
    assert len(workflow.faults()) == faults
