"""One run of `flowquake run` with a fault: start it, strike, and look at what is left."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.faults.cases import SILENT, Case, expected

WORKFLOW: Final = Path(__file__).with_name("workflow.py")
MARK: Final = "FLOWQUAKE_FAULT"
HANG_S: Final = 20.0
START_S: Final = 15.0
GONE_S: Final = 1.0
DISK_KB: Final = 200
SHARED: Final = Path("/dev/shm")


@dataclass
class Trial:
    """What came of a case.

    Attributes
    ----------
    case : Case
        What was done.
    code : int or None
        The exit code; None if it hung.
    seconds : float or None
        From the fault, or the last signal, to the end of everything; None if
        the fault has no moment, as with a disk that fills.
    faults : list of str
        What was not as it has to be.
    stderr : str
        What it printed.
    """

    case: Case
    code: int | None = None
    seconds: float | None = None
    faults: list[str] = field(default_factory=list)
    stderr: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give it as data."""
        return {
            **self.case.to_json(),
            "exit_code": self.code,
            "seconds": None if self.seconds is None else round(self.seconds, 2),
            "wrong": self.faults,
        }


def run_case(case: Case, folder: Path) -> Trial:
    """Run one case in a folder of its own."""
    trial = Trial(case)
    folder.mkdir(parents=True)
    with _disk(folder / "out", case) as case:
        _run(trial, case, folder)
        _look(trial, case, folder)
    return trial


