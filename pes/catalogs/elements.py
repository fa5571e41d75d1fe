"""Processing elements that read and select events and eruptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flowquake import Emissions, Input, Output, ProcessingElement, Production, Source, Watermark
from flowquake.errors import ConfigError
from flowquake.pes.catalogs.columns import ColumnDescription
from flowquake.pes.catalogs.eruptions import read_eruptions
from flowquake.pes.catalogs.files import check_path
from flowquake.pes.catalogs.reading import check_format, read_catalog
from flowquake.pes.catalogs.reports import BadRow, ReadReport, check_policy
from flowquake.pes.catalogs.selection import Condition, Moment, Selection
from flowquake.records import EruptionBatch, EventBatch

Paths = str | Path | Sequence[str | Path]


class ReadCatalog(Source):
    """Read catalogs from files.

    Each file is emitted in the order of (time, place in the file), in batches
    of at most ``batch_rows`` events, each followed by a watermark.

    Parameters
    ----------
    path : path or list of paths
        The files; each is a split.
    format : str, default "auto"
        How they are written; ``auto`` takes the only format that fits.
    policy : {"strict", "skip", "quarantine"}
        What to do with a bad row: stop, leave it out, or reject it.
    source : str, optional
        What the events belong to; default the file's stem.
    columns : ColumnDescription or mapping, optional
        For ``format="delimited"``: which column is what.
    batch_rows : int, default 1024
        Greatest number of events in a batch.
    """

    catalog = Output(EventBatch)

    path: Paths
    format: str = "auto"
    policy: str = "strict"
    source: str | None = None
    columns: ColumnDescription | Mapping[str, Any] | None = None  # values of a description
    batch_rows: int = 1024

    def __post_init__(self) -> None:
        check_format(self.format)
        check_policy(self.policy)
        ColumnDescription.of(self.columns)
        if self.batch_rows < 1:
            raise ConfigError(f"batch_rows={self.batch_rows} must be at least 1")

    def splits(self) -> Sequence[str]:
        """Name the files."""
        return as_paths(self.path)

    def produce(self, split: object) -> Production:
        """Read one file."""
        batch, report = read_catalog(
            str(split),
            format=self.format,
            policy=self.policy,
            source=self.source,
            columns=self.columns,
        )
        note_report(self, report)
        for part in cut(batch, self.batch_rows):
            yield self.catalog(part)
            yield Watermark(int(part.time[-1]))
        if len(batch):
            yield Watermark(int(batch.time[-1]) + 1)


class SelectEvents(ProcessingElement):
    """Keep events by place, depth, time, magnitude and any attribute.

    Every range holds its lower end and not its upper. Why events fell is
    counted.

    Parameters
    ----------
    box : list of 4 float, optional
        Least and greatest latitude, least and greatest longitude, degrees.
    depth : list of 2 float, optional
        Kilometres; without it no event is dropped for its depth, with it
        those without one are.
    start, end : datetime, str or int, optional
        ISO 8601 text, UTC, or nanoseconds in the time scale of the events.
    min_magnitude : float, optional
        Compared on the grid of 0.1; events without a magnitude are dropped.
    where : mapping, optional
        For a column's name a value, a list of texts, or a range of numbers.
    """

    events = Input(EventBatch)
    selected = Output(EventBatch)

    box: Sequence[float] | None = None
    depth: Sequence[float] | None = None
    start: Moment | None = None
    end: Moment | None = None
    min_magnitude: float | None = None
    where: Mapping[str, Condition] | None = None

    def __post_init__(self) -> None:
        self._selection()

    def setup(self) -> None:
        """Make the selection."""
        self._chosen = self._selection()

    def on_events(self, batch: EventBatch) -> Emissions:
        """Select from one batch."""
        kept, dropped = self._chosen.apply(batch)
        for reason, count in dropped.items():
            self.count(reason, count)
        # Also when none is left: a source without events has windows too.
        yield self.selected(kept)

    def _selection(self) -> Selection:
        return Selection(
            box=self.box, depth=self.depth, start=self.start, end=self.end,
            min_magnitude=self.min_magnitude, where=self.where or {},
        )  # fmt: skip


class ReadEruptions(Source):
    """Read a list of eruptions, dates day first.

    Parameters
    ----------
    path : path or list of paths
        The files; each is a split.
    policy : {"strict", "skip", "quarantine"}
        What to do with a bad row.
    source : str, optional
        The volcano; default the file's stem.
    """

    eruptions = Output(EruptionBatch)

    path: Paths
    policy: str = "strict"
    source: str | None = None

    def __post_init__(self) -> None:
        check_policy(self.policy)

    def splits(self) -> Sequence[str]:
        """Name the files."""
        return as_paths(self.path)

    def produce(self, split: object) -> Production:
        """Read one file."""
        batch, bad = read_eruptions(str(split), policy=self.policy, source=self.source)
        self.count("read", len(batch) + len(bad))
        self.count("kept", len(batch))
        note_bad_rows(self, str(split), self.policy, bad)
        yield self.eruptions(batch)
        if len(batch):
            yield Watermark(int(batch.time[-1]) + 1)


def as_paths(path: Paths) -> tuple[str, ...]:
    """Give paths as text, checked to be files.

    Raises
    ------
    ConfigError
        If there is none.
    InputError
        If one is not a file.
    """
    paths = [path] if isinstance(path, (str, Path)) else list(path)
    if not paths:
        raise ConfigError("path is empty", fix="give a file")
    return tuple(str(check_path(one)) for one in paths)


def cut(batch: EventBatch, rows: int) -> Iterator[EventBatch]:
    """Cut a batch into parts of at most so many rows."""
    for low in range(0, len(batch), rows):
        yield batch.take(slice(low, low + rows))


def note_report(element: ProcessingElement, report: ReadReport) -> None:
    """Count what a reader reports, and hand over the rows in quarantine."""
    element.count("read", report.read)
    element.count("kept", report.kept)
    for name, count in (
        ("duplicates, kept", report.duplicates),
        ("steps backward in time", report.out_of_order),
        ("without magnitude", report.missing_magnitude),
        ("without depth", report.missing_depth),
        ("skipped", report.skipped),
    ):
        if count:
            element.count(name, count)
    for kind, count in report.reasons.items():
        element.count(f"skipped: {kind}", count)
    _reject(element, report.file, report.bad_rows)


def note_bad_rows(
    element: ProcessingElement, file: str, policy: str, bad: Sequence[BadRow]
) -> None:
    """Count bad rows, and hand them over with the policy ``quarantine``."""
    for row in bad:
        element.count("skipped")
        element.count(f"skipped: {row.kind}")
    if policy == "quarantine":
        _reject(element, file, bad)


def _reject(element: ProcessingElement, file: str, bad: Sequence[BadRow]) -> None:
    for row in bad:
        record = {"file": file, "line": row.line, "sequence": row.sequence, "text": row.text}
        element.reject(record, row.reason)
