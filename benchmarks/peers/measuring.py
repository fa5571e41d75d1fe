"""Running one measurement in a process of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flowquake
from benchmarks.peers.cases import Measurement
from benchmarks.peers.probe import MARK, NOTES

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Outcome:
    """What one run took.

    Attributes
    ----------
    seconds : float
        In the process, without the start of Python and imports; of a run
        from the shell, all of it.
    cpu_seconds : float
        User and system, of all processes.
    peaks_mb : dict of str to float
        The most memory held, by element and for the process that began the run.
    memcpy_mb_per_s : float, optional
        What one core copied, before or after.
    """

    seconds: float
    cpu_seconds: float
    peaks_mb: dict[str, float] = field(default_factory=dict)
    memcpy_mb_per_s: float | None = None


class MeasurementError(Exception):
    """A run failed, or gave something else than it should."""


def missing(measurement: Measurement) -> str | None:
    """Say what this flowquake does not have yet that a measurement needs."""
    if measurement.program == "peer" or measurement.mapping == "shell":
        return None
    if importlib.util.find_spec(f"flowquake.mappings.{measurement.mapping}") is None:
        return f"there is no mapping '{measurement.mapping}'"
    if not measurement.fuse and "fuse" not in inspect.signature(flowquake.run).parameters:
        return "run() has no fuse="
    return None


def measure(measurement: Measurement, peer_python: Path) -> Outcome:
    """Run once.

    Raises
    ------
    MeasurementError
        If it fails, takes too long or loses items.
    """
    with tempfile.TemporaryDirectory(prefix="flowquake-peers-") as folder:
        notes = Path(folder, "notes")
        notes.mkdir()
        environment = os.environ | {
            NOTES: str(notes),
            "FLOWQUAKE_HOME": str(Path(folder, "home")),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        python = Path(sys.executable) if measurement.program == "ours" else peer_python
        if measurement.mapping == "shell":
            return _from_the_shell(measurement, python.parent, environment, Path(folder))
        printed = _run(_command(measurement, python), environment, ROOT)
        lines = [line for line in printed.splitlines() if line.startswith(MARK)]
        if len(lines) != 1:
            raise MeasurementError(f"{len(lines)} lines of figures instead of one")
        found: dict[str, Any] = json.loads(lines[0].removeprefix(MARK))
        left: list[dict[str, Any]] = [
            json.loads(path.read_text()) for path in sorted(notes.iterdir())
        ]
    return _outcome(measurement, found, left)


def _command(measurement: Measurement, python: Path) -> list[str]:
    module = f"benchmarks.peers.{measurement.program}"
    command = [str(python), "-m", module, measurement.graph]
    command += ["--mapping", measurement.mapping, "--workers", str(measurement.workers)]
    command += ["--items", str(measurement.items)]
    if not measurement.fuse:
        command.append("--no-fuse")
    if measurement.program == "ours" and measurement.graph == "arrays":
        command += ["--memcpy"] if measurement.mapping == "multi" else []
    if measurement.mapping == "mpi":
        launcher = python.parent / "mpiexec"
        return [str(launcher), "-n", str(measurement.workers), *command]
    return command


def _outcome(
    measurement: Measurement, found: dict[str, Any], notes: list[dict[str, Any]]
) -> Outcome:
    arrived = sum(note.get("items", 0) for note in notes)
    if arrived != measurement.items:
        raise MeasurementError(f"{arrived} items arrived of {measurement.items}")
    peaks = {"driver": float(found["peak_mb"])}
    for note in notes:
        element = str(note["element"])
        peaks[element] = max(peaks.get(element, 0.0), float(note["peak_mb"]))
    return Outcome(found["seconds"], found["cpu_seconds"], peaks, found.get("memcpy_mb_per_s"))


def _from_the_shell(
    measurement: Measurement, bin_folder: Path, environment: dict[str, str], folder: Path
) -> Outcome:
    here = Path(__file__).parent
    if measurement.program == "ours":
        command = [str(bin_folder / "flowquake"), "run", str(here / "one_item.py")]
        command += ["--out", str(folder / "run")]
    else:
        command = [str(bin_folder / "dispel4py"), "simple", str(here / "one_item_peer.py")]
    before, began = os.times(), time.perf_counter()
    _run(command, environment, folder)
    seconds, after = time.perf_counter() - began, os.times()
    used = after.children_user - before.children_user
    used += after.children_system - before.children_system
    return Outcome(seconds, used)


def _run(command: list[str], environment: dict[str, str], folder: Path) -> str:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that its workers can be ended with it
    )
    try:
        printed, complaints = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise MeasurementError(f"not done after {TIMEOUT_S:g} s") from None
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode:
        last = (complaints.strip() or printed.strip()).splitlines()[-1:]
        raise MeasurementError(f"exit {process.returncode}: {' '.join(last):.200}")
    return printed
