"""How fast the command starts, and how it ends; in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEAVY = {"numpy", "scipy", "obspy", "matplotlib", "networkx", "pandas", "rich"}
COMMAND = [sys.executable, "-m", "flowquake.cli"]


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["runs", "--help"], ["list"]])
def test_help_and_lists_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from flowquake.cli.app import invoke\n"
        f"code = invoke({arguments!r})\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_help_takes_less_than_a_third_of_a_second() -> None:
    def once() -> float:
        begin = time.perf_counter()
        subprocess.run([*COMMAND, "--help"], capture_output=True, check=True)
        return time.perf_counter() - begin

    once()
    assert min(once() for _ in range(5)) < 0.3


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("flowquake run erup", "plain,eruption_forecast"),
        ("flowquake describe Fit", "plain,FitFailure"),
    ],
)
def test_names_are_completed(words: str, expected: str) -> None:
    environment = dict(
        os.environ, COMP_WORDS=words, COMP_CWORD="2", _FLOWQUAKE_COMPLETE="bash_complete"
    )
    command = [sys.executable, "-c", "from flowquake.cli import main; main()"]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert expected in shown.stdout.splitlines()


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "flowquake", "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert shown.stdout.startswith("flowquake ")


def test_a_closed_pipe_is_quiet() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*COMMAND, "list"], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_run_that_is_stopped_ends_in_order(folder: Path, name: str) -> None:
    (folder / "endless.py").write_text(
        "import itertools\n"
        "from flowquake import Output, Source, Wait, Workflow\n"
        "class Ticks(Source):\n"
        "    ticks = Output(int)\n"
        "    def produce(self, split):\n"
        "        for n in itertools.count():\n"
        "            yield self.ticks(n)\n"
        "            yield Wait(0.01)\n"
        "workflow = Workflow('endless')\n"
        "workflow.add(Ticks())\n"
    )
    process = subprocess.Popen(
        [*COMMAND, "run", "endless.py", "--out", "out"], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 20
    while not (folder / "out" / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.Signals[name])
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Interrupted after" in err
    assert "later results" in err
    assert '"status": "interrupted"' in (folder / "out" / "run.json").read_text()
    assert "Traceback" not in err
