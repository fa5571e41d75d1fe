"""Sinks that write files in the order of event time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from flowquake import Input, ProcessingElement, State, field
from flowquake.errors import ConfigError, InputError
from flowquake.pes.files.cells import csv_line
from flowquake.pes.files.sorted_file import FileState, Row, SortedFile, output_path
from flowquake.pes.files.tables import header_for, table_rows


@runtime_checkable
class JsonRecord(Protocol):
    """A record that knows its event time and its line of JSON."""

    @property
    def time(self) -> int:
        """Give the event time, nanoseconds."""

    def to_json_line(self) -> str:
        """Give the record as one line of JSON."""


class _SortedSink(ProcessingElement):
    """What the sinks share: a file that grows by the rows that are final."""

    state = State(FileState)

    path: str

    def __post_init__(self) -> None:
        output_path(self.path)

    def setup(self) -> None:
        """Open the file, or go on where it stands."""
        self._sorted = SortedFile(self.run_path("outputs", *output_path(self.path)), self.state)

    def on_watermark(self, time: int) -> None:
        """Write what is final."""
        self._write(time)

    def finish(self) -> None:
        """Write the rest."""
        self._write(None)

    def teardown(self) -> None:
        """Close the file."""
        if "_sorted" in self.__dict__:
            self._sorted.close()

    def _write(self, time: int | None) -> None:
        if behind := self._sorted.write_before(time):
            self.count("written out of order: later than the watermark", behind)


class WriteJsonLines(_SortedSink):
    """Write records to a file, one JSON object per line, in order of (time, id).

    A record is written, and flushed, when the watermark has passed its event
    time, so no later one can belong before it; the rest is written at the
    end. A record that comes behind the watermark is written all the same and
    counted.

    Parameters
    ----------
    path : str, default "forecasts.jsonl"
        The file, inside the run's ``outputs`` folder.

    Notes
    -----
    Takes every record with ``time`` and ``to_json_line()``, and dictionaries
    of JSON values with an integer ``time``.
    """

    items = Input(object, to="one", order="any")

    path: str = "forecasts.jsonl"

    def on_items(self, item: object) -> None:
        """Take a record."""
        self._sorted.add(json_row(item))


class WriteCsv(_SortedSink):
    """Write forecasts or events to a CSV file, in order of (time, id).

    Rows are written as by `WriteJsonLines`. The file has one header line;
    floats read back exactly, what is missing is empty, times are ISO 8601
    UTC, or seconds since the start of a laboratory experiment. Text that a
    spreadsheet would run as a formula gets an apostrophe in front.

    Parameters
    ----------
    path : str, default "forecasts.csv"
        The file, inside the run's ``outputs`` folder.
    columns : list of str, default empty
        The columns to write, in this order; none means all of a forecast's,
        or an event's except further columns of its catalog.
    """

    items = Input(object, to="one", order="any")

    path: str = "forecasts.csv"
    columns: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.columns)) != len(self.columns):
            raise ConfigError(f"columns={self.columns} names one twice", fix="name each one once")

    def setup(self) -> None:
        """Open the file, or go on where it stands."""
        super().setup()
        if self.columns:
            self._sorted.write_header(csv_line(self.columns))

    def on_items(self, item: object) -> None:
        """Take a record."""
        header = self.columns or header_for(item)
        line = csv_line(header)
        if self.state.header not in ("", line):
            raise InputError(
                f"{type(item).__name__} does not fit a file with the columns {self.state.header}",
                where=str(self._sorted.path),
                fix="write each kind of record to its own file",
            )
        self._sorted.write_header(line)
        for row in table_rows(item, header):
            self._sorted.add(row)


def json_row(item: object) -> Row:
    """Give a record's line and its place in the file.

    Raises
    ------
    InputError
        If the record has no event time or cannot be written as JSON.
    """
    if isinstance(item, Mapping):
        time, identity, revision = item.get("time"), str(item.get("id", "")), 0
        try:
            line = json.dumps(
                item, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":")
            )
        except (TypeError, ValueError) as cause:
            raise InputError(f"a record cannot be written as JSON: {cause}") from cause
    elif isinstance(item, JsonRecord):
        time, identity = item.time, str(getattr(item, "id", ""))
        revision = int(getattr(item, "revision", 0))
        line = item.to_json_line()
    else:
        raise InputError(
            f"{type(item).__name__} cannot be written as a line of JSON",
            fix="send records with to_json_line(), for example forecasts; WriteCsv takes events",
        )
    if isinstance(time, bool) or not isinstance(time, int):
        raise InputError(
            f"a {type(item).__name__} has the event time {time!r}, not whole nanoseconds",
            fix="give the record an integer 'time'",
        )
    return Row(time, identity, revision, line)
