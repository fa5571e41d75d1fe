import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake.records import (
    NS_PER_DAY,
    civil_ns,
    days,
    format_time,
    json_time,
    parse_time,
    to_datetime,
    to_ns,
)

LOW, HIGH = civil_ns(1678, 1, 1), civil_ns(2261, 12, 31)


@given(st.integers(LOW, HIGH))
def test_a_written_time_reads_back_to_the_nanosecond(time: int) -> None:
    assert parse_time(format_time(time)) == time


@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)))
def test_a_datetime_keeps_its_microseconds(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert to_datetime(to_ns(aware)) == aware
    assert (
        to_ns(moment)
        == to_ns(aware)
        == to_ns(np.datetime64(moment))
        == parse_time(aware.isoformat())
    )


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_time(text), int)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2011-10-10", "2011-10-10T00:00:00Z"),
        ("2011-10-10T12:30", "2011-10-10T12:30:00Z"),
        ("2011-10-10 12:30:05,5", "2011-10-10T12:30:05.500Z"),
        ("2011-10-10T12:30:05+0900", "2011-10-10T03:30:05Z"),
        ("2011-10-10T12:30:05.000001-02:30", "2011-10-10T15:00:05.000001Z"),
        ("2011-10-10T12:30:05.000000001Z", "2011-10-10T12:30:05.000000001Z"),
    ],
)
def test_iso_forms_are_read(text: str, expected: str) -> None:
    assert format_time(parse_time(text)) == expected


@pytest.mark.parametrize(
    "text",
    ["10/10/2011", "2011-13-01", "2011-02-29", "2011-10-10T24:00", "2011-10-10T12:30:60",
     "1107-01-01", "9999-01-01", "", "2011", "2011-10-10T12:30:05.0000000001", "٢٠١١-10-10",
     "2011-10-10T12:30+99:00"],
)  # fmt: skip
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


def test_other_types_are_refused() -> None:
    for wrong in (1.5, None, True):
        with pytest.raises(TypeError):
            to_ns(wrong)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match="NaT"):
        to_ns(np.datetime64("NaT"))
    with pytest.raises(ValueError, match="outside"):
        to_ns(np.datetime64("1107-01-01"))


def test_offsets_and_spans() -> None:
    assert to_ns(datetime(2011, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))) == civil_ns(
        2011, 1, 1
    )
    assert days(3 * NS_PER_DAY // 2) == 1.5


@pytest.mark.parametrize(
    ("time", "timescale", "text"),
    [
        (1_500_000_000, "utc", '"1970-01-01T00:00:01.500Z"'),
        (60_000_000_000, "elapsed", "60"),
        (1, "elapsed", "1e-09"),
        (-1_500_000_000, "elapsed", "-1.5"),
    ],
)
def test_a_record_writes_a_time_in_one_way(time: int, timescale: str, text: str) -> None:
    assert json.dumps(json_time(time, timescale)) == text
