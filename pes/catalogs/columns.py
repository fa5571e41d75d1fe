"""Saying which column of a delimited file is what."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flowquake.errors import ConfigError, suggest
from flowquake.pes.catalogs.dates import time_pattern
from flowquake.pes.catalogs.files import check_path
from flowquake.pes.catalogs.layouts import BLANKS
from flowquake.records import FrozenDict
from flowquake.records.times import zone_offset

PARTS: Final = ("year", "month", "day", "hour", "minute", "second")
NUMBERS: Final = ("latitude", "longitude", "depth", "magnitude")
TEXTS: Final = ("event_id", "magnitude_type")
TIMES: Final = ("time", "date", "clock", "elapsed", *PARTS)
NAMES: Final = (*TIMES, *NUMBERS, *TEXTS)
ELAPSED_NS: Final = {"seconds": 1e9, "minutes": 60e9, "hours": 3600e9, "days": 86400e9}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDescription:
    """Which column of a delimited file is what.

    Parameters
    ----------
    columns : mapping of str to (str or int)
        For each column of the batch (``time``, or ``date`` and ``clock``, or
        ``year``, ``month``, …, or ``elapsed``; ``latitude``, ``longitude``,
        ``depth``, ``magnitude``, ``event_id``, ``magnitude_type``, or any
        further name) the header's name of it, or its number from 0. Without
        any the header's own names are recognised.
    delimiter : str
        One character, ``blanks``, or ``auto``: the one that the first line
        has most of among comma, tab, semicolon and bar.
    header_lines : int, optional
        Lines before the first row, the last of which names the columns;
        default 1, or 0 if all columns are given by number.
    date_format : str, optional
        How ``time`` or ``date`` is written, such as ``%d/%m/%Y %H:%M:%S``;
        default ISO 8601. Nothing else is guessed.
    clock_format : str
        How ``clock`` is written.
    time_zone : str
        ``UTC`` or an offset such as ``+09:00``, of times without their own.
    elapsed_unit : str
        Of ``elapsed``: seconds, minutes, hours or days.
    depth_unit : {"km", "m"}, optional
        Of ``depth``; default km, except under a header known to give metres.
    missing : tuple of str
        What stands for no value, besides nothing at all.
    encoding : str, optional
        Default UTF-8, or else Latin-1.
    decimal : str
        The decimal mark.

    Raises
    ------
    ConfigError
        If a value is none of these.
    """

    columns: Mapping[str, str | int] = field(default_factory=FrozenDict)
    delimiter: str = "auto"
    header_lines: int | None = None
    date_format: str | None = None
    clock_format: str = "%H:%M:%S"
    time_zone: str = "UTC"
    elapsed_unit: str = "seconds"
    depth_unit: str | None = None
    missing: tuple[str, ...] = ()
    encoding: str | None = None
    decimal: str = "."

    def __post_init__(self) -> None:
        delimiter = {"tab": "\t", "\\t": "\t", "comma": ","}.get(self.delimiter, self.delimiter)
        object.__setattr__(self, "delimiter", delimiter)
        object.__setattr__(self, "columns", FrozenDict(self.columns))
        object.__setattr__(self, "missing", _texts(self.missing))
        if delimiter not in ("auto", BLANKS) and (
            len(delimiter) != 1 or delimiter in '\n\r"' or not delimiter.isascii()
        ):
            raise ConfigError(
                f"delimiter={self.delimiter!r} is not one character", fix="for example ',' or ';'"
            )
        if self.elapsed_unit not in ELAPSED_NS:
            raise ConfigError(
                f"elapsed_unit={self.elapsed_unit!r}{suggest(self.elapsed_unit, ELAPSED_NS)}",
                fix=f"use one of {', '.join(ELAPSED_NS)}",
            )
        if self.depth_unit not in (None, "km", "m"):
            raise ConfigError(f"depth_unit={self.depth_unit!r} is neither 'km' nor 'm'")
        if self.decimal not in (".", ","):
            raise ConfigError(f"decimal={self.decimal!r} is neither '.' nor ','")
        if self.decimal == delimiter:
            raise ConfigError("the decimal mark and the delimiter are the same")
        try:
            self.offset_ns()
            for pattern in (self.date_format, self.clock_format):
                if pattern is not None:
                    time_pattern(pattern)
        except ValueError as cause:
            raise ConfigError(
                f"the description of columns is wrong: {cause}",
                fix="for example date_format='%d/%m/%Y', time_zone='+09:00'",
            ) from cause

    @classmethod
    def of(cls, description: ColumnDescription | Mapping[str, Any] | None) -> ColumnDescription:
        """Make a description of a dictionary of its fields, or of columns alone.

        Raises
        ------
        ConfigError
            If a field is unknown.
        """
        if isinstance(description, ColumnDescription):
            return description
        given: dict[str, Any] = dict(description or {})  # the values of a description
        names = set(cls.__slots__)
        if set(given) & set(NAMES) and not set(given) & names:
            given = {"columns": given}
        for name in given:
            if name not in names:
                raise ConfigError(
                    f"a description of columns has no {name!r}{suggest(name, names)}",
                    fix=f"use {', '.join(sorted(names))}",
                )
        return cls(**given)

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> ColumnDescription:
        """Read a description from a TOML file, its fields at the top level.

        Raises
        ------
        InputError
            If there is no such file.
        ConfigError
            If it is not TOML, or a field is unknown or wrong.
        """
        file = check_path(path)
        try:
            given = tomllib.loads(file.read_text(encoding="utf-8"))
            return cls.of(given)
        except (ValueError, OSError) as cause:
            raise ConfigError(
                f"the description of columns cannot be read: {cause}",
                where=str(file),
                fix='write TOML, for example date_format = "%d/%m/%Y" and a table [columns]',
            ) from cause
        except ConfigError as error:
            raise ConfigError(error.message, where=str(file), fix=error.fix) from error

    def offset_ns(self) -> int:
        """Give the offset of the time zone, nanoseconds east of UTC."""
        return 0 if self.time_zone.upper() == "UTC" else zone_offset(self.time_zone)


def _texts(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(one) for one in _items(value))


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, Iterable) else (value,)
