"""Watching a run: its log, and those who hear how far it is."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from flowquake.cli.measuring import Loads, metrics_line
from flowquake.cli.record import utc_now
from flowquake.cli.text import clean, note, print_json_line, silence
from flowquake.rundir import RunDirectory

if TYPE_CHECKING:
    from flowquake.cli.live import LiveTable
    from flowquake.cli.serving import MetricsServer
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
        screen = _Screen()
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
    """Hears how far a run is, and tells whoever wants to know.

    Parameters
    ----------
    directory : RunDirectory
        Where ``metrics.jsonl`` goes.
    table : LiveTable, optional
        Drawn on a terminal.
    lines : bool, default False
        Whether each line of ``metrics.jsonl`` goes to standard output too.
    server : MetricsServer, optional
        Answers with the latest.
    info : mapping of str to str, optional
        Names the run to those who ask the server.
    """

    def __init__(
        self,
        directory: RunDirectory,
        *,
        table: LiveTable | None = None,
        lines: bool = False,
        server: MetricsServer | None = None,
        info: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.counts: dict[str, PECounts] = {}
        self.loads = Loads()
        self._table = table
        self._lines = lines
        self._server = server
        self._info = info or {}
        self._written: Progress | None = None
        self._last: Progress | None = None

    def __enter__(self) -> Watcher:
        if self._server is not None:
            self._server.start(self._info)
            note(f"metrics at {self._server.url}/metrics")
        if self._table is not None:
            self._table.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._table is not None:
            self._table.stop()
        if self._last is not None and self._last is not self._written:
            self._write(self._last)
        if self._server is not None:
            self._server.stop()

    def on_progress(self, progress: Progress) -> None:
        """Hear how far the run is."""
        self.counts = progress.counts
        self._last = progress
        self.loads.see(progress)
        if self._server is not None:
            self._server.publish(progress)
        before = self._written
        if before is None or progress.seconds - before.seconds >= METRICS_EVERY_S:
            self._write(progress)
        if self._table is not None:
            self._table.show(progress)

    def _write(self, progress: Progress) -> None:
        line = metrics_line(self._written, progress)
        self._written = progress
        with suppress(OSError):
            self.directory.append("metrics.jsonl", line)
        if self._lines:
            try:
                print_json_line(line)
            except OSError:  # nobody reads them any more; the run goes on
                self._lines = False
                silence(sys.stdout)


class _Stopping(logging.Handler):
    """Tells people that a run heard their Ctrl-C, and what a second one does."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, unless the signal came in the middle of another line."""
        if hasattr(record, "signal"):
            with suppress(RuntimeError):
                note(
                    "\nStopping when what is in flight is finished; a second Ctrl-C stops at once."
                )


class _Screen(logging.Handler):
    """Writes to what standard error is at the moment: a table may be drawn there."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        note(self.format(record))


class _CleanFormatter(logging.Formatter):
    """Leaves out what would steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as one line, and a traceback after it."""
        return "\n".join(clean(line) for line in super().format(record).splitlines())
