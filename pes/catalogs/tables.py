"""Text tables: from lines to typed columns, with every bad row accounted for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from flowquake.pes.catalogs.cells import Bytes, Cells, characters, number, plain_numbers
from flowquake.pes.catalogs.dates import time_pattern
from flowquake.pes.catalogs.layouts import TIME_KINDS, Field, Layout
from flowquake.pes.catalogs.reports import BadRow, refuse
from flowquake.pes.catalogs.splitting import Faults, cells_of, rows_of
from flowquake.records import AnyArray, FloatArray, IntArray, Strings, civil_ns

_BLOCK: Final = 65_536
_PARTS: Final = ("year", "month", "day", "hour", "minute", "second")


@dataclass(frozen=True, slots=True)
class Table:
    """The good rows of a table, in the order of the file.

    Parameters
    ----------
    time : ndarray of int64, shape (n,)
        Nanoseconds.
    sequence : ndarray of int64, shape (n,)
        Place among the rows of data, from 0.
    columns : mapping of str to ndarray or Strings
        Numbers and text.
    bad : list of BadRow
        The others.
    """

    time: IntArray
    sequence: IntArray
    columns: Mapping[str, FloatArray | Strings]
    bad: list[BadRow]


def read_table(
    text: str, layout: Layout, *, file: str, policy: str, fix: str | None = None
) -> Table:
    """Read the rows of a text.

    Parameters
    ----------
    text : str
        The file's text; lines end in a line feed.
    layout : Layout
        How it is laid out.
    file : str
        Its name, for errors.
    policy : {"strict", "skip", "quarantine"}
        With ``strict`` the first bad row raises.
    fix : str, optional
        What the error of a strict reader advises.

    Raises
    ------
    FormatError
        With the line and the reason.
    """
    codes = characters(text)
    start, end, line = rows_of(text, codes, layout)
    blocks: list[dict[str, object]] = []
    bad: list[BadRow] = []
    for low in range(0, len(start), _BLOCK):
        part = slice(low, low + _BLOCK)
        faults = Faults()
        values = _block(text, codes, start[part], end[part], layout, faults)
        fresh = [
            BadRow(
                int(line[low + row]),
                low + row,
                text[start[low + row] : end[low + row]].rstrip("\r"),
                kind,
                reason,
            )
            for row, (kind, reason) in sorted(faults.of.items())
        ]
        refuse(fresh, file=file, policy=policy, fix=fix)
        bad += fresh
        keep = np.ones(len(start[part]), dtype=np.bool_)
        keep[list(faults.of)] = False
        rows = np.flatnonzero(keep)
        values["sequence"] = np.arange(low, low + len(keep), dtype=np.int64)
        blocks.append({name: _kept(column, rows) for name, column in values.items()})
    return _joined(blocks, layout, bad)


def count_rows(text: str, layout: Layout) -> int:
    """Count the rows of data of a text."""
    return len(rows_of(text, characters(text), layout)[0])


def _block(
    text: str, codes: Bytes, start: IntArray, end: IntArray, layout: Layout, faults: Faults
) -> dict[str, object]:
    cells = cells_of(text, codes, start, end, layout, faults)
    values: dict[str, object] = {}
    time = np.zeros(len(start), dtype=np.int64)
    parts: dict[str, FloatArray] = {}
    for field, column in zip(layout.fields, cells, strict=True):
        if field.kind == "time":
            time += _times(column, field, faults)
        elif field.kind == "text":
            values[field.name] = Strings.from_list(_texts(column, field))
        elif field.kind == "any":
            values[field.name] = column.to_list()
        else:
            found = _numbers(column, field, faults)
            if field.kind == "number":
                values[field.name] = found
                continue
            for row in np.flatnonzero(np.isnan(found)).tolist():
                faults.add(row, "no time", f"there is no {field.name}")
            if field.kind == "part":
                parts[field.name] = found
            else:
                with np.errstate(invalid="ignore"):
                    scaled = np.rint(found * field.scale)
                far = ~(np.abs(scaled) < 9e18)
                for row in np.flatnonzero(far).tolist():
                    faults.add(row, "bad time", f"{column[row]!r} is out of range")
                time += np.where(far, 0, scaled).astype(np.int64)
    if parts:
        offset = next(field.offset for field in layout.fields if field.kind == "part")
        time += _from_parts(parts, faults) - offset
    values["time"] = time
    return values


def _numbers(cells: Cells, field: Field, faults: Faults) -> FloatArray:
    """Read a column of numbers; NaN where there is none."""
    values, taken = plain_numbers(cells, field.decimal)
    values[~taken] = np.nan
    for row in np.flatnonzero(~taken & (cells.lengths > 0)).tolist():
        cell = cells[row]
        if cell in field.missing:
            continue
        try:
            values[row] = number(cell, field.decimal)
        except ValueError as cause:
            faults.add(row, f"bad {field.name}", f"{field.name}: {cause}")
    for mark in field.missing:
        try:
            values[values == number(mark, field.decimal)] = np.nan
        except ValueError:
            continue
    if field.scale != 1.0 and field.kind == "number":
        values /= field.scale
    outside = (values < field.low) | (values > field.high)
    for row in np.flatnonzero(outside).tolist():
        faults.add(
            row,
            f"{field.name} out of range",
            f"{field.name} {values[row]:g} is outside {field.low:g} to {field.high:g}",
        )
    return values


def _times(cells: Cells, field: Field, faults: Faults) -> IntArray:
    pattern = time_pattern(field.pattern, field.offset)
    times, taken = pattern.plain_times(cells)
    times[~taken] = 0
    for row in np.flatnonzero(~taken).tolist():
        cell = cells[row]
        if not cell or cell in field.missing:
            faults.add(row, "no time", f"there is no {field.header or 'time'}")
            continue
        try:
            times[row] = pattern.parse(cell)
        except ValueError as cause:
            faults.add(row, "bad time", str(cause))
    return times


def _texts(cells: Cells, field: Field) -> list[str | None]:
    missing = ("", *field.missing)
    return [None if text in missing else text for text in cells.to_list()]


def _from_parts(parts: Mapping[str, FloatArray], faults: Faults) -> IntArray:
    """Put year, month, … together; a second may have decimals."""
    given = {name: parts[name] for name in _PARTS if name in parts}
    n = len(next(iter(given.values())))
    times = np.zeros(n, dtype=np.int64)
    default = {"year": 1970.0, "month": 1.0, "day": 1.0}
    lists = [given.get(name, np.full(n, default.get(name, 0.0))).tolist() for name in _PARTS]
    for row, (year, month, day, hour, minute, second) in enumerate(zip(*lists, strict=True)):
        try:
            whole = [_whole(value) for value in (year, month, day, hour, minute)]
            nanoseconds = round(second * 1e9)
            if not 0 <= nanoseconds < 60_000_000_000:
                raise ValueError(f"{second:g} is not a second of a minute")
            times[row] = civil_ns(*whole) + nanoseconds
        except ValueError as cause:
            faults.add(row, "bad time", str(cause))
    return times


def _whole(value: float) -> int:
    if value != value or value != math.floor(value):
        raise ValueError(f"{value:g} is not a whole number")
    return int(value)


def _kept(column: object, rows: IntArray) -> object:
    if isinstance(column, Strings):
        return column.take(rows)
    if isinstance(column, list):
        return [column[row] for row in rows.tolist()] if len(rows) < len(column) else column
    return np.asarray(column)[rows]


def _joined(blocks: Sequence[dict[str, object]], layout: Layout, bad: list[BadRow]) -> Table:
    columns: dict[str, FloatArray | Strings] = {}
    for field in layout.fields:
        if field.kind in TIME_KINDS:
            continue
        parts = [block[field.name] for block in blocks]
        if field.kind == "text":
            columns[field.name] = Strings.concat([p for p in parts if isinstance(p, Strings)])
        elif field.kind == "any":
            texts = [text for part in parts if isinstance(part, list) for text in part]
            columns[field.name] = _numbers_or_text(texts, field)
        else:
            columns[field.name] = _flat(parts, np.float64)
    time = _flat([block["time"] for block in blocks], np.int64)
    sequence = _flat([block["sequence"] for block in blocks], np.int64)
    return Table(time, sequence, columns, bad)


def _flat(parts: Sequence[object], dtype: type) -> AnyArray:
    arrays = [np.asarray(part) for part in parts]
    return np.concatenate(arrays) if arrays else np.empty(0, dtype=dtype)


def _numbers_or_text(texts: list[str], field: Field) -> FloatArray | Strings:
    filled = [text for text in texts if text not in ("", *field.missing)]
    cells = Cells.of(texts)
    values, taken = plain_numbers(cells, field.decimal)
    values[~taken] = np.nan
    odd = np.flatnonzero(~taken & (cells.lengths > 0)).tolist()
    numeric = bool(filled)
    for row in odd:
        if texts[row] in field.missing:
            continue
        try:
            values[row] = number(texts[row], field.decimal)
        except ValueError:
            numeric = False
            break
    if numeric:
        return values
    return Strings.from_list(None if text in ("", *field.missing) else text for text in texts)
