import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake.pes.catalogs.cells import Cells, number, plain_numbers
from flowquake.pes.catalogs.dates import TimePattern
from flowquake.records import format_time, parse_time

numerals = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.decimals(-1000, 1000, places=4).map(str),
    st.integers(-(10**19), 10**19).map(str),
    st.text("0123456789+-.eE ,٣", max_size=8),
    st.from_regex(r"[+-]?\d{0,9}\.?\d{0,9}", fullmatch=True),
)


@given(st.lists(numerals, max_size=20), st.sampled_from(".,"))
def test_a_column_gives_the_numbers_that_single_cells_give(texts: list[str], mark: str) -> None:
    cells = Cells.of(texts)
    values, taken = plain_numbers(cells, mark)
    for row in np.flatnonzero(taken):
        single = number(cells[int(row)], mark)
        assert values[row] == single
        assert np.signbit(values[row]) == np.signbit(single)


def test_plainly_written_numbers_are_all_taken() -> None:
    texts = ["1", "-0.0", "+37.649", "0.000001", "123456789012345", "5.", ".5", "00012"]
    assert plain_numbers(Cells.of(texts))[1].all()


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "", "1_000", "0x10", "1,5", "٣"])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    assert not plain_numbers(Cells.of([text]))[1].any()
    with pytest.raises(ValueError, match=r"not a number|too large"):
        number(text)


@given(st.lists(st.text(max_size=6), max_size=8))
def test_cells_are_their_texts_without_blanks(texts: list[str]) -> None:
    assert Cells.of(texts).to_list() == [text.strip(" \t\r") for text in texts]


TAILS = [
    "",
    "Z",
    "+01:00",
    "-0930",
    "+02",
    "Z+01:00",
    "+99:00",
    "+01:60",
    " +01:00",
    "x",
    ".5",
    ".",
    "Z5",
]
PATTERNS = [
    "iso",
    "%d/%m/%Y",
    "%Y-%m-%d %H:%M:%S",
    "%H:%M:%S",
    "%Y %m %d %H:%M",
    "%d.%m.%YT%H:%M:%S",
]
moments = st.integers(parse_time("1700-01-01"), parse_time("2200-01-01"))


def written(time: int, pattern: str, tail: str) -> str:
    iso = format_time(time)
    if pattern == "iso":
        return iso.removesuffix("Z") + tail
    text = pattern
    for name, part in zip(
        "YmdHM", (iso[:4], iso[5:7], iso[8:10], iso[11:13], iso[14:16]), strict=True
    ):
        text = text.replace(f"%{name}", part)
    return text.replace("%S", iso[17:].removesuffix("Z")) + tail


@given(
    st.sampled_from(PATTERNS),
    st.lists(st.tuples(moments, st.sampled_from(TAILS))),
    st.lists(st.text("0123456789-/:. TZ+", max_size=24), max_size=5),
    st.sampled_from([0, 9 * 3600 * 10**9]),
)
def test_a_column_gives_the_times_that_single_cells_give(
    pattern: str, good: list[tuple[int, str]], odd: list[str], offset: int
) -> None:
    cells = Cells.of([written(time, pattern, tail) for time, tail in good] + odd)
    reader = TimePattern(pattern, offset)
    times, taken = reader.plain_times(cells)
    for row in np.flatnonzero(taken):
        assert times[row] == reader.parse(cells[int(row)])


@given(st.lists(moments, min_size=1))
def test_plainly_written_times_are_all_taken(times: list[int]) -> None:
    found, taken = TimePattern().plain_times(Cells.of([format_time(time) for time in times]))
    assert taken.all()
    assert found.tolist() == times


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%d/%m/%Y", "29/02/2011"),
        ("%d/%m/%Y", "00/01/2011"),
        ("%d/%m/%Y", "01/13/2011"),
        ("%d/%m/%Y", "01-01-2011"),
        ("%d/%m/%Y", "01/01/11"),
        ("%H:%M:%S", "24:00:00"),
        ("iso", "2011-02-30T00:00:00"),
        ("iso", "1107-02-12T00:00:00"),
    ],
)
def test_a_time_that_does_not_exist_is_refused(pattern: str, text: str) -> None:
    reader = TimePattern(pattern)
    assert not reader.plain_times(Cells.of([text]))[1].any()
    with pytest.raises(ValueError, match=r"."):
        reader.parse(text)


def test_a_month_above_twelve_hints_at_the_order() -> None:
    with pytest.raises(ValueError, match="month first"):
        TimePattern("%d/%m/%Y").parse("08/19/2011")


def test_a_zone_in_the_text_wins_over_the_stated_one() -> None:
    reader = TimePattern("iso", 9 * 3600 * 10**9)
    texts = ["2011-01-01T09:00:00", "2011-01-01T00:00:00Z", "2011-01-01T01:00:00+01:00"]
    assert {reader.parse(text) for text in texts} == {parse_time("2011-01-01")}
    assert reader.parse("2011-01-02") == parse_time("2011-01-01T15:00:00")
    times, taken = reader.plain_times(Cells.of(texts))
    assert taken.all()
    assert set(times[taken].tolist()) == {parse_time("2011-01-01")}


@pytest.mark.parametrize("pattern", ["%y", "%Y%Y", "plain", "%"])
def test_an_unknown_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="%"):
        TimePattern(pattern)
