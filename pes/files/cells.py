"""Cells of a CSV file: texts that no spreadsheet runs, numbers that come back exactly."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping

import numpy as np

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_line(values: Iterable[object]) -> str:
    r"""Write one CSV row (RFC 4180), without its end of line.

    Examples
    --------
    >>> csv_line(["Etna, south", 0.1, None, True, "=1+1"])
    '"Etna, south",0.1,,true,\'=1+1'
    """
    buffer = io.StringIO()
    # The writer quotes the characters of its own end of line, so both are in it.
    csv.writer(buffer, lineterminator="\r\n").writerow([cell(value) for value in values])
    return buffer.getvalue()[:-2]


def cell(value: object) -> str:
    """Give the text of one value.

    Floats have the shortest digits that read back as the same number; what is
    missing (None, NaN) is empty; mappings and lists are JSON. A text that a
    spreadsheet would take for a formula gets an apostrophe in front, unless it
    is a number.

    Examples
    --------
    >>> cell(0.1 + 0.2), cell(float("nan")), cell("-1.5"), cell("@SUM(A1)")
    ('0.30000000000000004', '', '-1.5', "'@SUM(A1)")
    """
    if value is None:
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value)) if np.isfinite(value) else ""
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    return _harmless(str(value))


def _harmless(text: str) -> str:
    if not text.startswith(_FORMULA_STARTS) and not text.lstrip().startswith(_FORMULA_STARTS[:4]):
        return text
    try:
        float(text)
    except ValueError:
        return "'" + text
    return text
