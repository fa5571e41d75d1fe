"""A command line in this process, and the examples of dispel4py as they were installed."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from flowquake.cli.app import invoke
from flowquake.compat.dispel4py.workflow_graph import WorkflowNode

VERSION = "2.9.1"
INSIDE = Path("dispel4py") / "examples" / "graph_testing"


@dataclass(frozen=True)
class Result:
    """What a command gave."""

    code: int
    out: str
    err: str


Flowquake = Callable[..., Result]


@pytest.fixture(autouse=True)
def _numbers_from_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WorkflowNode, "node_counter", 0)


@pytest.fixture
def flowquake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flowquake]:
    """Run the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("FLOWQUAKE_DEBUG", "FLOWQUAKE_CONFIG", "FLOWQUAKE_MAPPING"):
        monkeypatch.delenv(name, raising=False)
    path = list(sys.path)

    def call(*arguments: object) -> Result:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = invoke([str(argument) for argument in arguments])
        return Result(code, out.getvalue(), err.getvalue())

    yield call
    sys.path[:] = path


@pytest.fixture(scope="session")
def d4py_examples() -> Path:
    """The folder of dispel4py's example graphs, from its wheel; never part of this project.

    ``FLOWQUAKE_D4PY_EXAMPLES`` names it, else the wheel is unpacked once into
    the user's cache, without anything that it depends on.
    """
    named = os.environ.get("FLOWQUAKE_D4PY_EXAMPLES")
    if named:
        folder = Path(named)
        if not folder.is_dir():
            pytest.fail(f"FLOWQUAKE_D4PY_EXAMPLES={named} is no folder")
        return folder
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = home / "flowquake" / f"stream-d4py-{VERSION}"
    folder = cache / INSIDE
    if not folder.is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--target", str(cache), f"stream-d4py=={VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not folder.is_dir():
            pytest.skip(
                f"dispel4py's examples cannot be had; by hand: {' '.join(command)}\n{done.stderr}"
            )
    return folder
