"""Text for terminals: free of control characters, in aligned columns."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

# C0 and C1 controls, and the marks that turn the direction of text.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def clean(text: object) -> str:
    r"""Take out what would steer a terminal; line breaks and tabs become blanks.

    Examples
    --------
    >>> clean("Etna\x1b[31m\n2011")
    'Etna[31m 2011'
    """
    return clean_lines(text).replace("\n", " ").replace("\t", " ")


def clean_lines(text: object) -> str:
    """Take out what would steer a terminal, but keep line breaks."""
    # A lone surrogate (an odd file name) cannot be encoded.
    plain = str(text).encode("utf-8", "replace").decode("utf-8")
    return _UNSAFE.sub("", plain)


def table(header: Sequence[str], rows: Sequence[Sequence[object]], *, indent: str = "  ") -> str:
    """Lay out rows in columns; a column of numbers is right-aligned.

    Examples
    --------
    >>> print(table(["pe", "in"], [["read", 0], ["select", 12]], indent=""))
    pe      in
    read     0
    select  12
    """
    cells = [[clean(cell) for cell in row] for row in rows]
    columns = range(len(header))
    widths = [max(len(row[i]) for row in [list(header), *cells]) for i in columns]
    right = [bool(cells) and all(_is_number(row[i]) for row in cells) for i in columns]
    lines = []
    for row in [list(header), *cells]:
        parts = [row[i].rjust(widths[i]) if right[i] else row[i].ljust(widths[i]) for i in columns]
        lines.append((indent + "  ".join(parts)).rstrip())
    return "\n".join(lines)


def print_json(document: object) -> None:
    """Write the one JSON document of ``--json`` to standard output."""
    sys.stdout.write(
        json.dumps(document, indent=2, ensure_ascii=not _is_utf8(), allow_nan=False) + "\n"
    )
    sys.stdout.flush()


def print_json_line(document: object) -> None:
    """Write one line of ``--json-lines`` to standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=not _is_utf8(), allow_nan=False) + "\n")
    sys.stdout.flush()


def silence(stream: TextIO) -> None:
    """Let a stream that cannot be written end without a complaint of Python's."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def note(text: str = "") -> None:
    """Write a line for people to standard error."""
    encoding = sys.stderr.encoding or "utf-8"
    line = clean_lines(text).encode(encoding, "replace").decode(encoding)
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        # Nobody can be told (a full disk, a closed pipe); the exit code still can.
        silence(sys.stderr)


def say(text: str = "", *, end: str = "\n") -> None:
    """Write a line of the command's result to standard output."""
    encoding = sys.stdout.encoding or "utf-8"
    print(clean_lines(text).encode(encoding, "replace").decode(encoding), end=end)


def _is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[+\-−]?[\d,]*\.?\d+|-?", cell))
