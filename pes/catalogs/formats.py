"""The formats of observatories and laboratories, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from flowquake.pes.catalogs.layouts import FIXED, Field, Layout
from flowquake.pes.catalogs.tables import Table
from flowquake.records import FrozenDict, Strings, Timescale

DAY_FIRST: Final = "%d/%m/%Y"
_CLOCK: Final = "%H:%M:%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFormat:
    """A catalog format with a fixed layout.

    Parameters
    ----------
    name : str
        What the user calls it.
    title : str
        Whose it is and how it looks, in a line.
    layout : Layout
        Its columns.
    timescale : {"utc", "elapsed"}
        What its times count from.
    no_magnitude_type : str, optional
        With this magnitude type a magnitude of 0 means that there is none.
    first_line : str, optional
        What its first line begins with, apart from blanks.
    """

    name: str
    title: str
    layout: Layout
    timescale: Timescale = "utc"
    no_magnitude_type: str | None = None
    first_line: str | None = None


def latitude(place: int | tuple[int, int], header: str = "") -> Field:
    """Give a column of latitudes, degrees."""
    return Field(name="latitude", place=place, kind="number", low=-90.0, high=90.0, header=header)


def longitude(place: int | tuple[int, int], header: str = "") -> Field:
    """Give a column of longitudes, degrees."""
    return Field(
        name="longitude", place=place, kind="number", low=-180.0, high=360.0, header=header
    )


def depth(place: int | tuple[int, int], missing: tuple[str, ...] = (), header: str = "") -> Field:
    """Give a column of depths, kilometres positive down."""
    return Field(
        name="depth", place=place, kind="number", missing=missing, low=-100.0, high=1000.0,
        header=header,
    )  # fmt: skip


def magnitude(
    place: int | tuple[int, int | None], missing: tuple[str, ...] = (), header: str = ""
) -> Field:
    """Give a column of magnitudes."""
    return Field(
        name="magnitude", place=place, kind="number", missing=missing, low=-10.0, high=12.0,
        header=header,
    )  # fmt: skip


def _time(place: int | tuple[int, int], pattern: str, header: str) -> Field:
    return Field(name="time", place=place, kind="time", pattern=pattern, header=header)


def _text(name: str, place: int | tuple[int, int | None], header: str = "") -> Field:
    return Field(name=name, place=place, kind="text", header=header)


_INGV_CT = TextFormat(
    name="ingv-ct",
    title="INGV Osservatorio Etneo: tabs, no header, dd-mm-yyyy",
    layout=Layout(
        split="\t",
        fields=(
            _text("event_id", 0, "id"),
            _time(1, "%d-%m-%Y", "date"),
            _time(2, _CLOCK, "time of day"),
            latitude(3),
            longitude(4),
            depth(5),
            magnitude(6),
            _text("magnitude_type", 7),
            _text("place", 8),
        ),
        least=8,
        most=9,
    ),
)

_IGN_WEB = TextFormat(
    name="ign-web",
    title="IGN web list: tabs, two header lines, dd/mm/yyyy, -999 for missing",
    layout=Layout(
        split="\t",
        header_lines=2,
        fields=(
            _text("event_id", 0, "Evento"),
            _time(1, DAY_FIRST, "Fecha"),
            _time(2, _CLOCK, "Hora"),
            latitude(3, "Lat"),
            longitude(4, "Long"),
            depth(5, ("-999",), "Prof. (km)"),
            Field(name="intensity", place=6, kind="text", header="Int"),
            magnitude(7, ("-999",), "Mag"),
            _text("magnitude_type", 8, "Tipo Mag"),
            _text("place", 9, "Localización"),
        ),
        least=9,
        most=11,
    ),
    no_magnitude_type="0",
    first_line="Evento",
)

_IGN = TextFormat(
    name="ign",
    title="IGN bulletin: fixed width, one header line, dd/mm/yyyy",
    layout=Layout(
        split=FIXED,
        header_lines=1,
        fields=(
            _text("event_id", (0, 12), "Evento"),
            _time((12, 27), DAY_FIRST, "Fecha"),
            _time((27, 42), _CLOCK, "Hora"),
            latitude((42, 57), "Latitud"),
            longitude((57, 72), "Longitud"),
            depth((72, 87), ("-999",), "Prof. (Km)"),
            _text("intensity", (87, 102), "Inten."),
            # Its zeros are the events that the web list gives -999.
            magnitude((102, 117), ("-999", "0.0"), "Mag."),
            _text("magnitude_type", (117, 132), "Tipo Mag."),
            _text("place", (132, None), "Localización"),
        ),
    ),
    no_magnitude_type="0",
    first_line="Evento",
)

_INGV_OV = TextFormat(
    name="ingv-ov",
    title="INGV Osservatorio Vesuviano, event list: tabs, no header, yyyy/mm/dd hh:mm:ss.ss",
    layout=Layout(
        split="\t",
        fields=(
            _time(0, "%Y/%m/%d %H:%M:%S", "date and time"),
            magnitude(1, ("ND",)),
            latitude(2),
            longitude(3),
            depth(4),
            _text("status", 5),
        ),
        least=5,
        most=6,
    ),
)

_VESUVIUS = TextFormat(
    name="vesuvius",
    title="INGV catalog of Vesuvius: yyyy mm dd hh:mm and a magnitude, no location",
    layout=Layout(
        split=FIXED,
        fields=(
            _time((0, 16), "%Y %m %d %H:%M", "date and time"),
            magnitude((16, None), ("ND",)),
        ),
    ),
)

_LAB_AE = TextFormat(
    name="lab-ae",
    title="acoustic emissions: time in minutes and size, two columns, no header",
    layout=Layout(
        split="\t",
        fields=(
            Field(name="time", place=0, kind="elapsed", scale=60e9, header="time (min)"),
            Field(name="magnitude", place=1, kind="number", header="AE size"),
        ),
        least=2,
        most=2,
    ),
    timescale="elapsed",
)

TEXT_FORMATS: Final[Mapping[str, TextFormat]] = FrozenDict(
    {format_.name: format_ for format_ in (_INGV_CT, _IGN_WEB, _IGN, _INGV_OV, _VESUVIUS, _LAB_AE)}
)


def without_false_zeros(table: Table, format_: TextFormat) -> Table:
    """Make a magnitude of 0 missing where the type says that there is none."""
    types = table.columns.get("magnitude_type")
    if format_.no_magnitude_type is None or not isinstance(types, Strings):
        return table
    found = np.asarray(table.columns["magnitude"])
    none = (found == 0) & types.equals(format_.no_magnitude_type)
    columns = {**table.columns, "magnitude": np.where(none, np.nan, found)}
    return Table(table.time, table.sequence, columns, table.bad)