def _run(trial: Trial, case: Case, folder: Path) -> None:
    token = secrets.token_hex(8)
    (folder / "tmp").mkdir()
    environment = {
        **os.environ,
        MARK: token,
        "TMPDIR": str(folder / "tmp"),
        "FLOWQUAKE_HOME": str(folder / "home"),
        "PYTHONPATH": str(WORKFLOW.parents[2]),
    }
    settings = {**case.settings(), "scratch": folder}
    command = [sys.executable, "-m", "flowquake.cli", "run", str(WORKFLOW), *case.arguments()]
    command += [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    command += ["--out", str(folder / "out"), "--overwrite"]
    shared = _shared_memory()
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            struck = _strike(trial, case, process, folder)
            trial.code = process.wait(HANG_S if struck else START_S + HANG_S)
        except subprocess.TimeoutExpired:
            trial.faults.append("hangs")
            struck = time.monotonic()
    if struck is None:
        struck = _struck(folder)
    deadline = time.monotonic() + GONE_S
    while (left := _processes(token)) and time.monotonic() < deadline:
        time.sleep(0.02)
    trial.seconds = None if struck is None else time.monotonic() - struck
    if left and trial.code is not None:
        trial.faults.append(f"processes left: {left}")
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    trial.stderr = (folder / "stderr").read_text(errors="replace")
    if new := _unowned(_shared_memory() - shared):
        trial.faults.append(f"shared memory left: {new}")


def _strike(
    trial: Trial, case: Case, process: subprocess.Popen[bytes], folder: Path
) -> float | None:
    """Do what comes from outside; give when it was done, None if nothing was."""
    if case.kind in SILENT:
        return _strike_silent(trial, case, process, folder)
    if not case.is_signal:
        return None
    if not case.early:
        _wait_until((folder / "started").exists, process)
    time.sleep(case.delay)
    name = case.kind.split()[0]
    number = signal.Signals[name]
    times = 2 if "twice" in case.kind else 1
    for again in range(times):
        if again:
            time.sleep(0.1)
        with contextlib.suppress(ProcessLookupError):
            if process.poll() is None:
                (os.killpg if "group" in case.kind else os.kill)(process.pid, number)
    return time.monotonic()


def _strike_silent(
    trial: Trial, case: Case, process: subprocess.Popen[bytes], folder: Path
) -> float:
    log = folder / "out" / "log.jsonl"
    reported = _wait_until(lambda: log.exists() and "silent" in log.read_text(), process)
    alone = case.mapping == "sequential"
    if not reported and not alone:
        trial.faults.append("silence is not reported")
    elif reported:
        entry = next(
            e for e in map(json.loads, log.read_text().splitlines()) if "silent" in e["message"]
        )
        if case.pe not in entry["message"] or "in fail" not in entry.get("stack", ""):
            trial.faults.append(f"silence is reported without its place: {entry}")
    if case.kind == "holds" and alone:  # Python cannot hear a signal there
        process.send_signal(signal.SIGQUIT)
        return time.monotonic()
    for wait in (0.0, 0.2):
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
    return time.monotonic()


def _wait_until(done: Any, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_S
    while not done():
        if process.poll() is not None or time.monotonic() > deadline:
            return bool(done())
        time.sleep(0.01)
    return True


def _look(trial: Trial, case: Case, folder: Path) -> None:
    """Hold what is left against what has to be."""
    due = expected(case)
    faults, code, said = trial.faults, trial.code, trial.stderr
    if code is None:
        return
    early = case.is_signal and case.early
    # Before Python runs a line of flowquake's, a signal does what it does to any program.
    dead = (-1, -2, -15) if early and not (folder / "out" / "run.json").exists() else ()
    if code not in (*due.codes, *dead):
        faults.append(f"exit code {code}, not {due.codes}")
    flat = " ".join(said.split())
    faults += [f"standard error lacks {text!r}" for text in due.texts if not re.search(text, flat)]
    if "Traceback (most recent" in said and code not in dead:
        faults.append("a traceback on standard error")
    for line in {line for line in said.splitlines() if "Error: " in line and "Cause" not in line}:
        if said.splitlines().count(line) > 1:
            faults.append(f"said more than once: {line}")
    faults += _record_faults(case, folder, due.status, code, said)
    if left := sorted(p.name for p in (folder / "tmp").iterdir()):
        faults.append(f"temporary files left: {left}")
    items = folder / "out" / "outputs" / "items.jsonl"
    if items.exists():
        faults += _file_faults(items)
    for name in ("rejected.jsonl", "log.jsonl", "metrics.jsonl"):
        path = folder / "out" / name
        data = path.read_bytes() if path.exists() else b""
        if data and not data.endswith(b"\n"):
            faults.append(f"{name} ends in the middle of a line")


def _record_faults(case: Case, folder: Path, status: str, code: int, said: str) -> list[str]:
    path = folder / "out" / "run.json"
    if not path.exists():
        return [] if (case.is_signal and case.early) or case.phase == "splits" else ["no run.json"]
    record = json.loads(path.read_text())
    if status == "started":
        return []
    if record["status"] != status or record["exit_code"] != code or not record["ended"]:
        return [f"run.json says {record['status']}, {record['exit_code']}, {record['ended']}"]
    if status == "failed" and not record["error"]:
        return ["run.json says no error"]
    return []


def _file_faults(path: Path) -> list[str]:
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        return ["the file ends in the middle of a line"]
    try:
        times = [json.loads(line)["time"] for line in data.splitlines()]
    except ValueError:
        return ["the file holds a line that is no JSON"]
    return [] if times == sorted(times) else ["the file is out of order"]


def _struck(folder: Path) -> float | None:
    try:
        return float((folder / "struck").read_text())
    except (OSError, ValueError):
        return None


def _processes(token: str) -> dict[int, str]:
    """Find the processes of a run, by what is in their environment."""
    wanted = f"{MARK}={token}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes():
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(entry.name)] = command.decode(errors="replace")[:80]
    return found


def _shared_memory() -> set[str]:
    return set(os.listdir(SHARED)) if SHARED.is_dir() else set()


def _unowned(names: set[str]) -> list[str]:
    """Leave out what a process still holds: it is somebody else's."""
    if not names:
        return []
    held = []
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with contextlib.suppress(OSError):
            held.append(maps.read_text())
    return sorted(
        name for name in names if (SHARED / name).exists() and not any(name in m for m in held)
    )


@contextlib.contextmanager
def _disk(path: Path, case: Case) -> Iterator[Case]:
    """Give a case that needs one a small disk; a limit of the file's length where that fails."""
    path.mkdir()
    if not case.kind.startswith("disk full"):
        yield case
        return
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_KB}k", "none", str(path)], capture_output=True
    )
    if mounted.returncode:
        yield Case(**{**asdict(case), "kind": "file limit", "pe": "write"})
        return
    try:
        yield case
        saved = path.with_name("saved")
        shutil.copytree(path, saved)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)
