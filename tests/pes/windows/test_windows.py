"""Windows: grids, growth, and independence of how batches and watermarks are cut."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake import ProcessingElement, Watermark
from flowquake.errors import ConfigError, InputError
from flowquake.pes.windows import (
    CountWindows,
    ExpandingWindows,
    SlidingWindows,
    count_windows,
    expanding_windows,
    grid,
    sliding_windows,
)
from flowquake.records import EventBatch, Window
from flowquake.testing import run_element


def catalog(times: list[int]) -> EventBatch:
    return EventBatch(source="etna", time=sorted(times))


def spans(windows: list[Window]) -> list[tuple[int, int, int, bool]]:
    return [(w.start, w.end, len(w.events), w.final) for w in windows]


def test_a_grid_has_every_step_and_the_end() -> None:
    assert list(grid(0, 10, 25, after=0, until=100)) == [10, 20, 25]
    assert list(grid(0, 10, 20, after=0, until=100)) == [10, 20]
    assert list(grid(0, None, 20, after=0, until=100)) == [20]
    assert list(grid(0, 10, None, after=10, until=30)) == [20, 30]
    assert list(grid(0, 10, 25, after=25, until=100)) == []


def test_an_event_exactly_at_the_end_of_a_window_is_not_in_it() -> None:
    windows = list(expanding_windows(catalog([0, 5, 10]), start=0, end=10))
    assert spans(windows) == [(0, 10, 2, True)]


def test_expanding_windows_know_only_their_past() -> None:
    windows = list(expanding_windows(catalog([1, 11, 21]), start=0, end=25, step=10))
    assert spans(windows) == [(0, 10, 1, False), (0, 20, 2, False), (0, 25, 3, True)]
    assert all(w.events.time.max() < w.end for w in windows)


def test_sliding_and_count_windows_cut_what_they_say() -> None:
    events = catalog([0, 5, 10, 15, 20])
    assert spans(list(sliding_windows(events, start=0, end=20, length=10, step=5))) == [
        (0, 10, 2, False),
        (5, 15, 2, False),
        (10, 20, 2, True),
    ]
    assert spans(list(count_windows(events, count=2, step=2))) == [
        (0, 6, 2, False),
        (10, 16, 2, True),
    ]


def test_the_element_cuts_what_the_function_cuts() -> None:
    events = catalog([1, 11, 21])
    element = ExpandingWindows(start=0, end=25, step=10)
    cut = run_element(element, {"events": [events, Watermark(22)]})["window"]
    assert spans(cut) == [(0, 10, 1, False), (0, 20, 2, False)]
    element = ExpandingWindows(start=0, end=25, step=10, partial=True)
    cut = run_element(element, {"events": [events, Watermark(22)]})["window"]
    assert spans(cut) == spans(list(expanding_windows(events, start=0, end=25, step=10)))
    assert [w.settings["window"]["start"] for w in cut] == ["1970-01-01T00:00:00Z"] * 3


@given(
    times=st.lists(st.integers(0, 100), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=5),
    marks=st.lists(st.integers(0, 100), max_size=5),
    step=st.integers(1, 40),
)
def test_windows_do_not_depend_on_how_the_input_is_cut(
    times: list[int], cuts: list[int], marks: list[int], step: int
) -> None:
    whole = catalog(times)
    places = sorted({0, len(whole), *(c for c in cuts if c <= len(whole))})
    items: list[object] = []
    for first, last in pairwise(places):
        part = whole.take(slice(first, last))
        items += [Watermark(m) for m in sorted(marks) if m <= int(part.time[0])]
        items.append(part)
    for element in (
        ExpandingWindows(start=0, end=101, step=step, partial=True),
        ExpandingWindows(step=step, partial=True),
        SlidingWindows(start=0, length=30, step=step, end=90, partial=True),
        CountWindows(size=3, step=2),
    ):
        once = run_element(element, {"events": [whole, Watermark(int(whole.time[-1]) + 1)]})
        often = run_element(element, {"events": items})
        assert spans(once["window"])[:-1] == spans(often["window"])[:-1]
        assert [w.end for w in once["window"]] == [w.end for w in often["window"]]


def test_the_functions_and_the_elements_make_the_same_windows() -> None:
    events = catalog([0, 5, 10, 15, 20, 40])
    pairs = [
        (
            ExpandingWindows(start=0, end=45, step=10, partial=True),
            expanding_windows(events, start=0, end=45, step=10),
        ),
        (
            SlidingWindows(start=0, end=45, length=10, step=5, partial=True),
            sliding_windows(events, start=0, end=45, length=10, step=5),
        ),
    ]
    for element, windows in pairs:
        made = run_element(element, {"events": [events]})["window"]
        expected = list(windows)
        assert spans(made) == spans(expected)
        assert [w.settings for w in made] == [w.settings for w in expected]
        assert [w.number for w in made] == [w.number for w in expected]


def test_events_outside_the_windows_are_counted() -> None:
    element = ExpandingWindows(start=10, end=20, partial=True)
    result = run_element(element, {"events": [catalog([5, 12, 20, 30])]})
    assert spans(result["window"]) == [(10, 20, 1, True)]
    assert result.counters == {"before the start": 1, "at or after the end": 2}


def test_a_source_without_events_still_gets_its_windows() -> None:
    empty = catalog([])
    element = ExpandingWindows(start=0, end=20, step=10, partial=True)
    result = run_element(element, {"events": [empty]})
    assert spans(result["window"]) == [(0, 10, 0, False), (0, 20, 0, True)]
    with pytest.raises(InputError, match="no event of 'etna'"):
        run_element(ExpandingWindows(partial=True), {"events": [empty]})


def test_without_an_end_the_last_window_ends_just_after_the_last_event() -> None:
    element = ExpandingWindows(partial=True)
    result = run_element(element, {"events": [catalog([3, 7]), Watermark(8)]})
    assert spans(result["window"]) == [(3, 8, 2, True)]


def test_datetimes_and_timedeltas_are_taken() -> None:
    day = datetime(2011, 10, 1, tzinfo=UTC)
    element = ExpandingWindows(
        start=day, end=day + timedelta(days=2), step=timedelta(days=1), partial=True
    )
    ns = int(np.datetime64("2011-10-01", "ns").astype(np.int64))
    result = run_element(element, {"events": [catalog([ns + 1])]})
    assert [w.duration_days for w in result["window"]] == [1.0, 2.0]


def test_sliding_windows_forget_what_they_no_longer_need() -> None:
    items: list[object] = []
    for day in range(50):
        items += [catalog([10 * day + i for i in range(10)]), Watermark(10 * day + 10)]
    element = SlidingWindows(start=0, length=20, step=10)
    result = run_element(element, {"events": items})
    assert spans(result["window"]) == [(10 * n, 10 * n + 20, 20, False) for n in range(49)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: ExpandingWindows(start=10, end=10),
        lambda: ExpandingWindows(step=0),
        lambda: SlidingWindows(length=0, step=1),
        lambda: CountWindows(size=0),
        lambda: CountWindows(size=2, step=3),
    ],
)
def test_impossible_windows_are_refused(make: object) -> None:
    with pytest.raises(ConfigError):
        make()  # type: ignore[operator]  # one of the constructors above


def test_a_start_after_the_last_event_needs_an_end() -> None:
    events = catalog([3, 7])
    with pytest.raises(InputError, match="no event of 'etna'"):
        run_element(ExpandingWindows(start=10, partial=True), {"events": [events, Watermark(8)]})
    result = run_element(
        ExpandingWindows(start=10, end=20, partial=True), {"events": [events, Watermark(8)]}
    )
    assert spans(result["window"]) == [(10, 20, 0, True)]


@pytest.mark.parametrize(
    "element",
    [
        ExpandingWindows(step=1, partial=True),
        SlidingWindows(length=1, step=1, partial=True),
    ],
)
def test_a_step_that_is_far_too_small_is_refused(element: ProcessingElement) -> None:
    events = catalog([0, 10**15])
    with pytest.raises(ConfigError, match="a step of 1e-09 s gives"):
        run_element(element, {"events": [events]})


def test_a_step_far_too_small_for_a_given_span_is_refused_before_any_event() -> None:
    with pytest.raises(ConfigError, match="a step of 1e-09 s gives"):
        ExpandingWindows(start=0, end=10**15, step=1)
    with pytest.raises(ConfigError, match="a step of 1e-09 s gives"):
        SlidingWindows(start=0, end=10**15, length=1, step=1)
