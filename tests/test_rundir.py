import json
import multiprocessing
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowquake.errors import UsageError
from flowquake.rundir import RunDirectory, describe_inputs, new_id, read_record
from flowquake.runindex import add_to_index, data_home, find_run, list_runs

NOW = datetime(2026, 11, 21, 7, 7, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("FLOWQUAKE_HOME", str(tmp_path / "home"))


def record(identity: str, status: str = "done", pid: int = 1) -> dict[str, object]:
    host = {"name": socket.gethostname(), "pid": pid}
    return {"schema": "flowquake/run-1", "id": identity, "status": status, "host": host}


def test_ids_sort_by_time_and_hold_no_odd_characters() -> None:
    early, late = new_id("a b/c", NOW), new_id("a b/c", NOW.replace(hour=8))
    assert early < late
    assert early.startswith("20261121-070712-a_b_c-")


def test_two_runs_of_one_moment_get_two_directories() -> None:
    made = {RunDirectory.create("x", now=NOW).path for _ in range(50)}
    assert len(made) == 50


def test_an_empty_folder_and_a_new_one_are_taken() -> None:
    Path("empty").mkdir()
    assert RunDirectory.create("x", out=Path("empty")).path == Path("empty")
    assert RunDirectory.create("x", out=Path("a/b")).path.is_dir()


def test_a_file_is_refused() -> None:
    Path("file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        RunDirectory.create("x", out=Path("file"))


def test_a_run_json_of_another_program_protects_its_folder() -> None:
    Path("other").mkdir()
    Path("other/run.json").write_text('{"schema": "other"}')
    with pytest.raises(UsageError, match="holds no earlier run"):
        RunDirectory.create("x", out=Path("other"))


def test_a_run_that_is_still_writing_is_not_replaced() -> None:
    directory = RunDirectory.create("x", out=Path("out"))
    directory.write(record("x", "started", os.getpid()))
    with pytest.raises(UsageError, match="still writing"):
        RunDirectory.create("x", out=Path("out"))


def test_an_earlier_run_is_emptied_of_what_it_wrote() -> None:
    directory = RunDirectory.create("x", out=Path("out"))
    directory.write(record("x"))
    directory.append("log.jsonl", {"a": 1})
    (directory.path / "outputs").mkdir()
    (directory.path / "outputs" / "old.csv").write_text("")
    (directory.path / "notes.txt").write_text("mine")

    RunDirectory.create("x", out=Path("out"))

    assert [path.name for path in Path("out").iterdir()] == ["notes.txt"]


def test_inputs_are_hashed_and_folders_are_not() -> None:
    Path("a.txt").write_text("abc")
    given = {"one": Path("a.txt"), "many": [Path("a.txt"), Path("none")], "here": Path(), "n": 3}
    described = describe_inputs(given)
    assert [entry["parameter"] for entry in described] == ["one", "many", "here"]
    assert described[0]["sha256"].startswith("ba7816bf")
    assert described[2]["sha256"] is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', "\x00"])
def test_a_broken_record_is_no_record(text: str) -> None:
    Path("run.json").write_text(text)
    assert read_record(Path()) is None


def _add_many(name: str) -> None:
    for number in range(50):
        add_to_index(f"{name}{number:03}", Path("x" * 200), workflow="w", started="")


def test_lines_of_several_processes_never_mix() -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_add_many, args=(name,)) for name in "abcd"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    lines = (data_home() / "runs.jsonl").read_text().splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == 200


def test_an_index_that_cannot_be_written_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").write_text("")
    monkeypatch.setenv("FLOWQUAKE_HOME", "file/home")
    assert not add_to_index("x", Path("x"), workflow="w", started="")
    assert list_runs() == []


def test_a_run_is_found_by_id_part_directory_and_last() -> None:
    for name in ("20260101-a-1111", "20260202-b-2222"):
        RunDirectory(Path(name), name).path.mkdir()
        RunDirectory(Path(name), name).write(record(name))
        add_to_index(name, Path(name), workflow="w", started="")
    assert find_run("20260101-a-1111").status == "done"
    assert find_run("1111").id == "20260101-a-1111"
    assert find_run("20260202").id == find_run("last").id == "20260202-b-2222"
    assert find_run("20260101-a-1111").path == Path("20260101-a-1111").resolve()
    with pytest.raises(UsageError, match="fits 2 runs"):
        find_run("2026")


def test_a_run_that_ended_without_a_word_is_lost() -> None:
    directory = RunDirectory.create("x", out=Path("out"))
    directory.write(record("x", "started", pid=2**22 + 1))
    assert find_run("out").status == "lost"


def test_a_run_keeps_room_for_its_last_record() -> None:
    directory = RunDirectory.create("x", out=Path("out"))
    directory.write(record(directory.id, "started"))
    held = sum(path.stat().st_size for path in Path("out").iterdir())
    assert held > 32_768
    directory.write(record(directory.id, "done"))
    assert [path.name for path in Path("out").iterdir()] == ["run.json"]
