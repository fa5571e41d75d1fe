"""Trying one element by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from flowquake import (
    ConfigError,
    Emissions,
    Input,
    ManualClock,
    Output,
    ProcessingElement,
    Production,
    Source,
    Wait,
    Watermark,
)
from flowquake.ports import Key
from flowquake.testing import replay, run_element
from tests.mappings.elements import CountByKey, Identity, Numbers, Pairs, Weigh


def test_inputs_are_fed_and_outputs_collected() -> None:
    result = run_element(CountByKey(), {"x": [1, 4, 2]})
    assert result["out"] == [(1, 1), (1, 2), (2, 1), (1, "sum", 5), (2, "sum", 2)]
    assert result.emitted.keys() == {"out"}
    assert (result.counters, result.rejected) == ({}, [])


def test_an_input_that_is_left_out_ends_at_once() -> None:
    assert run_element(Pairs(), {"b": [1]})["out"] == [("b", 1)]
    assert run_element(Weigh())["out"] == []


def test_any_iterable_will_do() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)

    assert run_element(Identity(), {"x": items()})["out"] == [1, 2]
    source = replay(items())
    for _ in range(2):
        assert run_element(source)["out"] == [1, 2]


def test_names_are_suggested() -> None:
    with pytest.raises(ConfigError, match="no input 'event'; did you mean 'events'"):
        run_element(Waits(), {"event": []})
    with pytest.raises(KeyError, match="did you mean 'out'"):
        _ = run_element(Identity(), {"x": []})["ot"]


class Waits(ProcessingElement):
    events = Input(int)
    at = Output(int)

    def on_events(self, item: int) -> Emissions:
        yield self.at(self.clock.now())


def test_time_passes_as_told() -> None:
    clock = ManualClock(start=5)
    items: list[object] = [1, Wait(2.0), 2, Watermark(9), Wait(0), 3]
    given = run_element(Waits(), {"events": items}, clock=clock)["at"]
    assert given == [5, 2_000_000_005, 2_000_000_005]


def test_sources_run_with_all_their_splits() -> None:
    class Letters(Source):
        out = Output(str)

        def splits(self) -> Sequence[Key]:
            return ("a", "b")

        def produce(self, split: Key) -> Production:
            assert isinstance(split, str)
            yield self.out(split)

    assert run_element(Letters())["out"] == ["a", "b"]
    assert run_element(Numbers(n=2))["out"] == [1, 2]


def test_a_manual_clock_always_reaches_the_time_slept_until() -> None:
    clock = ManualClock(start=1_700_000_000_123_456_789)
    due = clock.monotonic() + 0.1
    for _ in range(10):
        clock.sleep(due - clock.monotonic())
    assert clock.monotonic() >= due
    clock.sleep(-5.0)
    assert clock.monotonic() == pytest.approx(due, abs=1e-6)
