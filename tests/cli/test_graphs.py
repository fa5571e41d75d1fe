from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Flowquake


def test_validate_says_ok(flowquake: Flowquake) -> None:
    result = flowquake("validate", "toy.py")
    assert (result.code, result.out) == (0, "toy: ok, 3 elements, 2 connections\n")


def test_validate_lists_every_fault(flowquake: Flowquake) -> None:
    result = flowquake("validate", "toy.py", "--set", "connected=false")
    assert result.code == 2
    assert "'number' of PE 'double'" in result.err
    assert "'item' of PE 'keep'" in result.err

    shown = flowquake("validate", "toy.py", "--set", "connected=false", "--json")
    assert len(shown.json("validate")["faults"]) == 2
    assert shown.code == 2


def test_graph_is_drawn_in_each_format(flowquake: Flowquake, folder: Path) -> None:
    assert flowquake("graph", "toy.py").out.startswith("flowchart")
    assert flowquake("graph", "toy.py", "--format", "dot").out.startswith("digraph")
    flowquake("graph", "toy.py", "-o", "toy.svg")
    assert "<svg" in (folder / "toy.svg").read_text()


def test_graph_to_a_place_that_cannot_be_written_is_an_error(flowquake: Flowquake) -> None:
    result = flowquake("graph", "toy.py", "-o", "nowhere/toy.svg")
    assert (result.code, "cannot write" in result.err) == (2, True)


def test_graph_with_an_ending_of_no_format_is_an_error(flowquake: Flowquake, folder: Path) -> None:
    result = flowquake("graph", "toy.py", "-o", "toy.jpg")
    assert (result.code, ".svg" in result.err) == (2, True)
    assert not (folder / "toy.jpg").exists()


def test_a_graph_can_be_looked_at_before_there_is_a_catalog(flowquake: Flowquake) -> None:
    assert "fit_hyperbolic" in flowquake("graph", "eruption_forecast").out
    assert "ok" in flowquake("validate", "eruption_forecast").out
    assert (
        "fit_hyperbolic"
        not in flowquake("graph", "eruption_forecast", "--set", "model=constant").out
    )


def test_plan_names_instances(flowquake: Flowquake) -> None:
    assert "double[1]" in flowquake("plan", "toy.py", "-n", 2).out
    document = flowquake("plan", "toy.py", "-n", 2, "--json").json("plan")
    assert document["instances"]["double"] == 2


def test_a_plan_is_drawn_in_each_format(flowquake: Flowquake, folder: Path) -> None:
    assert flowquake("plan", "toy.py", "-n", 2, "--format", "mermaid").out.startswith("flowchart")
    assert flowquake("plan", "toy.py", "-n", 2, "--format", "dot").out.startswith("digraph")
    flowquake("plan", "toy.py", "-n", 2, "-o", "toy.svg")
    assert "worker 1" in (folder / "toy.svg").read_text()
    flowquake("plan", "toy.py", "-n", 2, "-o", "toy.txt")
    assert (folder / "toy.txt").read_text() == flowquake("plan", "toy.py", "-n", 2).out


def test_plan_takes_partitions(flowquake: Flowquake) -> None:
    apart = flowquake("plan", "toy.py", "-n", 3, "--partition", "numbers, double", "--json")
    units = [[i["element"] for i in unit["instances"]] for unit in apart.json("plan")["units"]]
    assert units == [["numbers", "double"], ["keep"], ["keep"]]
    wrong = flowquake("plan", "toy.py", "-n", 2, "--partition", "numbers,kep")
    assert (wrong.code, "did you mean 'keep'?" in wrong.err) == (2, True)


def test_plan_can_leave_every_element_apart(flowquake: Flowquake) -> None:
    apart = flowquake("plan", "toy.py", "-n", 2, "--no-fuse", "--json").json("plan")
    assert {unit["stage"] for unit in apart["units"]} == {0, 1, 2}


def test_plan_as_json_is_not_written_to_a_file(flowquake: Flowquake) -> None:
    assert flowquake("plan", "toy.py", "--json", "-o", "toy.svg").code == 2
