"""How a run under mpiexec ends when one rank goes another way than the others."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flowquake.mappings.mpiexec import _Pump
from flowquake.mappings.mpifound import find_launcher

ONE_FAILS = '''
"""Fails on some ranks, before anything runs."""

import os
import time
from pathlib import Path

from flowquake import Production, Source, Workflow
from flowquake.errors import InputError


class Nothing(Source):
    """Give nothing."""

    def produce(self, split: object) -> Production:
        """Give nothing."""
        yield from ()


def build(*, ranks: str = "", wait: bool = False) -> Workflow:
    """Make a graph."""
    rank = os.environ.get("PMI_RANK") or os.environ.get("OMPI_COMM_WORLD_RANK")
    if wait:
        Path(f"rank-{rank}").touch()
        time.sleep(60)
    if rank in ranks.split():
        raise InputError("the file is not here", fix="copy it to every node")
    workflow = Workflow("nothing")
    workflow.add(Nothing())
    return workflow
'''


def start(folder: Path, *settings: str) -> subprocess.Popen[str]:
    (folder / "one_fails.py").write_text(ONE_FAILS)
    options = [part for setting in settings for part in ("--set", setting)]
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "flowquake.cli", "run", "one_fails.py"),
            *("--mapping", "mpi", "-n", "3", "--out", "out", *options),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("ranks", "begins"),
    [("2", "On rank 2: InputError: the file"), ("0", "InputError"), ("0 1 2", "InputError")],
)
def test_a_rank_that_fails_before_the_run_ends_it_with_its_own_exit_code(
    tmp_path: Path, ranks: str, begins: str
) -> None:
    process = start(tmp_path, f"ranks={ranks}")
    _, printed = process.communicate(timeout=60)

    assert process.returncode == 3, printed
    assert printed.count("the file is not here") == 1
    assert printed.startswith(begins), printed
    assert "Abort" not in printed.upper()


@pytest.mark.mpi
def test_a_ctrl_c_before_the_run_begins_ends_all_ranks(tmp_path: Path) -> None:
    process = start(tmp_path, "wait=true")
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("rank-*"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    _, printed = process.communicate(timeout=60)

    assert process.returncode == 130, printed
    assert printed.strip() == "Interrupted."


RULE = b"-" * 74 + b"\n"


def pumped(printed: bytes) -> tuple[bytes, bytes]:
    """Give what comes through, and what was kept back."""
    reading, writing = os.pipe()
    run: Any = SimpleNamespace(banner=b"", selector=SimpleNamespace(unregister=lambda source: None))
    target = io.BytesIO()
    with os.fdopen(reading, "rb") as source:
        pump = _Pump(source, target, run)
        os.write(writing, printed)
        pump.move()
        os.close(writing)
        pump.move()
    return target.getvalue(), run.banner


def test_what_open_mpi_says_of_a_death_is_read_and_not_shown() -> None:
    said = b"mpiexec noticed that process rank 1 exited on signal 9 (Killed).\n"

    assert pumped(b"before\n" + RULE + said + RULE + b"after\n") == (
        b"before\nafter\n",
        RULE + said + RULE,
    )


@pytest.mark.parametrize(
    "printed",
    [
        RULE + b"a table\n" + RULE + b"after\n",
        RULE + b"never closed\n",
        RULE + b"row\n" * 100 + RULE + b"last",
    ],
    ids=["a table", "open", "long"],
)
def test_what_elements_print_between_rules_comes_through(printed: bytes) -> None:
    assert pumped(printed) == (printed, b"")


@pytest.mark.mpi
def test_under_an_mpiexec_of_ones_own_rank_0_says_why_and_gives_the_code(tmp_path: Path) -> None:
    fails = ONE_FAILS.replace("yield from ()", "raise ValueError('bad')\n        yield from ()")
    (tmp_path / "fails.py").write_text(fails)
    mpiexec = find_launcher().command(3, [sys.executable, "-m", "flowquake.cli"])
    done = subprocess.run(
        [*mpiexec, "run", "fails.py", "--mapping", "mpi", "--out", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert done.stderr.count("ValueError: bad") == 1
    assert '"status": "failed"' in (tmp_path / "out" / "run.json").read_text()
