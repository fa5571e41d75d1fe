"""Catalogs that ObsPy reads, by an explicit format from a list.

ObsPy's own detection of formats tries them all, and one of them executes what
it reads. So a format is always named here, only those of this list are, and
ObsPy is given bytes: never a file name, never an address.
"""

from __future__ import annotations

import importlib
import io
import re
import warnings
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from flowquake.errors import FormatError
from flowquake.pes.catalogs.files import FileBytes
from flowquake.pes.catalogs.reports import BadRow
from flowquake.records import EventBatch, FrozenDict, Strings
from flowquake.records.times import FIRST_YEAR, LAST_YEAR

OBSPY_FORMATS: Final[Mapping[str, str]] = FrozenDict(
    {
        "QUAKEML": "QuakeML 1.2",
        "SC3ML": "SeisComP XML",
        "NORDIC": "Nordic (SEISAN)",
        "NDK": "Global CMT",
        "ZMAP": "ZMAP",
        "CMTSOLUTION": "CMTSOLUTION",
        "HYPODDPHA": "HypoDD phase file",
        "NLLOC_HYP": "NonLinLoc hypocentre",
        "GSE2": "GSE2 bulletin",
        "IMS10BULLETIN": "IMS 1.0 bulletin",
        "FNETMT": "F-net moment tensors",
        "FOCMEC": "FOCMEC solutions",
        "SCARDEC": "SCARDEC source time functions",
        "EVENTTXT": "FDSN event text",
    }
)
# Those that can be told by their first characters.
_XML_ROOTS: Final = {"QUAKEML": b"quakeml", "SC3ML": b"seiscomp"}
_ENCODING: Final = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)")
# In these, what ASCII says is written as in ASCII.
_PLAIN: Final = re.compile(rb"(?i)utf-?8|us-ascii|ascii|iso-?8859-\d+|latin-?1|windows-125\d")
_RANGES: Final = {  # of what a catalog can hold, as for text
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 360.0),
    "depth": (-100.0, 1000.0),
    "magnitude": (-10.0, 12.0),
}


def obspy_name(name: str) -> str | None:
    """Give the ObsPy format of a name in small or capital letters; None if it is not listed."""
    upper = name.upper()
    return upper if upper in OBSPY_FORMATS else None


def recognised_by_obspy(file: FileBytes) -> list[str]:
    """Give the listed formats that fit the beginning of a file, in small letters."""
    data = file.data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data.startswith(b"<"):
        return [name.lower() for name, root in _XML_ROOTS.items() if root in data.lower()]
    base = _module("obspy.core.util.base")
    found = []
    for name in OBSPY_FORMATS:
        point = base.ENTRY_POINTS["event"].get(name)
        if point is None or name in _XML_ROOTS:
            continue
        if _fits(point, file.data):
            found.append(name.lower())
    return found


