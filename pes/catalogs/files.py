"""Opening what a reader is given, with an error that says what is wrong with it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from flowquake.errors import FormatError, InputError, suggest

_SNIFF = 65_536
_MARK = b"\xef\xbb\xbf"  # of UTF-8
# gzip, zip (spreadsheets too), bzip2, xz, 7z and the older spreadsheets.
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\xd0\xcf\x11\xe0")
# A path object has one slash where the address had two.
_RETURNS = re.compile(r"\r+\n|\r")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:https?|ftps?|file|s3|gs):/")


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file's name, its bytes and their SHA-256."""

    name: str
    data: bytes
    sha256: str


def read_bytes(path: str | os.PathLike[str]) -> FileBytes:
    """Read a whole file.

    Raises
    ------
    InputError
        If there is no such file, or it is a folder or cannot be read.
    FormatError
        If it is empty.
    """
    file = check_path(path)
    try:
        data = file.read_bytes()
    except OSError as cause:
        raise _unreadable(file, cause) from cause
    if not data.removeprefix(_MARK).strip():
        raise FormatError(
            "the file is empty", file=str(file), fix="check that the download is complete"
        )
    return FileBytes(str(file), data, hashlib.sha256(data).hexdigest())


def check_path(path: str | os.PathLike[str]) -> Path:
    """Give the path if a file is there.

    Raises
    ------
    InputError
        If not; a URL is refused, a misspelled name gets the nearest one.
    """
    text = os.fspath(path)
    if "\0" in text or not text:
        raise InputError(f"{text!r} is not a file name", fix="give the path of a file")
    if _ADDRESS.match(text):
        raise InputError(
            f"{text} is a URL; flowquake reads files only", fix="download it and give the file"
        )
    file = Path(text).expanduser()
    try:
        if file.is_dir():
            raise InputError(
                f"{file} is a folder, not a file",
                fix=f"give a file in it, such as {_an_entry(file)}",
            )
        if file.is_symlink() and not file.exists():
            raise InputError(
                f"{file} is a link to a file that is not there", fix="mend or remove the link"
            )
        if not file.exists():
            raise InputError(
                f"there is no file {file}{_nearest(file)}",
                where=f"the working folder is {Path.cwd()}" if not file.is_absolute() else None,
                fix="check the path",
            )
        if not file.is_file():
            raise InputError(f"{file} is not a regular file", fix="give the path of a file")
    except OSError as cause:
        raise _unreadable(file, cause) from cause
    return file


def decode(file: FileBytes, encoding: str | None = None) -> str:
    """Give a text file's text; lines end in a line feed.

    Parameters
    ----------
    file : FileBytes
        What was read.
    encoding : str, optional
        Without one it is UTF-8, or else Latin-1.

    Raises
    ------
    FormatError
        If it is not text in that encoding.
    """
    data = file.data
    if data.startswith(_PACKED):
        raise FormatError(
            "the file is compressed, or a spreadsheet",
            file=file.name,
            fix="unpack it, or save the spreadsheet as CSV",
        )
    nul = data.find(b"\0")
    if nul >= 0:
        utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        raise FormatError(
            "the file is UTF-16" if utf16 else "the file is binary: it holds NUL bytes",
            file=file.name,
            line=data.count(b"\n", 0, nul) + 1,
            fix="save it as UTF-8" if utf16 else "give a text file",
        )
    data = data.removeprefix(_MARK)
    try:
        text = data.decode(encoding or "utf-8")
    except LookupError as cause:
        raise FormatError(
            f"there is no encoding {encoding!r}", file=file.name, fix="use utf-8 or latin-1"
        ) from cause
    except UnicodeError as cause:
        if encoding is None:
            text = data.decode("latin-1")
        else:
            place = cause.start if isinstance(cause, UnicodeDecodeError) else 0
            raise FormatError(
                f"the file is not {encoding}",
                file=file.name,
                line=data.count(b"\n", 0, place) + 1,
                fix="name its encoding, for example encoding='latin-1'",
            ) from cause
    # A carriage return ends a line too, alone or before a line feed: what is
    # glued to the line before it would be lost without a word.
    text = text.replace("\r\n", "\n")
    return _RETURNS.sub("\n", text) if "\r" in text else text


def source_name(given: str | None, stem: str) -> str:
    r"""Give the name of a source: the given one, or a file's stem.

    A name out of bytes that are no text in the locale (an old file, a
    terminal without UTF-8) is read as UTF-8, so that it can be written again.

    Examples
    --------
    >>> source_name(None, "etna\udcc3\udca9")
    'etnaé'
    """
    name = given or stem or "catalog"
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return name.encode("utf-8", "replace").decode("utf-8")


def head(file: FileBytes) -> FileBytes:
    """Give the beginning of a file, cut after a whole line."""
    if len(file.data) <= _SNIFF:
        return file
    data = file.data[:_SNIFF]
    cut = data.rfind(b"\n")
    return FileBytes(file.name, data[: cut + 1] if cut > 0 else data, file.sha256)


def _an_entry(folder: Path) -> str:
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    except OSError:
        names = []
    shown = [name for name in names if name.isprintable() and name[:1] not in (".", " ")]
    return shown[0] if shown else "catalog.csv"


def _nearest(file: Path) -> str:
    folder = file.parent
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return f"; there is no folder {folder}" if not folder.exists() else ""
    return suggest(file.name, names)


def _unreadable(file: Path, cause: OSError) -> InputError:
    return InputError(
        f"{file} cannot be read: {cause.strerror or cause}", fix="check its permissions"
    )
