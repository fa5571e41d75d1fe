"""Catalogs: reading, telling formats apart, selecting events; lists of eruptions."""

from __future__ import annotations

from flowquake.pes.catalogs.columns import ColumnDescription
from flowquake.pes.catalogs.elements import ReadCatalog, ReadEruptions, SelectEvents
from flowquake.pes.catalogs.eruptions import read_eruptions
from flowquake.pes.catalogs.reading import check_format, read_catalog, timescale_of
from flowquake.pes.catalogs.recognition import CATALOG_FORMATS, OTHER_FORMATS, recognise
from flowquake.pes.catalogs.reports import POLICIES, BadRow, ReadReport
from flowquake.pes.catalogs.selection import Selection, select_events

__all__ = [
    "CATALOG_FORMATS",
    "OTHER_FORMATS",
    "POLICIES",
    "BadRow",
    "ColumnDescription",
    "ReadCatalog",
    "ReadEruptions",
    "ReadReport",
    "SelectEvents",
    "Selection",
    "check_format",
    "read_catalog",
    "read_eruptions",
    "recognise",
    "select_events",
    "timescale_of",
]