def _module(name: str) -> Any:  # ObsPy is not typed
    # Imported here because it takes a second; on some Pythons it warns of itself.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def _fits(point: Any, data: bytes) -> bool:
    from importlib import metadata

    group = f"obspy.plugin.event.{point.name}"
    for entry in metadata.entry_points(group=group, name="isFormat"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return bool(entry.load()(io.BytesIO(data)))
        except Exception:  # noqa: BLE001  (a detector that fails says no)
            return False
    return False


def read_obspy(file: FileBytes, format_: str, source: str) -> tuple[EventBatch, list[BadRow]]:
    """Read a catalog through ObsPy.

    Parameters
    ----------
    file : FileBytes
        What was read.
    format_ : str
        One of `OBSPY_FORMATS`.
    source : str
        Of the batch.

    Returns
    -------
    batch : EventBatch
        In the order of the file. Origin and magnitude are the preferred ones,
        or else the first; depth is in kilometres.
    bad : list of BadRow
        Events without an origin time; they have no line.

    Raises
    ------
    FormatError
        If the file is not in that format.
    """
    name = obspy_name(format_)
    if name is None:
        raise FormatError(f"{format_!r} is not a format of ObsPy that is read", file=file.name)
    if name in _XML_ROOTS:
        _check_encoding(file)
    if b"<!DOCTYPE" in file.data or b"<!ENTITY" in file.data:
        raise FormatError(
            "the XML declares entities, which are not read", file=file.name, fix="remove them"
        )
    obspy = _module("obspy")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            catalog = obspy.read_events(io.BytesIO(file.data), format=name)
    except Exception as cause:
        raise FormatError(
            f"the file is not {OBSPY_FORMATS[name]}: {_short(cause)}",
            file=file.name,
            fix="check that the download is complete, or name the format it has",
        ) from cause
    if not len(catalog):
        raise FormatError(
            f"the file holds no event that {OBSPY_FORMATS[name]} describes", file=file.name,
            fix="name the format it has",
        )  # fmt: skip
    return _batch(catalog, source)


def _check_encoding(file: FileBytes) -> None:
    """Refuse XML in an encoding that would hide what the bytes declare."""
    data = file.data.removeprefix(b"\xef\xbb\xbf").lstrip()
    named = _ENCODING.match(data)
    plain = named is None or _PLAIN.fullmatch(named[1]) is not None
    if not data.startswith(b"<") or b"\0" in data or not plain:
        raise FormatError(
            "the file is not XML in UTF-8", file=file.name, fix="save it as XML in UTF-8"
        )


def _batch(catalog: Any, source: str) -> tuple[EventBatch, list[BadRow]]:
    bad: list[BadRow] = []
    rows: list[tuple[int, int, float, float, float, float]] = []
    texts: list[tuple[str | None, str | None, str | None]] = []
    for place, event in enumerate(catalog):
        origin = event.preferred_origin() or next(iter(event.origins), None)
        magnitude = event.preferred_magnitude() or next(iter(event.magnitudes), None)
        name = str(event.resource_id.id) if event.resource_id is not None else None
        fault: tuple[str, str] | None = None
        latitude = longitude = depth = size = np.nan
        if origin is None or origin.time is None:
            bad.append(BadRow(None, place, name or "", "no time", "the event has no origin time"))
            continue
        if not FIRST_YEAR <= origin.time.year <= LAST_YEAR:
            fault = ("bad time", f"year {origin.time.year} is outside {FIRST_YEAR} to {LAST_YEAR}")
        else:
            latitude, longitude = _real(origin.latitude), _real(origin.longitude)
            depth = _real(origin.depth) / 1000.0
            size = _real(magnitude.mag) if magnitude is not None else np.nan
            found = (latitude, longitude, depth, size)
            for (what, (low, high)), value in zip(_RANGES.items(), found, strict=True):
                if value < low or value > high:
                    reason = f"{what} {value:g} is outside {low:g} to {high:g}"
                    fault = fault or (f"{what} out of range", reason)
        if fault is not None:
            bad.append(BadRow(None, place, name or "", *fault))
            continue
        rows.append((int(origin.time.ns), place, latitude, longitude, depth, size))
        kind = magnitude.magnitude_type if magnitude is not None else None
        texts.append((name, kind, event.event_type))
    numbers = np.array([row[2:] for row in rows], dtype=np.float64).reshape(-1, 4)
    return EventBatch(
        source=source,
        time=np.array([row[0] for row in rows], dtype=np.int64),
        sequence=np.array([row[1] for row in rows], dtype=np.int64),
        latitude=numbers[:, 0],
        longitude=numbers[:, 1],
        depth=numbers[:, 2],
        magnitude=numbers[:, 3],
        event_id=Strings.from_list(row[0] for row in texts),
        magnitude_type=Strings.from_list(row[1] for row in texts),
        extra={"event_type": Strings.from_list(row[2] for row in texts)},
    ), bad


def _real(value: float | None) -> float:
    return float("nan") if value is None or not np.isfinite(value) else float(value)


def _short(cause: Exception) -> str:
    lines = re.sub(r" at 0x[0-9a-f]+", "", str(cause)).strip().splitlines()
    return f"{type(cause).__name__}: {lines[0][:200]}" if lines else type(cause).__name__
