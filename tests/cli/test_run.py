from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Flowquake


def record_of(directory: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((directory / "run.json").read_text())
    return record


def test_a_run_leaves_a_directory_that_says_what_was_run(
    flowquake: Flowquake, folder: Path
) -> None:
    (folder / "data.txt").write_text("abc")

    result = flowquake("run", "toy.py", "--set", "data=data.txt", "--seed", 7, "--out", "out")

    assert result.code == 0
    assert result.out == ""
    record = record_of(folder / "out")
    assert (record["status"], record["exit_code"]) == ("done", 0)
    assert record["parameters"] == {"data": "data.txt"}
    assert record["options"] == {
        "mapping": "sequential",
        "workers": 1,
        "seed": 7,
        "on_error": "stop",
        "restarts": 0,
        "fuse": True,
        "stall_timeout": 60.0,
    }
    [given] = record["inputs"]
    assert given["sha256"].startswith("ba7816bf")
    assert record["versions"]["flowquake"]
    assert record["files"] == ["outputs/numbers.txt"]
    metrics = (folder / "out" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(metrics[-1])["received"] == {"numbers": 0, "double": 4, "keep": 4}
    log = (folder / "out" / "log.jsonl").read_text().splitlines()
    assert json.loads(log[-1])["message"] == "run ended"
    assert not (folder / "out" / "rejected.jsonl").exists()


def test_the_summary_names_items_counters_and_outputs_that_nobody_takes(
    flowquake: Flowquake,
) -> None:
    result = flowquake("run", "toy.py", "--out", "out")
    assert "double: seen: 4" in result.err
    assert "double.odd: 2 items" in result.err
    assert "outputs/numbers.txt" in result.err


def test_a_run_without_out_gets_a_directory_whose_name_sorts_by_time(
    flowquake: Flowquake, folder: Path
) -> None:
    flowquake("run", "toy.py", "-q")
    [made] = (folder / "runs").iterdir()
    date, clock, name, _ = made.name.split("-")
    assert (len(date), len(clock), name) == (8, 6, "toy")


def test_json_is_one_document_that_fits_its_schema(flowquake: Flowquake) -> None:
    document = flowquake("run", "toy.py", "--json").json("run")
    assert document["counts"]["double"]["emitted"] == {"doubled": 4, "odd": 2}


def test_quiet_says_nothing(flowquake: Flowquake) -> None:
    result = flowquake("run", "toy.py", "--quiet")
    assert (result.out, result.err) == ("", "")


def test_help_of_a_workflow_shows_its_typed_parameters(flowquake: Flowquake) -> None:
    result = flowquake("run", "toy.py", "--help")
    assert result.code == 0
    assert "--set upto=" in result.out
    assert "(whole number; default 4) How many numbers." in result.out


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        (["--set", "upt=3"], 2, "there is no parameter 'upt'; did you mean 'upto'?"),
        (["--set", "upto=three"], 2, "'three', which is not of its type: whole number"),
        (["--set", "upto"], 2, "is not name=value"),
        (["--on-error", "ignore"], 2, "on_error='ignore' is not known"),
        (["--mapping", "sequental"], 2, "did you mean 'sequential'?"),
        (["-n", "2"], 2, "the sequential mapping has one worker"),
        (["--restarts", "1"], 2, "--restarts 1 needs checkpoints"),
        (["--sed", "1"], 2, "--seed"),
        (["--set", "fail_at=1"], 1, "PE 'double' failed on item 2"),
        (["--set", "fail_at=1", "--set", "how=input"], 3, "InputError: the number is bad"),
        (["--set", "fail_at=1", "--on-error", "skip"], 5, "1 rejected, see"),
    ],
)
def test_a_fault_has_its_exit_code_and_a_text_without_traceback(
    flowquake: Flowquake, settings: list[str], code: int, said: str
) -> None:
    result = flowquake("run", "toy.py", *settings)
    assert result.code == code
    assert said in result.err
    assert "Traceback" not in result.err


def test_what_is_wrong_beforehand_leaves_no_directory(flowquake: Flowquake, folder: Path) -> None:
    flowquake("run", "toy.py", "--set", "upto=three")
    flowquake("run", "toy.py", "--set", "connected=no")
    assert not (folder / "runs").exists()


