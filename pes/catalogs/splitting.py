"""Cutting a text into rows, and rows into cells."""

from __future__ import annotations

import csv

import numpy as np

from flowquake.pes.catalogs.cells import Bytes, Cells, trim
from flowquake.pes.catalogs.layouts import ANY_NUMBER, BLANKS, FIXED, Field, Layout
from flowquake.pes.catalogs.reports import shorten
from flowquake.records import IntArray


class Faults:
    """The first fault of each bad row of a block, by row."""

    def __init__(self) -> None:
        self.of: dict[int, tuple[str, str]] = {}

    def add(self, row: int, kind: str, reason: str) -> None:
        """Note a fault, unless the row has one."""
        self.of.setdefault(row, (kind, shorten(reason)))


def rows_of(text: str, codes: Bytes, layout: Layout) -> tuple[IntArray, IntArray, IntArray]:
    """Find the start, end and line number of each line that is a row."""
    breaks = np.flatnonzero(codes == 10)
    start = np.concatenate((np.zeros(1, dtype=np.int64), breaks + 1))
    end = np.concatenate((breaks, np.array([len(text)], dtype=np.int64)))
    line = np.arange(1, len(start) + 1)
    inner_start, inner_end = trim(codes, start, end)
    keep = inner_start < inner_end
    keep[: layout.header_lines] = False
    if layout.comment:
        keep &= codes[np.minimum(inner_start, len(codes) - 1)] != ord(layout.comment)
    return start[keep], end[keep], line[keep]


def cells_of(
    text: str, codes: Bytes, start: IntArray, end: IntArray, layout: Layout, faults: Faults
) -> list[Cells]:
    """Cut lines into one column of cells a field."""
    if layout.split == FIXED:
        return [_fixed(text, codes, start, end, field) for field in layout.fields]
    if layout.quotes and '"' in text[start[0] : end[-1]]:
        return _quoted(text, start, end, layout, faults)
    low, high = (int(start[0]), int(end[-1])) if len(start) else (0, 0)
    span = codes[low:high]
    if layout.split == BLANKS:
        blank = (span == 32) | (span == 9) | (span == 13) | (span == 10)
        before = np.concatenate((np.ones(1, dtype=np.bool_), blank[:-1]))
        first = np.flatnonzero(~blank & before) + low
        after = np.flatnonzero(~before[1:] & blank[1:]) + 1 + low
        if len(after) < len(first):
            after = np.append(after, high)
        index = np.searchsorted(first, start)
        count = np.searchsorted(first, end) - index
    else:
        marks = np.flatnonzero(span == ord(layout.split)) + low
        index = np.searchsorted(marks, start)
        count = np.searchsorted(marks, end) - index + 1
    columns = []
    for field in layout.fields:
        place = field.place if isinstance(field.place, int) else field.place[0]
        there = count > place
        if layout.split == BLANKS:
            at = np.minimum(index + place, len(first) - 1)
            cell_start, cell_end = first[at], after[at]
        else:
            padded = np.append(marks, high)
            before, here = (np.minimum(index + step, len(marks)) for step in (place - 1, place))
            cell_start = start if place == 0 else padded[before] + 1
            cell_end = np.where(count > place + 1, padded[here], end)
        cell_start = np.where(there, cell_start, end)
        cell_end = np.where(there, cell_end, end)
        columns.append(Cells(text, codes, *trim(codes, cell_start, cell_end)))
    wrong = count < layout.least
    over = np.flatnonzero(count > layout.most)
    for row in np.flatnonzero(wrong).tolist():
        faults.add(row, "too few columns", _shape(int(count[row]), layout))
    for row in over.tolist():
        own = text[start[row] : end[row]]
        cut = own.split() if layout.split == BLANKS else own.split(layout.split)
        if any(cell.strip() for cell in cut[layout.most :]):
            faults.add(row, "too many columns", _shape(int(count[row]), layout))
    return columns


def _shape(count: int, layout: Layout) -> str:
    most = "" if layout.most in (layout.least, ANY_NUMBER) else f" to {layout.most}"
    more = " or more" if layout.most == ANY_NUMBER else ""
    return f"the row has {count} column{'' if count == 1 else 's'}, not {layout.least}{most}{more}"


def _fixed(text: str, codes: Bytes, start: IntArray, end: IntArray, field: Field) -> Cells:
    low, high = field.place if isinstance(field.place, tuple) else (field.place, field.place + 1)
    cell_start = np.minimum(start + low, end)
    cell_end = end if high is None else np.minimum(start + high, end)
    return Cells(text, codes, *trim(codes, cell_start, cell_end))


def _quoted(
    text: str, start: IntArray, end: IntArray, layout: Layout, faults: Faults
) -> list[Cells]:
    """Cut lines in which cells may be quoted; a cell ends with its line."""
    places = [field.place if isinstance(field.place, int) else 0 for field in layout.fields]
    columns: list[list[str]] = [[] for _ in places]
    for row, (low, high) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        cells = split_quoted(text[low:high].rstrip("\r"), layout.split)
        if cells is None:
            faults.add(row, "bad quotes", "a double quote is not closed")
            cells = []
        elif len(cells) < layout.least:
            faults.add(row, "too few columns", _shape(len(cells), layout))
        elif any(cell.strip() for cell in cells[layout.most :]):
            faults.add(row, "too many columns", _shape(len(cells), layout))
        for column, place in zip(columns, places, strict=True):
            column.append(cells[place] if place < len(cells) else "")
    return [Cells.of(column) for column in columns]


def split_quoted(line: str, delimiter: str) -> list[str] | None:
    """Cut one line at a delimiter outside double quotes; None if a quote stays open."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None
