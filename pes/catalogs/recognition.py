"""Telling a file's format by what is in it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Final

from flowquake.errors import FormatError
from flowquake.pes.catalogs.columns import ColumnDescription
from flowquake.pes.catalogs.delimited import describe_layout
from flowquake.pes.catalogs.eruptions import ERUPTION_LAYOUT
from flowquake.pes.catalogs.files import FileBytes, decode, head, read_bytes
from flowquake.pes.catalogs.formats import TEXT_FORMATS
from flowquake.pes.catalogs.layouts import BLANKS, Field, Layout
from flowquake.pes.catalogs.obspy_catalogs import OBSPY_FORMATS, recognised_by_obspy
from flowquake.pes.catalogs.tables import count_rows, read_table

CATALOG_FORMATS: Final[tuple[str, ...]] = (
    *TEXT_FORMATS, "delimited", *(name.lower() for name in OBSPY_FORMATS),
)  # fmt: skip
# Files that may lie beside a catalog; they are recognised so that none is taken for one.
OTHER_FORMATS: Final = ("lab-samples", "tilt", "eruptions")
_ROWS: Final = 200

_SAMPLES = Layout(
    split=BLANKS,
    fields=(
        Field(name="time", place=0, kind="elapsed", scale=60e9),
        Field(name="value", place=1, kind="number"),
    ),
    least=2,
    most=2,
)
_TILT = Layout(
    split=BLANKS,
    fields=(
        Field(name="time", place=0, kind="time", pattern="%d/%m/%Y"),
        Field(name="value", place=1, kind="number"),
    ),
    least=2,
    most=2,
)


def recognise(path: str | os.PathLike[str]) -> list[str]:
    r"""Give every format that the beginning of a file fits.

    A text format fits if nine of ten of its first rows can be read in it. The
    names are those of `CATALOG_FORMATS` and, for files that are no catalogs,
    of `OTHER_FORMATS`.

    Raises
    ------
    InputError
        If the file cannot be read.
    FormatError
        If it is empty.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "a.csv")
    ...     _ = file.write_text("time,magnitude\n2011-10-10T04:05:06Z,1.2\n")
    ...     recognise(file)
    ['delimited']
    """
    return recognise_bytes(read_bytes(path))


def recognise_bytes(file: FileBytes) -> list[str]:
    """Give every format that the beginning of a file fits, as `recognise` does."""
    beginning = head(file)
    if beginning.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return recognised_by_obspy(file)
    try:
        text = decode(beginning)
    except FormatError:
        return []
    text = "\n".join(text.split("\n")[: _ROWS + 5])
    found = [
        format_.name
        for format_ in TEXT_FORMATS.values()
        if (format_.first_line is None or text.lstrip().startswith(format_.first_line))
        and _mostly_fits(text, format_.layout)
    ]
    if fits_delimited(text):
        found.append("delimited")
    for name, layout in zip(OTHER_FORMATS, (_SAMPLES, _TILT, ERUPTION_LAYOUT), strict=True):
        if _mostly_fits(text, layout):
            found.append(name)
    return found or recognised_by_obspy(file)


def fits_delimited(text: str, description: ColumnDescription | None = None) -> bool:
    """Say whether a text has a header that names a time, and rows that fit it."""
    try:
        layout = describe_layout(text, description or ColumnDescription(), file="")
    except FormatError:
        return False
    return _mostly_fits(text, replace(layout, comment=""))


def _mostly_fits(text: str, layout: Layout) -> bool:
    if not count_rows(text, layout):
        return False
    table = read_table(text, layout, file="", policy="skip")
    return len(table.bad) * 9 <= len(table.time)


def the_format(file: FileBytes) -> str:
    """Give the one catalog format that a file fits.

    Raises
    ------
    FormatError
        If several fit, naming them, or none.
    """
    found = recognise_bytes(file)
    catalogs = [name for name in found if name in CATALOG_FORMATS]
    if len(found) == 1 and catalogs:
        return found[0]
    if len(found) > 1:
        usable = catalogs or found
        other = "" if usable == found else "; samples and eruptions have their own readers"
        raise FormatError(
            f"{len(found)} formats fit the file: {', '.join(found)}",
            file=file.name,
            fix=f"say which: {' or '.join(f'format={name}' for name in usable)}{other}",
        )
    if found:
        reader = "ReadEruptions" if found[0] == "eruptions" else "ReadSamples"
        raise FormatError(
            f"the file is not a catalog; it looks like {found[0]}",
            file=file.name,
            fix=f"read it with {reader}",
        )
    if not file.data.lstrip().startswith(b"<"):
        decode(head(file))  # says what it is if it is no text
    if _has_known_header(file):
        return "delimited"  # its rows are bad: reading says which and why
    raise FormatError(
        f"no format fits the file; it begins with {_beginning(file)}",
        file=file.name,
        fix="if it is a table of events, describe its columns (format=delimited, columns=..., with "
        "a date_format if dates are not ISO 8601); else name its format, one of "
        f"{', '.join(CATALOG_FORMATS)}",
    )


def _has_known_header(file: FileBytes) -> bool:
    try:
        layout = describe_layout(decode(head(file)), ColumnDescription(), file=file.name)
    except FormatError:
        return False
    return any(field.name in ("magnitude", "latitude") for field in layout.fields)


def _beginning(file: FileBytes) -> str:
    first = next((line for line in file.data.splitlines() if line.strip()), b"")
    try:
        return repr(first.decode("utf-8")[:60])
    except UnicodeDecodeError:
        return repr(first[:60].decode("latin-1"))
