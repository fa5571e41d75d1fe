"""Reading a catalog of any format into one batch of events."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from flowquake.errors import ConfigError, FormatError, suggest
from flowquake.pes.catalogs.columns import ColumnDescription
from flowquake.pes.catalogs.delimited import describe_layout
from flowquake.pes.catalogs.files import FileBytes, decode, read_bytes, source_name
from flowquake.pes.catalogs.formats import TEXT_FORMATS, without_false_zeros
from flowquake.pes.catalogs.layouts import Layout
from flowquake.pes.catalogs.obspy_catalogs import obspy_name, read_obspy
from flowquake.pes.catalogs.recognition import CATALOG_FORMATS, recognise_bytes, the_format
from flowquake.pes.catalogs.reports import (
    BadRow,
    ReadReport,
    check_policy,
    refuse,
    report_on,
    shorten,
)
from flowquake.pes.catalogs.tables import Table, count_rows, read_table
from flowquake.records import EventBatch, Strings, Timescale

Columns = ColumnDescription | Mapping[str, Any]  # the values of a description
_DECIMAL_COMMA = re.compile(r"'[+-]?\d+,\d+' is not a number")
_OWN = ("latitude", "longitude", "depth", "magnitude", "event_id", "magnitude_type")


def read_catalog(
    path: str | os.PathLike[str],
    *,
    format: str = "auto",  # noqa: A002  (the word of the field)
    policy: str = "strict",
    source: str | None = None,
    columns: Columns | None = None,
) -> tuple[EventBatch, ReadReport]:
    """Read a catalog.

    Parameters
    ----------
    path : path
        The file.
    format : str, default "auto"
        One of `CATALOG_FORMATS`; ``auto`` takes the only one that fits.
    policy : {"strict", "skip", "quarantine"}
        What to do with a bad row: raise, leave it out, or leave it out and
        hand it over in the report.
    source : str, optional
        What the events belong to; default the file's stem.
    columns : ColumnDescription or mapping, optional
        Which column is what, for the format ``delimited``.

    Returns
    -------
    batch : EventBatch
        By (time, place in the file).
    report : ReadReport
        What was read, kept and skipped.

    Raises
    ------
    InputError
        If the file cannot be read.
    FormatError
        If it is empty or binary, no format or more than one fits, a row is bad
        (``strict``), or no row at all is good.
    ConfigError
        If the format, the policy or the description does not exist.
    """
    check_policy(policy)
    name = check_format(format)
    if columns is not None and name not in ("auto", "delimited"):
        raise ConfigError(
            f"format={name} has its own columns; a description is for format=delimited",
            fix="leave out columns, or use format=delimited",
        )
    description = ColumnDescription.of(columns)
    file = read_bytes(path)
    if name == "auto":
        name = "delimited" if columns is not None else the_format(file)
    stem = source_name(source, Path(file.name).stem)
    if obspy_name(name):
        try:
            batch, bad = read_obspy(file, name, stem)
        except FormatError as error:
            raise FormatError(
                error.reason, file=file.name, fix=_other_format(file, name) or error.fix
            ) from error.__cause__
        refuse(bad, file=file.name, policy=policy)
        used = {"time": "origin time", "magnitude": "preferred or first magnitude"}
    else:
        batch, bad, used = _read_text(file, name, description, policy, stem)
    report = report_on(
        batch, bad, file=file.name, format=name, sha256=file.sha256, policy=policy, columns=used
    )
    if not report.kept:
        reason = max(report.reasons, key=lambda kind: report.reasons[kind])
        raise FormatError(
            f"none of the {report.read} rows can be read as {name}: {bad[0].reason} ({reason})",
            file=file.name,
            line=bad[0].line,
            fix=_other_format(file, name)
            or "check the file, name another format, or describe the columns (columns=..., with a "
            "date_format if dates are not ISO 8601)",
        )
    return batch.sorted(), report


def check_format(name: str) -> str:
    """Give the name of a format as `CATALOG_FORMATS` has it, or ``auto``.

    Raises
    ------
    ConfigError
        If there is no such format.
    """
    known = ("auto", *CATALOG_FORMATS)
    plain = str(name).strip().lower()
    if plain not in known:
        raise ConfigError(
            f"there is no format {name!r}{suggest(plain, known)}",
            fix=f"use one of {', '.join(known)}",
        )
    return plain


def timescale_of(
    path: str | os.PathLike[str],
    format: str = "auto",  # noqa: A002  (the word of the field)
    columns: Columns | None = None,
) -> Timescale:
    """Say what the times of a catalog count from, without reading its rows.

    Parameters
    ----------
    path, format, columns
        As for `read_catalog`.

    Returns
    -------
    {"utc", "elapsed"}
        ``elapsed`` is since the start of an experiment.

    Raises
    ------
    InputError, FormatError, ConfigError
        As `read_catalog` does for the file as a whole.
    """
    name = check_format(format)
    file = read_bytes(path)
    if name == "auto":
        name = "delimited" if columns is not None else the_format(file)
    if name in TEXT_FORMATS:
        return TEXT_FORMATS[name].timescale
    if name != "delimited":
        return "utc"
    description = ColumnDescription.of(columns)
    layout = describe_layout(decode(file, description.encoding), description, file=file.name)
    return "elapsed" if any(field.kind == "elapsed" for field in layout.fields) else "utc"


def _read_text(
    file: FileBytes, name: str, description: ColumnDescription, policy: str, source: str
) -> tuple[EventBatch, list[BadRow], dict[str, str]]:
    timescale: Timescale = "utc"
    if name == "delimited":
        text = decode(file, description.encoding)
        layout = describe_layout(text, description, file=file.name)
        if any(field.kind == "elapsed" for field in layout.fields):
            timescale = "elapsed"
    else:
        text = decode(file)
        layout = TEXT_FORMATS[name].layout
        timescale = TEXT_FORMATS[name].timescale
    if layout.twice:
        raise FormatError(
            f"the header names {shorten(', '.join(layout.twice))} twice",
            file=file.name,
            line=layout.header_lines,
            fix="rename one of the two, or give the number of the column that is meant",
        )
    if not count_rows(text, layout):
        raise FormatError(
            f"the file has no row of {name} after its header", file=file.name,
            fix=_other_format(file, name) or "check that the download is complete",
        )  # fmt: skip
    table = _read_rows(file, text, layout, name, policy)
    if name != "delimited":
        table = without_false_zeros(table, TEXT_FORMATS[name])
    batch = EventBatch(
        source=source,
        time=table.time,
        sequence=table.sequence,
        timescale=timescale,
        extra={key: column for key, column in table.columns.items() if key not in _OWN},
        **{key: _own(column) for key, column in table.columns.items() if key in _OWN},
    )
    return batch, table.bad, _used(layout)


def _read_rows(file: FileBytes, text: str, layout: Layout, name: str, policy: str) -> Table:
    try:
        return read_table(text, layout, file=file.name, policy=policy)
    except FormatError as error:
        fix = error.fix
        if error.line is not None and error.line <= layout.header_lines + 1:
            fix = _other_format(file, name) or fix
        if name == "delimited" and "ISO 8601" in error.reason:
            fix = (
                "say how the time is written, in a TOML file given as columns=FILE: "
                'date_format = "%d/%m/%Y %H:%M:%S" (day first) or "%m/%d/%Y %H:%M:%S" '
                "(month first)"
            )
        elif name == "delimited" and _DECIMAL_COMMA.search(error.reason):
            fix = "if the decimal mark is a comma, say so: decimal=','"
        raise FormatError(error.reason, file=error.file, line=error.line, fix=fix) from None


def _other_format(file: FileBytes, name: str) -> str | None:
    """Advise the formats that fit the file, if the named one does not."""
    found = [other for other in recognise_bytes(file) if other in CATALOG_FORMATS]
    if not found or name in found:
        return None
    return "the file looks like " + " or ".join(f"format={other}" for other in found)


def _own(column: object) -> Any:
    return column if isinstance(column, Strings) else np.asarray(column)


def _used(layout: Layout) -> dict[str, str]:
    used: dict[str, str] = {}
    for field in layout.fields:
        title = field.header or field.name.replace("_", " ")
        if field.name == "depth" and field.scale == 1000.0:
            title += " (metres)"
        key = "time" if field.kind in ("time", "part", "elapsed") else field.name
        used[key] = f"{used[key]} + {title}" if key in used else title
    return used


__all__ = ["Columns", "check_format", "read_catalog", "timescale_of"]
