"""Time as int64 nanoseconds, and its text form.

A time is the number of nanoseconds since 1970-01-01T00:00:00 UTC without leap
seconds, or since the start of an experiment where a record's ``timescale`` is
``"elapsed"``. Nothing here uses the local time zone.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MINUTE: Final = 60 * NS_PER_SECOND
NS_PER_DAY: Final = 86_400 * NS_PER_SECOND
UNKNOWN_TIME: Final = -(2**63)
FIRST_YEAR: Final = 1678
LAST_YEAR: Final = 2261

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r" ?(Z|z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


def civil_ns(
    year: int,
    month: int,
    day: int,
    hour: int = 0,
    minute: int = 0,
    second: int = 0,
    nanosecond: int = 0,
) -> int:
    """Give the time of a UTC calendar date, int nanoseconds.

    Raises
    ------
    ValueError
        If a part is out of range or the year is outside 1678 to 2261, which
        is what 64 bits of nanoseconds hold.

    Examples
    --------
    >>> civil_ns(1970, 1, 2)
    86400000000000
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"year {year} is outside {FIRST_YEAR} to {LAST_YEAR}")
    try:
        days_ = date(year, month, day).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        raise ValueError(f"{year:04d}-{month:02d}-{day:02d} is not a date") from None
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        raise ValueError(f"{hour:02d}:{minute:02d}:{second:02d} is not a time of day")
    return (days_ * 86_400 + hour * 3_600 + minute * 60 + second) * NS_PER_SECOND + nanosecond


def parse_time(text: str) -> int:
    """Read an ISO 8601 date or date and time, int nanoseconds since 1970.

    Parameters
    ----------
    text : str
        ``2011-08-01``, ``2011-08-01T10:30``, ``2011-08-01 10:30:00.25Z`` or
        with an offset such as ``+01:00``. Without either it is UTC. At most
        nine decimals.

    Raises
    ------
    ValueError
        If the text is anything else, or the date does not exist.

    Examples
    --------
    >>> parse_time("1970-01-01T00:00:01.5Z")
    1500000000
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an ISO 8601 date or date and time")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    nanosecond = int(fraction.ljust(9, "0")) if fraction else 0
    time = civil_ns(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        nanosecond,
    )
    return time - zone_offset(zone) if zone else time


def zone_offset(zone: str) -> int:
    """Give the offset of ``Z``, ``+01``, ``+0100`` or ``+01:00``, nanoseconds east of UTC.

    Raises
    ------
    ValueError
        If the text is none of these or the offset is over 18 hours.
    """
    if zone in ("Z", "z"):
        return 0
    match = re.fullmatch(r"([+-])(\d\d)(?::?(\d\d))?", zone, re.ASCII)
    if match is None:
        raise ValueError(f"{zone!r} is not an offset from UTC such as +01:00")
    sign, hours, minutes = match.groups()
    total = int(hours) * 60 + int(minutes or 0)
    if total > 18 * 60 or int(minutes or 0) > 59:
        raise ValueError(f"{zone!r} is not an offset from UTC such as +01:00")
    return (total if sign == "+" else -total) * NS_PER_MINUTE


def to_ns(time: datetime | np.datetime64 | str | int) -> int:
    """Give any form of a time as int nanoseconds.

    Parameters
    ----------
    time : datetime, numpy.datetime64, str or int
        A naive datetime is UTC; text is read by `parse_time`; an int is
        nanoseconds already.

    Raises
    ------
    ValueError
        If the text is no time or the time is not within 1678 to 2261.
    TypeError
        If it is of another type.

    Examples
    --------
    >>> to_ns("1970-01-01T00:00:01")
    1000000000
    """
    if isinstance(time, str):
        return parse_time(time)
    if isinstance(time, datetime):
        aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
        utc = aware.astimezone(UTC)
        if not FIRST_YEAR <= utc.year <= LAST_YEAR:
            raise ValueError(f"year {utc.year} is outside {FIRST_YEAR} to {LAST_YEAR}")
        return (utc - _EPOCH) // timedelta(microseconds=1) * 1_000
    if isinstance(time, np.datetime64):
        if np.isnat(time):
            raise ValueError("NaT is not a time")
        if not FIRST_YEAR <= int(time.astype("datetime64[Y]").astype(np.int64)) + 1970 <= LAST_YEAR:
            raise ValueError(f"{time} is outside {FIRST_YEAR} to {LAST_YEAR}")
        return int(time.astype("datetime64[ns]").astype(np.int64))
    return _whole(time)


def _whole(time: object) -> int:
    if isinstance(time, (int, np.integer)) and not isinstance(time, bool):
        return int(time)
    raise TypeError(f"a time is a datetime, datetime64, text or int, not {type(time).__name__}")


def to_datetime(time: int) -> datetime:
    """Give an aware UTC datetime; what is below a microsecond is cut off.

    Examples
    --------
    >>> to_datetime(1_500_000_000)
    datetime.datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=datetime.timezone.utc)
    """
    return _EPOCH + timedelta(microseconds=int(time) // 1_000)


def format_time(time: int) -> str:
    """Write a time as ISO 8601 UTC with 0, 3, 6 or 9 decimals, as many as it needs.

    Examples
    --------
    >>> format_time(1_500_000_000)
    '1970-01-01T00:00:01.500Z'
    """
    seconds, nanoseconds = divmod(int(time), NS_PER_SECOND)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    if nanoseconds == 0:
        return f"{text}Z"
    digits = f"{nanoseconds:09d}"
    if digits.endswith("000000"):
        digits = digits[:3]
    elif digits.endswith("000"):
        digits = digits[:6]
    return f"{text}.{digits}Z"


def json_time(time: int, timescale: str) -> str | int | float:
    """Give a time as records write it: ISO 8601 UTC, or elapsed seconds.

    Seconds are exact up to 50 days; beyond that to sixteen digits.

    Examples
    --------
    >>> json_time(1_500_000_000, "utc"), json_time(1_500_000_000, "elapsed")
    ('1970-01-01T00:00:01.500Z', 1.5)
    """
    if timescale == "utc":
        return format_time(time)
    whole, rest = divmod(int(time), NS_PER_SECOND)
    return int(time) / NS_PER_SECOND if rest else whole


def days(time: int) -> float:
    """Give a span of nanoseconds in days.

    Examples
    --------
    >>> days(NS_PER_DAY // 2)
    0.5
    """
    return int(time) / NS_PER_DAY
