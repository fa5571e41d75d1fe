from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.conftest import Flowquake

if TYPE_CHECKING:
    from tests.cli.conftest import Flowquake


def test_list_names_everything_with_a_summary(flowquake: Flowquake) -> None:
    out = flowquake("list").out
    assert "ReadCatalog" in out
    assert "eruption_forecast" in out
    assert "sequential" in out


def test_list_keeps_to_a_kind_and_a_word(flowquake: Flowquake) -> None:
    out = flowquake("list", "pes", "completeness", "MAGNITUDE").out
    assert "EstimateCompleteness" in out
    assert "WriteCsv" not in out
    assert "sequential" not in out
    assert "nothing found" in flowquake("list", "xyzzy").err


def test_list_fits_its_schema(flowquake: Flowquake) -> None:
    document = flowquake("list", "--json").json("list")
    assert {entry["name"] for entry in document["pes"]} >= {"ReadCatalog", "FitFailure"}


def test_describe_shows_ports_groupings_and_parameters(flowquake: Flowquake) -> None:
    out = flowquake("describe", "WriteCsv").out
    assert "to one, order any" in out
    assert "path: str, default 'forecasts.csv'" in out
    document = flowquake("describe", "write_csv", "--json").json("describe")
    assert document["element"]["module"] == "flowquake.pes.files"


def test_describe_shows_the_types_that_the_docstring_says(flowquake: Flowquake) -> None:
    assert "step: timedelta or int, default None" in flowquake("describe", "ExpandingWindows").out


def test_describe_shows_a_workflow_as_a_tree(flowquake: Flowquake) -> None:
    out = flowquake("describe", "toy.py").out
    assert "How many numbers." in out
    assert "└─ double (Double)  numbers -> number" in out
    document = flowquake("describe", "toy.py", "--json").json("describe")
    assert document["workflow"]["graph"]["connections"][0]["to"] == "double.number"


def test_describe_shows_the_installed_workflow_without_a_catalog(flowquake: Flowquake) -> None:
    result = flowquake("describe", "eruption_forecast")
    assert result.code == 0
    assert "--set catalog=" in result.out
    flowquake("describe", "eruption_forecast", "--json").json("describe")


def test_describe_suggests_a_name(flowquake: Flowquake) -> None:
    result = flowquake("describe", "FitFailur")
    assert (result.code, "did you mean 'FitFailure'?" in result.err) == (2, True)


def test_a_misspelt_command_is_suggested(flowquake: Flowquake) -> None:
    result = flowquake("rnu")
    assert (result.code, "did you mean 'run'?" in result.err) == (2, True)


def test_completion_is_printed_for_each_shell(flowquake: Flowquake) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_FLOWQUAKE_COMPLETE" in flowquake("completion", shell).out


def test_version_is_the_package_s(flowquake: Flowquake) -> None:
    assert flowquake("--version").out.startswith("flowquake 0.")


def test_list_knows_a_kind_in_the_singular(flowquake: Flowquake) -> None:
    assert flowquake("list", "mapping").out == flowquake("list", "mappings").out


def test_a_name_with_a_hyphen_is_not_broken_over_two_lines(flowquake: Flowquake) -> None:
    assert "lab-ae" in flowquake("describe", "eruption_forecast").out


def test_describe_says_what_the_docstring_of_build_says(flowquake: Flowquake) -> None:
    assert "Without `step` there is one forecast" in flowquake("describe", "eruption_forecast").out


def test_doctor_says_ok_or_fix_on_each_line(flowquake: Flowquake) -> None:
    result = flowquake("doctor")
    assert result.code == 0
    marks = ("  ok  ", "  Fix:", "  --  ")
    assert all(any(mark in line for mark in marks) for line in result.out.splitlines())
    document = flowquake("doctor", "--json").json("doctor")
    assert document["ok"]
