"""Types of handlers, parameters and ports are checked before anything runs."""

from __future__ import annotations

import numbers
import typing
from abc import ABC
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pytest

import flowquake
from flowquake import ConfigError, Input, Output, ProcessingElement, Workflow, element
from flowquake.declaration import is_wrong
from flowquake.testing import run_element

if TYPE_CHECKING:
    Unknown = Any

Choice = Literal["maxc", "gft"]


class Shape(ABC):  # noqa: B024 - abstract by its base alone
    pass


class HasTime(Protocol):
    time: int


class Named(typing.TypedDict):
    name: str


class Tuned(ProcessingElement):
    x = Input(int)

    minimum: float = 0.0
    count_of: int = 1
    strict: bool = True
    label: str = "a"
    path: Path = Path("a.csv")
    method: float | Choice | None = None
    unknown: Unknown = None
    limits: tuple[float, float] = (0.0, 1.0)

    def on_x(self, x: int) -> None:
        return None


def made(source: str) -> type:
    """Make a class in a module of its own, which knows flowquake's public names only."""
    space: dict[str, Any] = {name: getattr(flowquake, name) for name in flowquake.__all__}
    space["__name__"] = "a_workflow_file"
    exec(compile(source, "a_workflow_file.py", "exec", dont_inherit=True), space)  # noqa: S102 - ours
    kind = space["Made"]
    assert isinstance(kind, type)
    return kind


HANDLER = """
from __future__ import annotations
class Made(ProcessingElement):
    x = Input(dict)
    def on_x(self, item: {wrong}) -> {returned}:
        yield from ()
"""


@pytest.mark.parametrize("returned", ["Emissions", "Unknown", "None"])
@pytest.mark.parametrize("wrong", ["int", "int | str", "list[int]", "'int'"])
def test_a_handler_of_an_unrelated_type_is_refused_whatever_it_returns(
    wrong: str, returned: str
) -> None:
    with pytest.raises(ConfigError, match=r"Made\.on_x takes .*, but the port carries dict"):
        made(HANDLER.format(wrong=wrong, returned=returned))


def test_a_handler_without_annotations_is_accepted() -> None:
    made(HANDLER.replace(": {wrong}) -> {returned}", ")"))


@pytest.mark.parametrize("right", ["dict", "dict[str, int]", "dict | None", "object", "Unknown"])
def test_a_handler_of_a_type_that_fits_or_cannot_be_known_is_accepted(right: str) -> None:
    made(HANDLER.format(wrong=right, returned="Emissions"))


def test_a_handler_of_a_type_that_is_defined_later_is_refused_in_validate() -> None:
    source = HANDLER.format(wrong="Later", returned="Emissions") + "class Later: pass\n"
    workflow = Workflow("w")
    workflow.add(made(source)())
    assert any("on_x takes Later, but the port carries dict" in f for f in workflow.faults())


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"minimum": "a"}, "minimum='a' is not of its type: float"),
        ({"minimum": None}, "minimum=None is not of its type: float"),
        ({"count_of": 1.5}, "count_of=1.5 is not of its type: int"),
        ({"strict": "no"}, "strict='no' is not of its type: bool"),
        ({"label": 3}, "label=3 is not of its type: str"),
        ({"path": 3}, "path=3 is not of its type: Path"),
        (
            {"method": "max"},
            "method='max' is not of its type: float | Literal['maxc', 'gft'] | None",
        ),
    ],
)
def test_a_parameter_of_a_plainly_wrong_type_is_refused_when_it_is_added(
    given: dict[str, Any], text: str
) -> None:
    workflow = Workflow("w")
    with pytest.raises(ConfigError) as caught:
        workflow.add(Tuned(**given), name="tuned_2")
    assert caught.value.message.startswith(f"PE 'tuned_2' (Tuned): {text}")
    assert caught.value.where is not None
    assert "workflow 'w'" in caught.value.where


def test_the_fix_writes_a_text_as_the_value_that_it_says() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"minimum": "2.5"}, "minimum=2.5"),
        ({"path": "b.csv"}, "path=Path('b.csv')"),
        ({"strict": "no"}, "strict=False"),
        ({"minimum": "a"}, "for example minimum=1.5"),
    ]
    for given, fix in wrong:
        with pytest.raises(ConfigError) as caught:
            Workflow("w").add(Tuned(**given))
        assert caught.value.fix == fix


def test_parameters_that_fit_or_cannot_be_judged_are_accepted() -> None:
    accepted: list[dict[str, Any]] = [
        {"minimum": 2, "count_of": np.int64(3), "strict": np.True_, "label": np.str_("b")},
        {"minimum": np.float32(2), "method": 2, "path": Path("b.csv"), "unknown": 7},
        {"method": "gft", "limits": "anything"},
        {"method": None},
    ]
    for given in accepted:
        Workflow("w").add(Tuned(**given))


def test_a_parameter_of_a_function_is_checked_too() -> None:
    @element
    def scaled(x: float, factor: float = 2.0) -> float:
        return x * factor

    with pytest.raises(ConfigError, match=r"\(scaled\): factor='b' is not of its type: float"):
        Workflow("w").add(scaled(factor="b"))


@pytest.mark.parametrize(
    ("value", "kind", "wrong"),
    [
        (1, float, False),
        (True, int, False),
        (1.0, int, True),
        (1, bool, True),
        (b"a", str, True),
        ("a", Path, True),
        (None, float | None, False),
        ("a", float | None, True),
        ("a", float | list[int], False),
        ([1], Literal[1, 2], True),
        (np.zeros(2), float, True),
        (np.zeros(2), Literal["a"], True),
        (3, Any, False),
        (3, "Unknown", False),
    ],
)
def test_what_is_plainly_of_another_type(value: object, kind: object, wrong: bool) -> None:
    assert is_wrong(value, kind) is wrong


@pytest.mark.parametrize("kind", [Sequence, Iterable, Shape, HasTime, numbers.Number, Any, Named])
def test_a_port_of_an_abstract_type_is_refused(kind: Any) -> None:
    for port in (Input, Output):
        with pytest.raises(ConfigError, match="concrete class") as caught:
            port(kind)
        assert "object" in str(caught.value)


def test_a_port_of_object_or_of_a_class_that_completes_an_abstract_one_is_accepted() -> None:
    class Square(Shape):
        pass

    for kind in (object, dict, Square, type(None), np.ndarray):
        assert Input(kind).type is kind


def test_a_function_that_takes_an_abstract_type_takes_every_item() -> None:
    @element
    def total(numbers: Sequence[float]) -> Iterable[float]:
        return [sum(numbers)]

    assert run_element(total(), {"numbers": [[1, 2]]})["out"] == [[3]]
