from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowquake.errors import ConfigError, FlowquakeError, InputError
from flowquake.pes.catalogs import Selection, select_events
from flowquake.pes.magnitudes.binning import at_or_above
from flowquake.records import EventBatch, Strings, parse_time

DAY = 86_400 * 10**9


def batch(**columns: Any) -> EventBatch:
    n = len(next(iter(columns.values())))
    return EventBatch(**{"source": "etna", "time": np.arange(n) * DAY, **columns})


def places(kept: EventBatch) -> list[int]:
    return [int(place) for place in kept.sequence]


def test_nothing_asked_keeps_everything_missing_values_included() -> None:
    events = batch(magnitude=[np.nan, 1.0])
    assert Selection().apply(events) == (events, {})
    assert select_events(events) is events


def test_a_box_holds_its_lower_edges_and_not_its_upper() -> None:
    events = batch(
        latitude=[37.5, 37.9, 37.7, 37.7, 37.7, np.nan, 37.4999],
        longitude=[14.7, 15.0, 15.3, 15.2999, 14.6, 15.0, 15.0],
    )
    kept, dropped = Selection(box=(37.5, 37.9, 14.7, 15.3)).apply(events)
    assert places(kept) == [0, 3]
    assert dropped == {"no location": 1, "outside box": 4}


@pytest.mark.parametrize(
    "box", [(-20, -10, 170, -170), (-20, -10, 170, 190), (-20, -10, -190 + 360, 190)]
)
def test_a_box_may_cross_the_meridian_180(box: tuple[float, ...]) -> None:
    events = batch(latitude=[-15.0] * 6, longitude=[169.9, 170.0, 180.0, -180.0, -170.1, -170.0])
    assert places(select_events(events, box=box)) == [1, 2, 3, 4]
    east = events.with_columns(longitude=events.longitude % 360)
    assert places(select_events(east, box=box)) == [1, 2, 3, 4]


def test_without_depth_no_event_falls_for_its_depth_and_with_it_missing_ones_do() -> None:
    events = batch(depth=[-10.0, 0.0, 30.0, np.nan, 29.999])
    assert len(select_events(events)) == 5
    kept, dropped = Selection(depth=(-10, 30)).apply(events)
    assert places(kept) == [0, 1, 4]
    assert dropped == {"no depth": 1, "outside depth": 1}


def test_times_are_half_open() -> None:
    start, end = parse_time("2011-10-01"), parse_time("2011-10-10")
    events = batch(time=[start - 1, start, end - 1, end])
    kept, dropped = Selection(start="2011-10-01", end="2011-10-10T00:00:00Z").apply(events)
    assert places(kept) == [1, 2]
    assert dropped == {"before start": 1, "at or after end": 1}


def test_a_magnitude_cut_compares_bins_and_counts_missing_ones() -> None:
    events = batch(magnitude=[1.2, 1.1 + 0.1, 1.15, 1.1, np.nan, 0.4 * 3])
    kept, dropped = Selection(min_magnitude=1.2).apply(events)
    assert places(kept) == [0, 1, 2, 5]
    assert dropped == {"no magnitude": 1, "below magnitude": 1}


@given(st.lists(st.integers(-20, 60)), st.integers(-20, 60))
def test_the_cut_is_that_of_the_magnitude_grid(bins: list[int], cut: int) -> None:
    magnitudes = np.array(bins, dtype=float) / 10
    events = batch(magnitude=magnitudes)
    kept = select_events(events, min_magnitude=cut / 10)
    assert kept.magnitude.tolist() == [m for m, k in zip(magnitudes, bins, strict=True) if k >= cut]
    assert len(kept) == int(at_or_above(magnitudes, cut / 10).sum())


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"magnitude_type": "2"}, [1, 3]),
        ({"magnitude_type": ["1", "2"]}, [0, 1, 3]),
        ({"magnitude_type": 2}, [1, 3]),
        ({"gap": (0, 90)}, [0, 1]),
        ({"gap": 90}, [3]),
        ({"gap": (0, 180), "magnitude_type": "2"}, [1, 3]),
        ({"depth": (0, 10)}, []),
    ],
)
def test_any_attribute_selects(where: dict[str, Any], expected: list[int]) -> None:
    events = batch(
        magnitude_type=["1", "2", None, "2"],
        extra={"gap": [0.0, 89.9, np.nan, 90.0], "agency": Strings.from_list(["a"] * 4)},
    )
    kept, dropped = Selection(where=where).apply(events)
    assert places(kept) == expected
    assert sum(dropped.values()) == 4 - len(expected)


def test_an_unknown_attribute_is_named() -> None:
    with pytest.raises(InputError, match="no column 'magnitude_typ'; did you mean"):
        select_events(batch(depth=[1.0]), where={"magnitude_typ": "2"})
    with pytest.raises(ConfigError, match="holds numbers"):
        select_events(batch(depth=[1.0]), where={"depth": "deep"})


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"box": (37.9, 37.5, 14.7, 15.3)}, "empty"),
        ({"box": (37.5, 37.9, 14.7)}, "not 4 numbers"),
        ({"box": (37.5, 37.9, 14.7, float("nan"))}, "not 4 numbers"),
        ({"box": "37.5"}, "not 4 numbers"),
        ({"box": (37.5, 137.9, 14.7, 15.3)}, "globe"),
        ({"box": (37.5, 37.9, 14.7, 515.3)}, "globe"),
        ({"box": 5}, "not 4 numbers"),
        ({"depth": (30, -10)}, "empty"),
        ({"depth": (1,)}, "not 2 numbers"),
        ({"start": "2013-01-01", "end": "2011-01-01"}, "not after"),
        ({"start": "2013-01-01", "end": "2013-01-01"}, "not after"),
        ({"start": "01/08/2011"}, "ISO 8601"),
        ({"end": 1.5}, "end"),
        ({"start": 10, "end": 5}, "end=5 ns is not after start=10 ns"),
        ({"min_magnitude": float("nan")}, "not a magnitude"),
        ({"min_magnitude": 1e308}, "not a magnitude"),
        ({"min_magnitude": float("inf")}, "not a magnitude"),
    ],
)
def test_wrong_ranges_are_refused(given_: dict[str, Any], message: str) -> None:
    with pytest.raises(FlowquakeError, match=message) as error:
        Selection(**given_)
    assert error.value.exit_code == 2
