import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake.conversion import convert, to_text, type_name
from flowquake.errors import ConfigError, UsageError, WorkflowError
from flowquake.parameters import (
    Parameter,
    Secret,
    describe_parameters,
    parse_assignments,
    read_settings,
)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("3", int, 3),
        ("-1.5e3", float, -1500.0),
        ("inf", float, float("inf")),
        ("Yes", bool, True),
        ("off", bool, False),
        ("a,b", str, "a,b"),
        ("a/b.txt", Path, Path("a/b.txt")),
        ("2011-08-01", datetime, datetime(2011, 8, 1, tzinfo=UTC)),
        ("2011-08-01T10:30:00Z", datetime, datetime(2011, 8, 1, 10, 30, tzinfo=UTC)),
        ("2011-08-01T10:30:00+02:00", datetime, datetime(2011, 8, 1, 8, 30, tzinfo=UTC)),
        ("maxc", Literal["maxc", "gft"], "maxc"),
        ("37.5,37.9", tuple[float, float], (37.5, 37.9)),
        ("1, 2,3", list[int], [1, 2, 3]),
        ("", list[str], []),
        ("none", float | None, None),
        ("1.3", float | Literal["maxc"], 1.3),
        ("maxc", float | Literal["maxc"], "maxc"),
        ("1.3", float | str, 1.3),
        ("gft", float | str, "gft"),
        ("all", list[str] | str, "all"),
        ("a,b", list[str] | str, ["a", "b"]),
        ("1.5", datetime | float | None, 1.5),
        ("2011-08-01", datetime | float | None, datetime(2011, 8, 1, tzinfo=UTC)),
    ],
)
def test_a_text_becomes_a_value_of_the_annotated_type(text: str, kind: Any, value: object) -> None:
    assert convert(text, kind) == value
    assert type(convert(text, kind)) is type(value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1.5", int),
        ("nan", float),
        ("maybe", bool),
        ("", Path),
        ("01/08/2011", datetime),
        ("20110801", datetime),
        ("2011-13-01", datetime),
        ("max", Literal["maxc"]),
        ("1,2,3", tuple[float, float]),
        ("1,x", list[int]),
        ("x", float | None),
    ],
)
def test_a_text_of_another_type_is_refused(text: str, kind: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any text
        convert(text, kind)


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_numbers_are_written_so_that_they_read_back(values: list[float]) -> None:
    assert convert(to_text(values), list[float]) == values


def test_types_are_named_for_people() -> None:
    assert type_name(tuple[float, float, float, float] | None) == "number,number,number,number"
    assert type_name(list[str] | str) == "text,... | text"


def build(*, catalog: Path, step: float | None = None, model: Literal["a", "b"] = "a") -> None:
    """Forecast.

    Parameters
    ----------
    catalog : Path
        The file
        to read.
    step, model : float
        Something.

    Returns
    -------
    Workflow
    """


PARAMETERS = describe_parameters(build)


def test_parameters_come_from_signature_and_docstring() -> None:
    assert [(p.name, p.required, p.help) for p in PARAMETERS] == [
        ("catalog", True, "The file to read."),
        ("step", False, "Something."),
        ("model", False, "Something."),
    ]


def test_a_build_that_takes_anything_is_refused() -> None:
    def loose(**anything: object) -> None: ...

    with pytest.raises(WorkflowError, match="cannot be given by name"):
        describe_parameters(loose)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"catalog": "x", "stp": "1"}, r"no parameter 'stp'; did you mean 'step'\?"),
        ({"step": "1"}, "not given: catalog"),
        ({"catalog": "x", "step": "one"}, "'step' is 'one', which is not of its type: number"),
    ],
)
def test_wrong_settings_are_errors_that_say_what_is_right(
    settings: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read_settings(PARAMETERS, settings, where="workflow 'x'")
    assert caught.value.fix


def test_settings_that_were_not_given_are_left_to_the_function() -> None:
    values = read_settings(PARAMETERS, {"catalog": "x", "step": "7"}, where="")
    assert values == {"catalog": Path("x"), "step": 7.0}


def test_assignments_are_split_at_the_first_equals_sign() -> None:
    assert parse_assignments(["a=b=c", "a-b=1", "a="]) == {"a": "", "a_b": "1"}
    with pytest.raises(UsageError):
        parse_assignments(["=b"])


def test_a_secret_is_read_late_and_only_its_reference_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parameter = Parameter(name="password", kind=Secret)
    secret = parameter.read("env:FQ_PASSWORD")
    assert isinstance(secret, Secret)
    with pytest.raises(ConfigError, match="FQ_PASSWORD: the environment variable is not set"):
        secret.reveal()
    monkeypatch.setenv("FQ_PASSWORD", "hunter2")
    assert secret.reveal() == "hunter2"
    shown = f"{secret} {secret!r} {pickle.dumps(secret)!r}"
    assert "hunter2" not in shown
    (tmp_path / "key").write_text("abc\n")
    assert Secret(f"file:{tmp_path / 'key'}").reveal() == "abc"


def test_a_secret_that_is_not_a_reference_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        Parameter(name="password", kind=Secret).read("hunter2")
    assert "hunter2" not in str(caught.value)


def test_a_referenced_text_of_the_wrong_type_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FQ_NUMBER", "hunter2")
    with pytest.raises(ConfigError) as caught:
        Parameter(name="n", kind=int).read("env:FQ_NUMBER")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
