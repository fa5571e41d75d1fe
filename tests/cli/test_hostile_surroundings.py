"""A full disk, closed streams, odd names and settings: the exit code and the words stay right."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowquake.rundir import RunDirectory
from flowquake.runindex import list_runs

if TYPE_CHECKING:
    from tests.cli.conftest import Flowquake

RUN = ("run", "toy.py", "--out", "out")


def start(
    *arguments: str,
    redirect: str = "",
    before: Callable[[], object] | None = None,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    line = f'exec "$0" -m flowquake.cli "$@" {redirect}'
    return subprocess.run(
        ["/bin/sh", "-c", line, sys.executable, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        preexec_fn=before,
        env={**os.environ, **(environment or {})},
        check=False,
    )


def small_files() -> None:
    """Let no file grow over 900 bytes, as if the disk were full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900))


def test_a_full_disk_is_named_with_the_file(folder: Path) -> None:
    result = start(*RUN, before=small_files)
    assert result.returncode == 1
    assert "record of the run cannot be written" in result.stderr
    assert "run.json" in result.stderr
    assert "Fix:" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list((folder / "out").glob(".run-*"))


def test_a_line_of_the_log_is_written_whole_or_not(folder: Path) -> None:
    directory = RunDirectory.create("x", out=folder / "out")
    directory.append("log.jsonl", {"first": 1})
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from flowquake.rundir import RunDirectory\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))\n"
        "directory = RunDirectory(Path(sys.argv[1]), 'x')\n"
        "try: directory.append('log.jsonl', {'second': 'x' * 100})\n"
        "except OSError: sys.exit(7)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(folder / "out")], check=False)
    assert ended.returncode == 7
    assert (folder / "out" / "log.jsonl").read_text() == '{"first": 1}\n'


@pytest.mark.parametrize("redirect", [">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_stream_that_cannot_be_written_does_not_fail_a_run(folder: Path, redirect: str) -> None:
    result = start(*RUN, redirect=redirect)
    assert (result.returncode, "Traceback" in result.stderr) == (0, False)
    assert json.loads((folder / "out" / "run.json").read_text())["status"] == "done"


@pytest.mark.usefixtures("folder")
def test_an_error_keeps_its_code_when_nobody_can_be_told() -> None:
    assert start("nope", redirect="2>/dev/full").returncode == 2


@pytest.mark.usefixtures("folder")
def test_a_result_that_cannot_be_written_is_an_error_in_words() -> None:
    result = start(*RUN, "--json", redirect=">/dev/full")
    assert result.returncode == 1
    assert "the output cannot be written: No space left on device" in result.stderr
    assert "unexpected" not in result.stderr


@pytest.mark.usefixtures("folder")
def test_ctrl_c_while_python_starts_is_no_traceback() -> None:
    code = (
        "import builtins, sys\nfrom flowquake import cli\nown = builtins.__import__\n"
        "def interrupted(name, *rest):\n"
        "    if name == 'flowquake.cli.app': raise KeyboardInterrupt\n"
        "    return own(name, *rest)\n"
        "builtins.__import__ = interrupted\ncli.main(['list'])\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"Interrupted.\n")


SLOW = '''
"""Wait."""

import os, signal
from flowquake import Output, Production, Source, Wait, Workflow


class Slow(Source):
    """Interrupt itself, then go on a little."""

    number = Output(int)

    def produce(self, split: object) -> Production:
        os.kill(os.getpid(), signal.SIGINT)
        for number in range(3):
            yield self.number(number)


workflow = Workflow("slow")
workflow.add(Slow())
'''


def test_the_first_ctrl_c_says_what_happens_next(folder: Path) -> None:
    (folder / "slow.py").write_text(SLOW)
    result = start("run", "slow.py", "--out", "out", before=_hear_ctrl_c)
    assert result.returncode == 130
    assert "a second Ctrl-C stops at once" in result.stderr
    assert "Interrupted" in result.stderr


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_file_name_that_is_no_text_is_recorded(flowquake: Flowquake, folder: Path) -> None:
    name = os.fsdecode(b"data\xff.txt")
    (folder / name).write_text("abc")

    result = flowquake("run", "toy.py", "--set", f"data={name}", "--out", os.fsdecode(b"out\xff"))

    assert result.code == 0, result.err
    record = json.loads((folder / os.fsdecode(b"out\xff") / "run.json").read_text())
    assert record["parameters"] == {"data": name}
    assert [run.status for run in list_runs()] == ["done"]


@pytest.mark.parametrize(
    "table",
    [
        "[run]\nseed = [1, 2]",
        "[run]\nseed = {a = 1}",
        "[run]\nseed = 2011-01-01",
        "[run]\nquiet = 3",
    ],
)
def test_settings_of_a_wrong_type_are_named(flowquake: Flowquake, folder: Path, table: str) -> None:
    (folder / "flowquake.toml").write_text(table)
    result = flowquake(*RUN)
    assert result.code == 2
    assert table.split()[1] in result.err


def test_settings_may_be_numbers_and_lists_of_texts(flowquake: Flowquake, folder: Path) -> None:
    (folder / "flowquake.toml").write_text('[run]\nout = 3\nseed = 7\nassignments = ["upto=2"]')
    assert flowquake("run", "toy.py").code == 0
    record = json.loads((folder / "3" / "run.json").read_text())
    assert (record["options"]["seed"], record["parameters"]) == (7, {"upto": "2"})


def test_settings_that_nest_without_end_are_refused(flowquake: Flowquake, folder: Path) -> None:
    (folder / "flowquake.toml").write_text("a = " + "[" * 100_000)
    result = flowquake("list")
    assert result.code == 2
    assert "flowquake.toml" in result.err


def test_garbage_in_flowquake_debug_shows_no_traceback(
    flowquake: Flowquake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWQUAKE_DEBUG", "maybe")
    result = flowquake("list")
    assert result.code == 2
    assert "Traceback" not in result.err