def test_a_failed_run_says_so_in_its_record_and_keeps_the_traceback_in_its_log(
    flowquake: Flowquake, folder: Path
) -> None:
    result = flowquake("run", "toy.py", "--set", "fail_at=1", "--out", "out", "--json")
    assert result.code == 1
    record = result.json("run")
    assert record["status"] == "failed"
    assert record["counts"]["double"]["received"] == 2
    assert "Traceback" in (folder / "out" / "log.jsonl").read_text()


def test_debug_shows_the_traceback(flowquake: Flowquake) -> None:
    result = flowquake("run", "toy.py", "--set", "fail_at=1", "--debug")
    assert "Traceback" in result.err


def test_the_line_of_an_element_of_the_users_own_is_named(flowquake: Flowquake) -> None:
    result = flowquake("run", "toy.py", "--set", "fail_at=2")
    assert result.code == 1
    assert "toy.py, line" in result.err
    assert "raise ValueError" in result.err


def test_a_wrong_value_of_an_installed_workflow_names_no_line_of_it(
    flowquake: Flowquake, folder: Path
) -> None:
    (folder / "catalog.csv").write_text("time,magnitude\n2020-01-01,2\n")
    settings = ("--set", "catalog=catalog.csv", "--set", "model=hyperbolc")
    result = flowquake("run", "eruption_forecast", *settings)
    assert result.code == 2
    assert "Where: workflow 'eruption_forecast'" in result.err


def test_control_characters_of_data_do_not_reach_the_terminal(flowquake: Flowquake) -> None:
    result = flowquake("run", "toy.py", "--set", "fail_at=1")
    assert "red" in result.err
    assert "\x1b" not in result.err


def test_a_secret_is_written_nowhere(
    flowquake: Flowquake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_PASSWORD", "hunter2")
    result = flowquake("run", "toy.py", "--set", "password=env:TOY_PASSWORD", "--out", "out")
    assert result.code == 0
    written = "".join(p.read_text() for p in (folder / "out").rglob("*") if p.is_file())
    assert "env:TOY_PASSWORD" in written
    assert "hunter2" not in written + result.err


def test_a_folder_with_other_things_is_refused_and_an_earlier_run_is_replaced(
    flowquake: Flowquake, folder: Path
) -> None:
    other = folder / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("dear")
    refused = flowquake("run", "toy.py", "--out", "other")
    assert (refused.code, "is not empty" in refused.err) == (2, True)

    assert flowquake("run", "toy.py", "--out", "other", "--overwrite").code == 0
    flowquake("run", "toy.py", "--set", "upto=1", "--out", "other")

    assert (other / "outputs" / "numbers.txt").read_text() == "0\n"
    assert (other / "thesis.txt").read_text() == "dear"


def test_settings_come_from_the_command_line_then_the_environment_then_the_file(
    flowquake: Flowquake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "flowquake.toml").write_text(
        '[run]\nseed = 3\non-error = "skip"\n[workflows.toy]\nupto = 5\nfail-at = 2\n'
    )
    monkeypatch.setenv("FLOWQUAKE_SEED", "4")
    monkeypatch.setenv("FLOWQUAKE_SET_UPTO", "6")

    record = flowquake("run", "toy.py", "--set", "fail_at=1", "--json", "-q").json("run")

    assert record["options"]["seed"] == 4
    assert record["options"]["on_error"] == "skip"
    assert record["parameters"] == {"upto": "6", "fail_at": "1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[runn]\n", "did you mean 'run'?"),
        ("[run]\nsed = 1\n", "did you mean 'seed'?"),
        ("[run\n", "cannot be read"),
    ],
)
def test_a_wrong_settings_file_is_an_error(
    flowquake: Flowquake, folder: Path, text: str, said: str
) -> None:
    (folder / "flowquake.toml").write_text(text)
    result = flowquake("run", "toy.py")
    assert (result.code, said in result.err) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_between_the_first_record_and_the_run_completes_the_record(
    flowquake: Flowquake, folder: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    monkeypatch.setattr(
        "flowquake.cli.executing.add_to_index", lambda *_, **__: signal.raise_signal(number)
    )
    assert flowquake("run", "toy.py", "--out", "out").code == 130
    record = json.loads((folder / "out" / "run.json").read_text())
    assert (record["status"], record["exit_code"]) == ("interrupted", 130)
    assert signal.getsignal(number) is before
