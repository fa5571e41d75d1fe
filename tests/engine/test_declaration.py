"""What a class declares is checked when the class is made."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from flowquake import (
    ConfigError,
    Emissions,
    Input,
    Output,
    ProcessingElement,
    Production,
    Source,
    State,
    Watermark,
    Workflow,
    element,
    field,
    run,
)
from flowquake.pe import snake_case
from flowquake.testing import run_element


@dataclass
class Counts:
    seen: int = 0
    version: int = 1


class Scale(ProcessingElement):
    x = Input(float)
    out = Output(float)

    factor: float = 2.0
    offsets: list[float] = field(default_factory=list)

    def on_x(self, x: float) -> Emissions:
        yield self.out(x * self.factor)


@element
def scaled(x: float, factor: float = 2.0, offsets: list[float] = []) -> float:  # noqa: B006 - copied
    """Multiply and add."""
    return x * factor + sum(offsets)


@element
def letters(text: str) -> Any:
    yield from text


@element
def odd_only(x: int, *, keep: bool = True) -> int | None:
    return x if x % 2 and keep else None


def handler(self: Any, item: int) -> None:
    return None


def make(**body: Any) -> type:
    return type("Made", (ProcessingElement,), {"__module__": __name__, **body})


def test_parameters_are_keywords_with_defaults() -> None:
    assert Scale(factor=3.0).parameters() == {"factor": 3.0, "offsets": []}
    assert Scale().offsets is not Scale().offsets
    with pytest.raises(TypeError):
        Scale(3.0)  # type: ignore[call-arg]  # on purpose
    with pytest.raises(TypeError, match="facto"):
        Scale(facto=3.0)  # type: ignore[call-arg]  # on purpose
    assert Scale() != Scale()
    assert Scale().name == "scale"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"x": Input(int)}, "no handler for its input 'x'"),
        ({"x": Input(int), "on_z": handler}, "no handler for its input 'x'"),
        ({"trace": Input(int), "on_trase": handler}, "did you mean 'trase'"),
        ({"on_x": handler}, "has no input 'x'"),
        ({"key": Input(int), "on_key": handler}, "the name 'key' is reserved"),
        ({"finish": Output(int)}, "the name 'finish' is reserved"),
        ({"Big": Output(int)}, "call it 'big'"),
        ({"counts": State(Counts)}, "always called 'state'"),
        ({"__annotations__": {"clock": int}}, "the name 'clock' is reserved"),
        ({"__annotations__": {"x": int}, "x": Output(int)}, "never annotated"),
        ({"__annotations__": {"many": list}, "many": []}, "default_factory"),
        (
            {"x": Input(int, by=abs), "y": Input(int), "on_x": handler, "on_y": handler},
            "need `by` too",
        ),
        ({"x": Input(int), "on_x": lambda self, a, b: None}, "exactly one item"),
    ],
)
def test_a_wrong_declaration_is_refused_when_the_class_is_made(
    body: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        make(**body)
    assert text in str(caught.value)


def test_a_wrongly_annotated_handler_is_refused() -> None:
    with pytest.raises(ConfigError, match="takes str, but the port carries int"):

        class Wrong(ProcessingElement):
            x = Input(int)

            def on_x(self, x: str) -> None:
                return None


def test_a_source_has_no_inputs_and_hears_no_watermarks() -> None:
    def produce(self: Any, split: object) -> Production:
        yield Watermark(1)

    for body, text in (
        ({"x": Input(int), "on_x": handler}, "cannot have inputs"),
        ({"on_watermark": handler}, "hears none"),
    ):
        with pytest.raises(ConfigError, match=text):
            type("Made", (Source,), {"produce": produce, **body})


@pytest.mark.parametrize(
    "settings",
    [
        {"by": "source", "to": "all"},
        {"to": "some"},
        {"order": "size"},
        {"lateness": 3.0},
        {"order": "time", "lateness": -3.0},
    ],
    ids=str,
)
def test_settings_of_an_input_that_exclude_each_other_are_refused(settings: Any) -> None:
    with pytest.raises(ConfigError):
        Input(int, **settings)


def test_a_ports_type_is_a_plain_class() -> None:
    with pytest.raises(ConfigError, match=r"Input\(dict\)"):
        Input(dict[str, int])
    with pytest.raises(ConfigError, match="plain class"):
        Output(Literal["a"])  # type: ignore[arg-type]  # on purpose


def test_a_state_is_a_dataclass_with_defaults_and_a_version() -> None:
    @dataclass
    class Bare:
        seen: int
        version: int = 1

    @dataclass
    class Old:
        seen: int = 0

    for kind, text in ((Bare, "no default"), (Old, "no version"), (int, "needs a dataclass")):
        with pytest.raises(ConfigError, match=text):
            State(kind)


def test_a_subclass_inherits_and_may_replace_ports() -> None:
    class Wider(Scale):
        more = Output(float)
        shift: float = 1.0

        def on_x(self, x: float) -> Emissions:
            yield from super().on_x(x)
            yield self.more(x + self.shift)

    assert Wider._declaration.outputs.keys() == {"out", "more"}
    assert Wider(factor=1.0).parameters() == {"factor": 1.0, "offsets": [], "shift": 1.0}
    result = run_element(Wider(), {"x": [1.0]})
    assert result.emitted == {"out": [2.0], "more": [2.0]}


def test_which_elements_multiply_can_be_read_from_the_class() -> None:
    def multiplies(**body: Any) -> bool:
        made: Any = make(on_x=handler, **body)
        return bool(made._declaration.multiplies)

    assert multiplies(x=Input(int))
    assert multiplies(x=Input(int, by=abs, order="time"), state=State(Counts))
    assert not multiplies(x=Input(int), state=State(Counts))
    assert not multiplies(x=Input(int), finish=lambda self: None)
    assert not multiplies(x=Input(int), on_watermark=lambda self, time: None)
    assert not multiplies(x=Input(int, to="one"))
    assert not multiplies(x=Input(int, to="all"))
    assert not multiplies(x=Input(int, order="time"))


def test_elements_and_their_classes_pickle_by_name() -> None:
    for cls in (Scale, scaled):
        assert pickle.loads(pickle.dumps(cls)) is cls
        part = pickle.loads(pickle.dumps(cls(factor=5.0)))
        assert part.parameters() == {"factor": 5.0, "offsets": []}
    assert copy.deepcopy(Scale(offsets=[1.0])).offsets == [1.0]


def test_outside_a_run_an_element_says_how_to_try_it() -> None:
    part = Scale()
    text = r"flowquake\.testing\.run_element"
    with pytest.raises(RuntimeError, match=text):
        _ = part.clock
    with pytest.raises(RuntimeError, match=text):
        part.count("skipped")
    with pytest.raises(RuntimeError, match=text):
        part.rng()


def test_a_function_becomes_an_element() -> None:
    assert scaled.function(2.0) == 4.0
    assert scaled.__doc__ == "Multiply and add."
    assert run_element(scaled(offsets=[1.0]), {"x": [1.0, 2]})["out"] == [3.0, 5.0]
    assert scaled().parameters()["offsets"] is not scaled().parameters()["offsets"]
    assert run_element(letters(), {"text": ["ab", "", "c"]})["out"] == ["a", "b", "c"]
    assert run_element(odd_only(), {"x": [1, 2, 3]})["out"] == [1, 3]
    assert run_element(odd_only(keep=False), {"x": [1]})["out"] == []


def test_a_function_that_cannot_be_an_element_is_refused() -> None:
    def nothing() -> int:
        return 1

    def untyped(x, y=1):  # type: ignore[no-untyped-def]  # on purpose
        return x

    def gathers(x: int, *more: int) -> int:
        return x

    def clashes(out: int) -> int:
        return out

    def reserved(x: int, key: str = "a") -> int:
        return x

    def unknown(x: int) -> int:
        return 1

    unknown.__annotations__["x"] = "Missing"

    functions: list[Any] = [nothing, untyped, gathers, clashes, reserved, unknown]
    for function in functions:
        with pytest.raises(ConfigError):
            element(function)


@pytest.mark.parametrize(
    ("name", "snake"),
    [("A", "a"), ("STALTA", "stalta"), ("ReadCSVFile", "read_csv_file"), ("Mc2B", "mc2_b")],
)
def test_names_in_snake_case(name: str, snake: str) -> None:
    assert snake_case(name) == snake


def test_a_function_element_runs_in_a_workflow() -> None:
    workflow = Workflow("w")
    first, second = letters(), scaled_text()
    workflow.connect(first.out, second.text)
    from flowquake.testing import replay

    workflow.connect(replay(["ab"]).out, first.text)
    assert run(workflow, collect=[second.out])[second.out] == ["AA", "BB"]


@element
def scaled_text(text: str, times: int = 2) -> str:
    return text.upper() * times
