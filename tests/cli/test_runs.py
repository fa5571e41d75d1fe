from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Flowquake


def test_runs_are_listed_wherever_they_are(flowquake: Flowquake, folder: Path) -> None:
    flowquake("run", "toy.py", "-q")
    flowquake("run", "toy.py", "-q", "--out", "elsewhere")
    document = flowquake("runs", "list", "--json").json("runs")
    directories = [run["directory"] for run in document["runs"]]
    assert str(folder / "elsewhere") in directories
    assert len(directories) == 2
    assert flowquake("runs", "path", "elsewhere").out.strip() == str(folder / "elsewhere")


def test_a_run_whose_directory_is_gone_is_said_to_be(flowquake: Flowquake, folder: Path) -> None:
    flowquake("run", "toy.py", "-q", "--out", "elsewhere")
    shutil.rmtree(folder / "elsewhere")
    assert "gone" in flowquake("runs", "list").out
    result = flowquake("runs", "show", "last")
    assert (result.code, "is gone" in result.err) == (2, True)


def test_show_gives_the_command_that_repeats_a_run(flowquake: Flowquake) -> None:
    flowquake("run", "toy.py", "-q", "--set", "upto=2", "--seed", 5)
    out = flowquake("runs", "show", "last").out
    assert "flowquake run toy.py --set upto=2 --seed 5" in out
    flowquake("runs", "show", "last", "--json").json("run")


def test_compare_shows_what_differs(flowquake: Flowquake) -> None:
    flowquake("run", "toy.py", "-q", "--out", "a")
    flowquake("run", "toy.py", "-q", "--out", "b", "--set", "upto=2")
    rows = flowquake("runs", "compare", "a", "b", "--json").json("compare")["differences"]
    assert {"name": "parameter upto", "first": "4", "second": "2"} in rows
    assert flowquake("runs", "compare", "a", "a").out == "no difference\n"


def test_an_unknown_run_is_an_error(flowquake: Flowquake) -> None:
    result = flowquake("runs", "show", "xyz")
    assert (result.code, "there is no run 'xyz'" in result.err) == (2, True)
