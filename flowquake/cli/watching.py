"""Watching a run: its log, its metrics, and progress on a terminal."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from flowquake.cli.record import utc_now
from flowquake.cli.text import clean, note
from flowquake.rundir import RunDirectory

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from flowquake.running import PECounts, Progress

METRICS_EVERY_S = 1.0
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLog(logging.Handler):
    """Writes log records to the run's ``log.jsonl``, one JSON object each."""

    def __init__(self, directory: RunDirectory) -> None:
        super().__init__(logging.INFO)
        self.directory = directory
        self.warnings = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; what is not flowquake's only from warnings on."""
        own = record.name.split(".")[0].startswith("flowquake")
        if not own and record.levelno < logging.WARNING:
            return
        if record.levelno == logging.WARNING:
            self.warnings += 1
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        entry: dict[str, Any] = {
            "time": utc_now(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **extra,
        }
        if record.exc_info and record.exc_info[0] is not None:
            entry["traceback"] = logging.Formatter().formatException(record.exc_info)
        # The disk is full: the run's results matter more, and say it themselves.
        with suppress(OSError):
            self.directory.append("log.jsonl", entry)


@contextmanager
def logging_to(directory: RunDirectory, *, verbose: bool) -> Iterator[JsonLog]:
    """Send log records and Python's warnings to the run's log; with `verbose` to people too."""
    root, own = logging.getLogger(), logging.getLogger("flowquake")
    handlers: list[logging.Handler] = [JsonLog(directory)]
    if verbose:
        screen = logging.StreamHandler(sys.stderr)
        screen.setLevel(logging.INFO)
        screen.setFormatter(_CleanFormatter("%(levelname)s %(name)s: %(message)s"))
        handlers.append(screen)
    listener = _Stopping()
    logging.getLogger("flowquake.running").addHandler(listener)
    level, root_level = own.level, root.level
    own.setLevel(logging.INFO)
    for handler in handlers:
        root.addHandler(handler)
    logging.captureWarnings(True)
    try:
        first = handlers[0]
        assert isinstance(first, JsonLog)
        yield first
    finally:
        logging.captureWarnings(False)
        logging.getLogger("flowquake.running").removeHandler(listener)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        own.setLevel(level)
        root.setLevel(root_level)


class Watcher:
    """Hears how far a run is: writes metrics, and draws bars on a terminal.

    Parameters
    ----------
    directory : RunDirectory
        Where ``metrics.jsonl`` goes.
    visible : bool
        Whether to draw.
    """

    def __init__(self, directory: RunDirectory, *, visible: bool) -> None:
        self.directory = directory
        self.counts: dict[str, PECounts] = {}
        self._written = float("-inf")
        self._last: Progress | None = None
        self._bars = _make_bars() if visible else None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Watcher:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()
        if self._last is not None:
            self._write(self._last)

    def on_progress(self, progress: Progress) -> None:
        """Hear how far the run is."""
        self.counts = progress.counts
        self._last = progress
        now = time.monotonic()
        if now - self._written >= METRICS_EVERY_S:
            self._written = now
            self._write(progress)
        if self._bars is not None:
            self._draw(self._bars, progress)

    def _write(self, progress: Progress) -> None:
        entry = {
            "time": utc_now(),
            "seconds": round(progress.seconds, 3),
            "received": {name: count.received for name, count in progress.counts.items()},
            "emitted": {
                name: sum(count.emitted.values()) for name, count in progress.counts.items()
            },
            "progress": {name: list(part) for name, part in progress.fractions.items()},
        }
        with suppress(OSError):
            self.directory.append("metrics.jsonl", entry)

    def _draw(self, bars: Bars, progress: Progress) -> None:
        counts = progress.counts.values()
        items = sum(count.received for count in counts) or sum(
            sum(count.emitted.values()) for count in counts
        )
        rate = f"{items:,} items, {items / max(progress.seconds, 1e-3):,.0f}/s"
        shown = progress.fractions or {"running": (0.0, 0.0)}
        for name, (done, total) in shown.items():
            if name not in self._tasks:
                self._tasks[name] = bars.add_task(clean(name), total=None, rate="")
            bars.update(self._tasks[name], completed=done, total=total or None, rate=rate)
        if progress.fractions and "running" in self._tasks:
            bars.remove_task(self._tasks.pop("running"))


def _make_bars() -> Bars:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


class _Stopping(logging.Handler):
    """Tells people that a run heard their Ctrl-C, and what a second one does."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, unless the signal came in the middle of another line."""
        if hasattr(record, "signal"):
            with suppress(RuntimeError):
                note(
                    "\nStopping when what is in flight is finished; a second Ctrl-C stops at once."
                )


class _CleanFormatter(logging.Formatter):
    """Leaves out what would steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as one line, and a traceback after it."""
        return "\n".join(clean(line) for line in super().format(record).splitlines())
