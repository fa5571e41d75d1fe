"""Stress, strain and other samples of experiments, and tilt."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from flowquake.errors import ConfigError, FormatError, suggest
from flowquake.pes.catalogs.files import FileBytes, decode, read_bytes, source_name
from flowquake.pes.catalogs.formats import DAY_FIRST
from flowquake.pes.catalogs.layouts import BLANKS, Field, Layout
from flowquake.pes.catalogs.reports import ReadReport, check_policy
from flowquake.pes.catalogs.tables import Table, count_rows, read_table
from flowquake.records import FrozenDict, SampleBatch, Timescale

SAMPLE_FORMATS: Final = ("two-columns", "table", "tilt")
_TIME_UNITS: Final[Mapping[str, float]] = FrozenDict(
    {"min": 60e9, "mins": 60e9, "minutes": 60e9, "s": 1e9, "sec": 1e9, "secs": 1e9,
     "seconds": 1e9, "h": 3600e9, "hours": 3600e9, "days": 86400e9}
)  # fmt: skip
_UNITS: Final[Mapping[str, str]] = FrozenDict({"Mpa": "MPa", "mpa": "MPa", "cm3": "cm³"})
_WORDS: Final[Mapping[str, str]] = FrozenDict({"%": "percent", "MPa": "mpa", "cm³": "cm3"})


def read_samples(
    path: str | os.PathLike[str],
    *,
    format: str = "auto",  # noqa: A002  (the word of the field)
    name: str | None = None,
    unit: str | None = None,
    policy: str = "strict",
    source: str | None = None,
) -> tuple[SampleBatch, ReadReport]:
    """Read samples of an experiment or of a tiltmeter.

    Parameters
    ----------
    path : path
        The file.
    format : {"auto", "two-columns", "table", "tilt"}
        ``two-columns``: minutes since the start and a value, no header.
        ``table``: tabs and a header that names the time and its unit, such as
        ``time (mins)``, and the other columns. ``tilt``: days (dd/mm/yyyy) and
        a value. ``auto`` takes the only one that fits.
    name : str, optional
        Of the value of two columns; default ``stress``, ``strain`` or ``tilt``
        if the file's name says so, else ``value``.
    unit : str, optional
        Of that value; it is not in the file, and not guessed.
    policy : {"strict", "skip", "quarantine"}
        What to do with a bad row.
    source : str, optional
        The experiment or station; default the file's stem.

    Returns
    -------
    batch : SampleBatch
        By (time, place in the file); times are elapsed, those of tilt UTC.
    report : ReadReport
        What was read, kept and skipped.

    Raises
    ------
    InputError
        If the file cannot be read.
    FormatError
        If it is empty, no format fits, or a row is bad (``strict``).
    ConfigError
        If the format or the policy does not exist.
    """
    check_policy(policy)
    if format not in ("auto", *SAMPLE_FORMATS):
        raise ConfigError(
            f"there is no format {format!r} of samples{suggest(format, SAMPLE_FORMATS)}",
            fix=f"use auto, {', '.join(SAMPLE_FORMATS)}",
        )
    file = read_bytes(path)
    text = decode(file)
    chosen = _the_format(file, text) if format == "auto" else format
    stem = Path(file.name).stem
    layout, units = _layout(chosen, text, file, name or _value_name(stem), unit)
    if not count_rows(text, layout):
        raise FormatError("the file has no row after its header", file=file.name)
    table = read_table(text, layout, file=file.name, policy=policy)
    if not len(table.time):
        raise FormatError(
            f"none of the {len(table.bad)} rows can be read as {chosen}: {table.bad[0].reason}",
            file=file.name,
            line=table.bad[0].line,
            fix=f"name the format, one of {', '.join(SAMPLE_FORMATS)}",
        )
    timescale: Timescale = "utc" if chosen == "tilt" else "elapsed"
    batch = SampleBatch(
        source=source_name(source, stem),
        time=table.time,
        sequence=table.sequence,
        values={key: np.asarray(column) for key, column in table.columns.items()},
        units=units,
        timescale=timescale,
    )
    return batch.sorted(), _report(file, chosen, table, batch, policy)


def _layout(
    format_: str, text: str, file: FileBytes, name: str, unit: str | None
) -> tuple[Layout, dict[str, str]]:
    if format_ == "table":
        return _table_layout(text, file)
    if format_ == "tilt":
        time = Field(name="time", place=0, kind="time", pattern=DAY_FIRST, header="day")
    else:
        time = Field(name="time", place=0, kind="elapsed", scale=60e9, header="time (min)")
    value = Field(name=name, place=1, kind="number")
    layout = Layout(split=BLANKS, fields=(time, value), least=2, most=2)
    return layout, {} if unit is None else {name: unit}


def _table_layout(text: str, file: FileBytes) -> tuple[Layout, dict[str, str]]:
    """Take the columns and their units from a header."""
    lines = text.split("\n")
    place = next((number for number, line in enumerate(lines) if line.strip()), 0)
    parts = [_name_and_unit(cell) for cell in lines[place].rstrip("\r\t ").split("\t")]
    times = [
        (column, _TIME_UNITS[unit.lower()])
        for column, (base, unit) in enumerate(parts)
        if base == "time" and unit.lower() in _TIME_UNITS
    ]
    if not times or len(parts) < 2:
        raise FormatError(
            "the header names no time with its unit", file=file.name, line=place + 1,
            fix="for example: time (mins), stress (MPa), strain (%)",
        )  # fmt: skip
    at, scale = times[0]
    shared = Counter(base for base, _ in parts)
    fields = [Field(name="time", place=at, kind="elapsed", scale=scale, header=lines[place])]
    units: dict[str, str] = {}
    for column, (base, unit) in enumerate(parts):
        if base == "time" or not base:
            continue
        word = _WORDS.get(unit, re.sub(r"\W", "", unit))
        name = f"{base}_{word}" if shared[base] > 1 and word else base
        if any(field.name == name for field in fields):
            name = f"{name}_{column}"
        fields.append(Field(name=name, place=column, kind="number"))
        if unit:
            units[name] = unit
    layout = Layout(
        split="\t", fields=tuple(fields), header_lines=place + 1, least=len(parts), most=len(parts)
    )
    return layout, units


def _name_and_unit(header: str) -> tuple[str, str]:
    match = re.fullmatch(r"\s*(.*?)\s*(?:\(([^)]*)\))?\s*", header)
    base, unit = (match[1], match[2] or "") if match else (header, "")
    return re.sub(r"\W+", "_", base.lower()).strip("_"), _UNITS.get(unit, unit)


def _value_name(stem: str) -> str:
    return next((name for name in ("stress", "strain", "tilt") if name in stem.lower()), "value")


def _the_format(file: FileBytes, text: str) -> str:
    beginning = "\n".join(text.split("\n")[:200])
    fits = []
    for format_ in SAMPLE_FORMATS:
        try:
            layout, _ = _layout(format_, beginning, file, "value", None)
        except FormatError:
            continue
        if count_rows(beginning, layout):
            table = read_table(beginning, layout, file=file.name, policy="skip")
            if len(table.bad) * 9 <= len(table.time):
                fits.append(format_)
    if len(fits) == 1:
        return fits[0]
    raise FormatError(
        f"{len(fits)} formats fit the file: {', '.join(fits)}"
        if fits
        else "no format fits the file",
        file=file.name,
        fix=f"name its format, one of {', '.join(fits or SAMPLE_FORMATS)}",
    )


def _report(
    file: FileBytes, format_: str, table: Table, batch: SampleBatch, policy: str
) -> ReadReport:
    kinds: Sequence[str] = [row.kind for row in table.bad]
    return ReadReport(
        file=file.name,
        format=format_,
        sha256=file.sha256,
        read=len(batch) + len(table.bad),
        kept=len(batch),
        skipped=len(table.bad),
        reasons=FrozenDict(sorted(Counter(kinds).items())),
        out_of_order=int((batch.time[1:] < batch.time[:-1]).sum()),
        first=int(batch.time.min()),
        last=int(batch.time.max()),
        columns=FrozenDict({name: batch.units.get(name, "") for name in batch.values}),
        bad_rows=tuple(table.bad) if policy == "quarantine" else (),
        timescale=batch.timescale,
    )
