"""A command line in a folder of its own, and a small workflow to run."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from flowquake.cli.app import invoke

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "json"

TOY = '''
"""Count and double numbers."""

from pathlib import Path

from flowquake import Emissions, Input, Output, ProcessingElement, Production, Source, Workflow
from flowquake.errors import InputError


class Numbers(Source):
    """Give the whole numbers."""

    numbers = Output(int)

    upto: int = 4

    def produce(self, split: object) -> Production:
        for number in range(self.upto):
            self.progress(number + 1, self.upto)
            yield self.numbers(number)


class Double(ProcessingElement):
    """Double numbers."""

    number = Input(int)
    doubled = Output(int)
    odd = Output(int)

    fail_at: int = -1
    how: str = "value"

    def on_number(self, number: int) -> Emissions:
        if number == self.fail_at:
            if self.how == "input":
                raise InputError("the number is bad", fix="give a better one")
            raise ValueError("a \\x1b[31mred\\x1b[0m number")
        self.count("seen")
        yield self.doubled(2 * number)
        if number % 2:
            yield self.odd(number)


class Keep(ProcessingElement):
    """Write numbers to a file."""

    item = Input(int)

    def on_item(self, item: int) -> None:
        with self.run_path("outputs", "numbers.txt").open("a") as file:
            file.write(f"{item}\\n")


def build(
    *,
    upto: int = 4,
    fail_at: int = -1,
    how: str = "value",
    data: Path | None = None,
    password: str = "",
    connected: bool = True,
) -> Workflow:
    """Count and double numbers.

    Parameters
    ----------
    upto : int
        How many numbers.
    password : str
        Never used.
    """
    workflow = Workflow("toy")
    numbers = workflow.add(Numbers(upto=upto))
    double = workflow.add(Double(fail_at=fail_at, how=how))
    keep = workflow.add(Keep())
    if connected:
        workflow.connect(numbers.numbers, double.number)
        workflow.connect(double.doubled, keep.item)
    return workflow
'''


@dataclass(frozen=True)
class Result:
    """What a command gave."""

    code: int
    out: str
    err: str

    def json(self, schema: str) -> Any:
        """Read the one JSON document, and hold it against its schema."""
        document = json.loads(self.out)
        described = json.loads((SCHEMAS / f"{schema}.json").read_text())
        jsonschema.Draft202012Validator.check_schema(described)
        jsonschema.validate(document, described)
        return document


Flowquake = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty present directory, with an index of runs and settings of its own."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("FLOWQUAKE_HOME", str(tmp_path / "home"))
    for name in ("FLOWQUAKE_DEBUG", "FLOWQUAKE_CONFIG", "FLOWQUAKE_BOOTSTRAP"):
        monkeypatch.delenv(name, raising=False)
    (place / "toy.py").write_text(TOY)
    return place


@pytest.fixture
def flowquake(folder: Path) -> Iterator[Flowquake]:
    """Run the command line in this process."""
    path = list(sys.path)

    def call(*arguments: object) -> Result:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = invoke([str(argument) for argument in arguments])
        return Result(code, out.getvalue(), err.getvalue())

    yield call
    sys.path[:] = path
