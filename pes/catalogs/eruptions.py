"""Lists of eruptions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np

from flowquake.pes.catalogs.dates import time_pattern
from flowquake.pes.catalogs.files import decode, read_bytes, source_name
from flowquake.pes.catalogs.formats import DAY_FIRST
from flowquake.pes.catalogs.layouts import Field, Layout
from flowquake.pes.catalogs.reports import BadRow, check_policy, refuse
from flowquake.pes.catalogs.tables import read_table
from flowquake.records import UNKNOWN_TIME, EruptionBatch, IntArray, Strings

ERUPTION_LAYOUT: Final = Layout(
    split="\t",
    fields=(
        Field(name="time", place=0, kind="time", pattern=DAY_FIRST, header="start"),
        Field(name="end", place=1, kind="text"),
        Field(name="kind", place=2, kind="text"),
        Field(name="location", place=3, kind="text"),
        Field(name="elevation", place=4, kind="text"),
        Field(name="area_km2", place=5, kind="number", low=0.0),
        Field(name="volume_1e6_m3", place=6, kind="number", low=0.0),
        Field(name="notes", place=7, kind="text"),
    ),
    least=3,
    most=8,
)


def read_eruptions(
    path: str | os.PathLike[str], *, policy: str = "strict", source: str | None = None
) -> tuple[EruptionBatch, tuple[BadRow, ...]]:
    """Read a list of eruptions.

    Tabs, no header: start and end (day first, dd/mm/yyyy; no end if it is not
    known), kind, location, elevation of the vents, area in km², volume in
    10⁶ m³, notes.

    Parameters
    ----------
    path : path
        The file.
    policy : {"strict", "skip", "quarantine"}
        What to do with a bad row.
    source : str, optional
        The volcano; default the file's stem.

    Returns
    -------
    batch : EruptionBatch
        By start.
    bad : tuple of BadRow
        The rows that were skipped.

    Raises
    ------
    InputError
        If the file cannot be read.
    FormatError
        If it is empty, or with ``strict`` has a bad row; an end before its
        start is one.
    """
    check_policy(policy)
    file = read_bytes(path)
    text = decode(file)
    table = read_table(text, ERUPTION_LAYOUT, file=file.name, policy=policy)
    end, faults = _ends(table.columns["end"], table.time)
    lines = _lines(text)
    bad = [
        BadRow(lines[int(table.sequence[row])][0], int(table.sequence[row]),
               lines[int(table.sequence[row])][1], "bad end", reason)
        for row, reason in faults.items()
    ]  # fmt: skip
    refuse(bad, file=file.name, policy=policy)
    keep = np.ones(len(table.time), dtype=np.bool_)
    keep[list(faults)] = False
    rows = np.flatnonzero(keep)
    columns = {
        name: column.take(rows) if isinstance(column, Strings) else column[rows]
        for name, column in table.columns.items()
        if name != "end"
    }
    batch = EruptionBatch(
        source=source_name(source, Path(file.name).stem),
        time=table.time[rows],
        sequence=table.sequence[rows],
        end=end[rows],
        **columns,
    )
    ordered = sorted([*table.bad, *bad], key=lambda one: one.sequence)
    return batch.sorted(), tuple(ordered)


def _ends(column: object, starts: IntArray) -> tuple[IntArray, dict[int, str]]:
    pattern = time_pattern(DAY_FIRST)
    end = np.full(len(starts), UNKNOWN_TIME, dtype=np.int64)
    faults: dict[int, str] = {}
    for row, text in enumerate(column if isinstance(column, Strings) else ()):
        if text is None:
            continue
        try:
            end[row] = pattern.parse(text)
        except ValueError as cause:
            faults[row] = f"end: {cause}"
            continue
        if end[row] < starts[row]:
            faults[row] = f"the eruption ends ({text}) before it starts"
    return end, faults


def _lines(text: str) -> list[tuple[int, str]]:
    return [
        (number, line.rstrip("\r"))
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip()
    ]
