"""A run's directory: what was run, how it ended, and what it left.

::

    runs/20261121-070712-eruption_forecast-3f9a/
        run.json  log.jsonl  metrics.jsonl  rejected.jsonl  outputs/  figures/  checkpoints/
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from flowquake.errors import FlowquakeError, UsageError

RECORD: Final = "run.json"
# A file name may hold bytes that are no text: JSON escapes what it decodes to.
_ESCAPED: Final = "backslashreplace"
SCHEMA: Final = "flowquake/run-1"
PARTS: Final = ("run.json", "log.jsonl", "metrics.jsonl", "rejected.jsonl")
RESERVE: Final = ".reserve"
RESERVE_BYTES: Final = 64 * 1024  # room for the last record on a disk that is full by then
FOLDERS: Final = ("outputs", "figures", "checkpoints")
HASHED_UP_TO: Final = 4 * 1024**3  # bytes; above, size and time of change must do


class RunDirectory:
    """The directory of one run.

    Parameters
    ----------
    path : Path
        Where it is.
    identity : str
        The run's id.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self.id = identity

    @classmethod
    def create(
        cls,
        name: str,
        *,
        out: Path | None = None,
        overwrite: bool = False,
        now: datetime | None = None,
    ) -> RunDirectory:
        """Make the directory of a new run.

        Parameters
        ----------
        name : str
            The workflow's, part of the id.
        out : Path, optional
            Where; default ``runs/<id>``. An earlier run's directory is
            emptied of what that run wrote.
        overwrite : bool, default False
            Also take a folder that holds something else; that stays there.
        now : datetime, optional
            In place of the present.

        Raises
        ------
        UsageError
            If the folder holds something else, a run is still writing to
            it, or it cannot be made.
        """
        moment = now or datetime.now(UTC)
        identity = new_id(name, moment)
        try:
            if out is not None:
                _prepare(out, overwrite=overwrite)
                return cls(out, identity)
            while True:
                path = Path("runs") / identity
                try:
                    path.mkdir(parents=True)
                except FileExistsError:
                    if not path.is_dir():
                        raise
                    identity = new_id(name, moment)
                    continue
                return cls(path, identity)
        except OSError as cause:
            raise UsageError(
                f"the run's directory cannot be made: {cause.strerror or cause}",
                where=str(out or Path("runs").resolve()),
                fix="give a folder that can be written with --out DIR",
            ) from cause

    def write(self, record: Mapping[str, Any]) -> None:
        """Write ``run.json``; a reader sees the old or the new one, never half.

        A run that has started keeps some room on the disk, so that its end
        can be written too.

        Raises
        ------
        FlowquakeError
            If it cannot be written.
        """
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        reserve = self.path / RESERVE
        try:
            reserve.unlink(missing_ok=True)
            self._replace(text)
            if record.get("status") == "started":
                reserve.write_bytes(bytes(RESERVE_BYTES))
        except OSError as cause:
            raise FlowquakeError(
                f"the record of the run cannot be written: {cause.strerror or cause}",
                where=str(self.path / RECORD),
                fix="check the folder's permissions and the space on its disk",
            ) from cause

    def _replace(self, text: str) -> None:
        handle, name = tempfile.mkstemp(dir=self.path, prefix=".run-", suffix=".json")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors=_ESCAPED) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(self.path / RECORD)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def append(self, part: str, entry: Mapping[str, Any]) -> None:
        """Add one line of JSON to ``log.jsonl`` or ``metrics.jsonl``, whole or not at all.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        append_line(self.path / part, json.dumps(entry, ensure_ascii=False, default=str))

    def files(self) -> list[str]:
        """List what the run left in outputs and figures, relative to it."""
        found: list[str] = []
        for folder in ("outputs", "figures"):
            root = self.path / folder
            found += sorted(
                path.relative_to(self.path).as_posix() for path in _walk(root) if path.is_file()
            )
        return found


def append_line(path: Path, line: str) -> None:
    """Add one line to a file, whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    data = f"{line}\n".encode("utf-8", _ESCAPED)
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            if file.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            with contextlib.suppress(OSError):  # a device has no length
                file.truncate(before)
            raise


def new_id(name: str, moment: datetime) -> str:
    """Make an id that sorts by time and can be read.

    Examples
    --------
    >>> new_id("eruption_forecast", datetime(2026, 11, 21, 7, 7, 12, tzinfo=UTC))[:-4]
    '20261121-070712-eruption_forecast-'
    """
    readable = "".join(c if c.isalnum() or c in "_-." else "_" for c in name)[:40] or "run"
    return f"{moment.astimezone(UTC):%Y%m%d-%H%M%S}-{readable}-{secrets.token_hex(2)}"


def read_record(path: Path) -> dict[str, Any] | None:
    """Read the ``run.json`` of a directory; None if there is none of ours."""
    try:
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    ours = isinstance(record, dict) and str(record.get("schema", "")).startswith("flowquake/run-")
    return record if ours else None


def describe_inputs(values: Mapping[str, object]) -> list[dict[str, Any]]:
    """Describe the files that parameters name, with their hashes.

    Parameters
    ----------
    values : mapping of str to object
        Parameters; paths are looked for in them, in lists and tuples too.

    Returns
    -------
    list of dict
        ``parameter``, ``path`` (absolute), ``bytes``, ``modified`` and
        ``sha256`` (None for a folder or above 4 GiB).
    """
    described = []
    for name, value in values.items():
        for path in value if isinstance(value, (list, tuple)) else [value]:
            if not isinstance(path, Path) or not path.exists():
                continue
            status = path.stat()
            whole = path.is_file() and status.st_size <= HASHED_UP_TO
            modified = datetime.fromtimestamp(status.st_mtime, UTC)
            described.append(
                {
                    "parameter": name,
                    "path": str(path.resolve()),
                    "bytes": status.st_size if path.is_file() else None,
                    "modified": modified.isoformat(timespec="seconds").replace("+00:00", "Z"),
                    "sha256": file_hash(path) if whole else None,
                }
            )
    return described


def file_hash(path: Path) -> str | None:
    """Give the SHA-256 of a file; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def is_running(record: Mapping[str, Any]) -> bool:
    """Whether the run of a record is still going on, as far as this machine can tell."""
    host = record.get("host", {})
    if record.get("status") != "started" or host.get("name") != socket.gethostname():
        return False
    try:
        os.kill(int(host.get("pid", 0)), 0)
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _prepare(out: Path, *, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file", fix="give a folder")
    out.mkdir(parents=True, exist_ok=True)
    if not any(out.iterdir()):
        return
    record = read_record(out)
    if record is not None:
        if is_running(record):
            raise UsageError(
                f"run {record.get('id')} is still writing to {out}",
                fix="wait, or give another --out",
            )
        for part in (*PARTS, RESERVE):
            (out / part).unlink(missing_ok=True)
        for folder in FOLDERS:
            if (out / folder).is_dir() and not (out / folder).is_symlink():
                shutil.rmtree(out / folder)
    elif not overwrite:
        raise UsageError(
            f"{out} is not empty and holds no earlier run",
            fix="give another --out, or --overwrite to write into it all the same",
        )


def _walk(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield from root.rglob("*")
