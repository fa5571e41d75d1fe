"""A file that grows by whole rows in the order of event time."""

from __future__ import annotations

import errno
import heapq
import os
import stat
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from flowquake.errors import ConfigError, InputError, PEError


class Row(NamedTuple):
    """A line that waits until no earlier one can come.

    Attributes
    ----------
    time : int
        Event time, nanoseconds.
    id : str
        Orders the rows of one time.
    number : int
        Orders the rows of one time and id: a revision, a place in a file.
    line : str
        What is written, without the end of line.
    """

    time: int
    id: str
    number: int
    line: str


@dataclass
class FileState:
    """What a file sink must keep: how much is written, and what is not yet.

    Attributes
    ----------
    bytes_written : int
        Length of the file; what lies beyond is cut off on resume.
    header : str
        The first line, where the format has one and it is known.
    pending : list of Row
        Rows that later ones may still have to precede, a heap.
    last_time : int or None
        Event time of the last row written.
    """

    version: int = 1
    bytes_written: int = 0
    header: str = ""
    pending: list[Row] = field(default_factory=list)
    last_time: int | None = None


class SortedFile:
    """Write the rows of a `FileState` once they are final.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    state : FileState
        Where it stands: with ``bytes_written`` 0 the file is made anew, else
        it is cut to that length and continued.

    Raises
    ------
    ConfigError
        If the file cannot be opened for writing.
    InputError
        If the file to continue is missing or shorter than what was written.
    """

    def __init__(self, path: Path, state: FileState) -> None:
        self.path = path
        self.state = state
        # A checkpoint may give rows back as plain sequences.
        state.pending[:] = [Row(*row) for row in state.pending]
        heapq.heapify(state.pending)
        self._file = self._open()

    def add(self, row: Row) -> None:
        """Take a row that is not final yet."""
        heapq.heappush(self.state.pending, row)

    def write_before(self, time: int | None) -> int:
        """Write the rows earlier than `time`, None for all of them.

        Returns
        -------
        int
            How many of them are earlier than a row that was written before.

        Raises
        ------
        PEError
            If the rows cannot be written; the file then ends with the last
            row that was whole before, and the rows are still pending.
        """
        pending = self.state.pending
        if not pending or (time is not None and pending[0].time >= time):
            return 0
        ready: list[Row] = []
        while pending and (time is None or pending[0].time < time):
            ready.append(heapq.heappop(pending))
        last = self.state.last_time
        behind = sum(row.time < last for row in ready) if last is not None else 0
        try:
            self._append([row.line for row in ready])
        except PEError:
            for row in ready:
                heapq.heappush(pending, row)
            raise
        self.state.last_time = max(ready[-1].time, ready[-1].time if last is None else last)
        return behind

    def write_header(self, line: str) -> None:
        """Write the first line, unless it is there."""
        if not self.state.header:
            self._append([line])
            self.state.header = line

    def close(self) -> None:
        """Close the file; what is pending stays in the state."""
        self._file.close()

    def _append(self, lines: list[str]) -> None:
        text = "".join(line + "\n" for line in lines)
        data = memoryview(text.encode("utf-8", errors="backslashreplace"))
        try:
            done = 0
            while done < len(data):
                done += self._file.write(data[done:]) or 0
        except OSError as cause:
            self._cut_back()
            raise PEError(
                f"{len(lines)} rows cannot be written: {cause.strerror or cause}.",
                where=str(self.path),
                fix="free space on this disk, then run again"
                if cause.errno in (errno.ENOSPC, errno.EDQUOT)
                else "check the disk and its permissions, then run again",
            ) from cause
        self.state.bytes_written += len(data)

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._file.fileno(), self.state.bytes_written)
            self._file.seek(self.state.bytes_written)
        except OSError:
            return  # a device without length; the first error is the one to report

    def _open(self) -> FileIO:
        written = self.state.bytes_written
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = FileIO(self.path, "r+" if written else "a")
        except FileNotFoundError as cause:
            raise InputError(
                f"the file to continue is missing; {written} bytes of it were written.",
                where=str(self.path),
                fix="bring the file back, or start the run anew",
            ) from cause
        except OSError as cause:
            raise ConfigError(
                f"the file cannot be written: {cause.strerror or cause}.",
                where=str(self.path),
                fix="choose a folder that you may write to, for example with --out DIR",
            ) from cause
        if not _is_ours(file):
            file.close()
            raise ConfigError(
                "another element of this run, or another run, writes the same file.",
                where=str(self.path),
                fix="give each sink a path of its own, for example path='completeness.jsonl'",
            )
        if written:
            self._continue(file, written)
        elif stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.truncate(0)
        return file

    def _continue(self, file: FileIO, written: int) -> None:
        size = os.fstat(file.fileno()).st_size
        if size < written:
            file.close()
            raise InputError(
                f"the file to continue has {size} bytes, but {written} were written.",
                where=str(self.path),
                fix="bring the whole file back, or start the run anew",
            )
        file.truncate(written)
        file.seek(written)


def _is_ours(file: FileIO) -> bool:
    """Lock a file until it is closed; False if somebody else has."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def output_path(path: str) -> tuple[str, ...]:
    """Split the path of an output file into parts, inside the folder of outputs.

    Raises
    ------
    ConfigError
        If it is empty, absolute, or leaves the folder.
    """
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts or "\0" in path:
        raise ConfigError(
            f"path={path!r} must name a file inside the run's outputs",
            fix="use for example path='forecasts.jsonl', and --out DIR to choose the folder",
        )
    return parts
