"""The index of runs: where every run of this user is, one line each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowquake.errors import UsageError, suggest
from flowquake.rundir import is_running, read_record


@dataclass(frozen=True, slots=True)
class IndexedRun:
    """A run that the index knows.

    Attributes
    ----------
    id : str
        The run's id.
    path : Path
        Its directory.
    status : str
        ``done``, ``failed``, ``interrupted``, ``started``, ``lost`` (started
        and gone without an end) or ``gone`` (the directory is no longer there).
    record : dict
        Its ``run.json``; empty if it is gone.
    """

    id: str
    path: Path
    status: str
    record: dict[str, Any]


def data_home() -> Path:
    """Give the folder of flowquake's own data: $FLOWQUAKE_HOME, or the user's."""
    own = os.environ.get("FLOWQUAKE_HOME")
    if own:
        return Path(own).expanduser()
    shared = os.environ.get("XDG_DATA_HOME")
    if shared:
        return Path(shared) / "flowquake"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "flowquake"
    return Path.home() / ".local" / "share" / "flowquake"


def add_to_index(identity: str, path: Path, *, workflow: str, started: str) -> bool:
    """Add a run; lines of several processes never mix.

    Returns
    -------
    bool
        False if the index cannot be written, which is no reason not to run.
    """
    line = json.dumps(
        {"id": identity, "path": str(path.resolve()), "workflow": workflow, "started": started},
        ensure_ascii=False,
    )
    try:
        index = data_home() / "runs.jsonl"
        index.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(index, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            _lock(handle)
            os.write(handle, (line + "\n").encode("utf-8", "backslashreplace"))
        finally:
            os.close(handle)
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return False
    return True


def list_runs(folder: Path | None = None) -> list[IndexedRun]:
    """List the runs of the index and of a folder of runs, by id.

    Parameters
    ----------
    folder : Path, optional
        Default ``runs`` of the present directory.
    """
    places: dict[str, Path] = {}
    for entry in _entries():
        places[str(entry["id"])] = Path(str(entry["path"]))
    root = folder or Path("runs")
    if root.is_dir():
        for path in root.iterdir():
            record = read_record(path)
            if record is not None:
                places[str(record["id"])] = path.resolve()
    return [_state(identity, path) for identity, path in sorted(places.items())]


def find_run(reference: str) -> IndexedRun:
    """Find a run by id, by the unique start or end of one, or by its directory.

    ``last`` is the latest run.

    Raises
    ------
    UsageError
        If there is none, or several fit.
    """
    path = Path(reference)
    record = read_record(path) if path.is_dir() else None
    if record is not None:
        return _state(str(record["id"]), path.resolve())
    runs = list_runs()
    if reference == "last" and runs:
        return runs[-1]
    exact = [run for run in runs if run.id == reference]
    fitting = exact or [
        run for run in runs if run.id.startswith(reference) or run.id.endswith(reference)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(
            f"'{reference}' fits {len(fitting)} runs",
            fix=f"write more of the id, for example {fitting[-1].id}",
        )
    raise UsageError(
        f"there is no run '{reference}'{suggest(reference, [run.id for run in runs])}",
        fix="see `flowquake runs list`",
    )


def _state(identity: str, path: Path) -> IndexedRun:
    record = read_record(path)
    if record is None or record.get("id") != identity:
        return IndexedRun(identity, path, "gone", {})
    status = str(record.get("status", ""))
    if status == "started" and not is_running(record):
        status = "lost"
    return IndexedRun(identity, path, status, record)


def _entries() -> list[Mapping[str, Any]]:
    try:
        text = (data_home() / "runs.jsonl").read_text(encoding="utf-8", errors="replace")
    except (OSError, RuntimeError):
        return []
    entries: list[Mapping[str, Any]] = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "id" in entry and "path" in entry:
            entries.append(entry)
    return entries


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: O_APPEND alone
        return
    fcntl.flock(handle, fcntl.LOCK_EX)
