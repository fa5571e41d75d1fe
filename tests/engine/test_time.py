"""Watermarks, order of time, lateness, ends, and elements written for one key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from flowquake import (
    Emissions,
    Input,
    InputError,
    ManualClock,
    Output,
    ProcessingElement,
    Wait,
    Watermark,
    Workflow,
    run,
)
from flowquake.engine.inflow import Inflow
from flowquake.engine.origins import Carried
from flowquake.records import EventBatch
from flowquake.signals import END, Idle, Origin, Resume
from flowquake.testing import replay, run_element


def batch(*times: int, source: str = "etna", first: int = 0) -> EventBatch:
    sequence = np.arange(first, first + len(times))
    return EventBatch(source=source, time=list(times), sequence=sequence)


class Log(ProcessingElement):
    """Says all that it hears, as text, in the order of time."""

    events = Input(EventBatch, order="time")
    out = Output(str)

    def on_events(self, batch: EventBatch) -> Emissions:
        yield self.out(f"rows {batch.time.tolist()}")

    def on_watermark(self, time: int) -> Emissions:
        yield self.out(f"mark {time}")

    def finish(self) -> Emissions:
        yield self.out("finish")


class Hear(ProcessingElement):
    """The same, as rows come, on two ports."""

    a = Input(EventBatch, order="any")
    b = Input(EventBatch, order="any", optional=True)
    out = Output(str)

    def on_a(self, batch: EventBatch) -> Emissions:
        yield self.out(f"a {batch.time.tolist()}")

    def on_b(self, batch: EventBatch) -> Emissions:
        yield self.out(f"b {batch.time.tolist()}")

    def on_watermark(self, time: int) -> Emissions:
        yield self.out(f"mark {time}")

    def finish(self) -> Emissions:
        yield self.out("finish")


class Relay(ProcessingElement):
    events = Input(EventBatch)
    out = Output(EventBatch)

    def on_events(self, batch: EventBatch) -> Emissions:
        yield self.out(batch)


def heard(part: ProcessingElement, **inputs: list[object]) -> list[Any]:
    return run_element(part, inputs, clock=ManualClock())["out"]


def test_rows_are_released_by_the_watermark_in_order() -> None:
    items: list[object] = [batch(5, 1, 9), batch(3, 7, first=3), Watermark(6), batch(6, first=5)]
    assert heard(Log(), events=[*items, Watermark(8)]) == [
        "rows [1, 3, 5]",
        "mark 6",
        "rows [6, 7]",
        "mark 8",
        "rows [9]",
        "finish",
    ]


def test_the_end_releases_what_is_left_and_does_not_move_the_watermark() -> None:
    assert heard(Log(), events=[batch(5, 1)]) == ["rows [1, 5]", "finish"]
    assert heard(Log(), events=[]) == ["finish"]


def test_a_row_at_the_watermark_is_not_late_and_not_yet_released() -> None:
    items: list[object] = [Watermark(5), batch(5), Watermark(5), batch(4, first=1)]
    result = run_element(Log(), {"events": items})
    assert result["out"] == ["mark 5", "rows [5]", "finish"]
    assert result.counters == {"late": 1}


def test_rows_at_one_time_come_by_sequence_then_port_then_source() -> None:
    class Ports(ProcessingElement):
        a = Input(EventBatch, order="time")
        b = Input(EventBatch, order="time")
        out = Output(tuple)

        def on_a(self, item: EventBatch) -> Emissions:
            yield from self._each("a", item)

        def on_b(self, item: EventBatch) -> Emissions:
            yield from self._each("b", item)

        def _each(self, port: str, item: EventBatch) -> Emissions:
            for place in item.sequence.tolist():
                yield self.out((place, port, item.source))

    given = {
        "a": [batch(7, 7, source="b"), batch(7, 7, source="a", first=1)],
        "b": [batch(7, 7, source="a")],
    }
    assert run_element(Ports(), given)["out"] == [
        (0, "a", "b"),
        (0, "b", "a"),
        (1, "a", "a"),
        (1, "a", "b"),
        (1, "b", "a"),
        (2, "a", "a"),
    ]


def test_single_items_are_put_in_order_too() -> None:
    @dataclass(frozen=True)
    class Pick:
        time: int
        sequence: int = 0

    class Picks(ProcessingElement):
        picks = Input(Pick, order="time")
        out = Output(tuple)

        def on_picks(self, pick: Pick) -> Emissions:
            yield self.out((pick.time, pick.sequence))

    picks: list[object] = [Pick(5), Pick(1, 2), Pick(1, 1), Watermark(4), Pick(2)]
    result = run_element(Picks(), {"picks": picks})
    assert result["out"] == [(1, 1), (1, 2), (5, 0)]
    assert result.counters == {"late": 1}


def test_an_item_without_a_time_cannot_be_put_in_order() -> None:
    class Ints(ProcessingElement):
        x = Input(int, order="time")

        def on_x(self, x: int) -> None:
            return None

    with pytest.raises(InputError, match=r"int has no event time"):
        run_element(Ints(), {"x": [1]})


def test_empty_batches_pass_through() -> None:
    assert heard(Log(), events=[batch(), batch(1)]) == ["rows []", "rows [1]", "finish"]
    assert heard(Hear(), a=[batch()]) == ["a []", "finish"]


class Late(ProcessingElement):
    events = Input(EventBatch, order="time", lateness=3e-9)
    out = Output(str)
    late = Output(EventBatch)

    def on_events(self, batch: EventBatch) -> Emissions:
        yield self.out(f"rows {batch.time.tolist()}")

    def on_watermark(self, time: int) -> Emissions:
        yield self.out(f"mark {time}")


def test_lateness_holds_the_watermark_back_and_late_rows_leave_apart() -> None:
    items = [batch(1, 8), Watermark(8), batch(6, 4), Watermark(9), batch(5, 7)]
    result = run_element(Late(), {"events": items})
    assert result["out"] == ["rows [1]", "mark 5", "mark 6", "rows [6, 7, 8]"]
    assert [late.time.tolist() for late in result["late"]] == [[4], [5]]
    assert result.counters == {"late": 2}


# Several channels.


def test_the_watermark_is_the_least_over_live_channels() -> None:
    given = heard(
        Hear(),
        a=[Watermark(10), Wait(1), Watermark(20), Wait(10), Watermark(40)],
        b=[Watermark(5), Wait(2), Watermark(15), Wait(2)],
    )
    # b is left out from its end on.
    assert given == ["mark 5", "mark 15", "mark 20", "mark 40", "finish"]


@pytest.mark.parametrize("first", ["a", "b"])
def test_the_last_watermark_does_not_depend_on_which_channel_ends_first(first: str) -> None:
    pause: list[object] = [Wait(5)]
    given = heard(
        Hear(),
        a=[Watermark(100), *(pause if first == "b" else [])],
        b=[Watermark(50), *(pause if first == "a" else [])],
    )
    assert given[-2:] == ["mark 100", "finish"]


def test_a_channel_that_has_no_watermark_yet_holds_back() -> None:
    given = heard(Hear(), a=[Watermark(10)], b=[Wait(1), batch(3), Watermark(7), Wait(1)])
    assert given[0] == "b [3]"
    assert given[-2:] == ["mark 10", "finish"]


def test_an_idle_channel_holds_nobody_back_until_its_next_item() -> None:
    given = heard(
        Hear(),
        a=[Watermark(10), Wait(2), Watermark(20), Wait(2), Watermark(30), Wait(9)],
        b=[Watermark(5), Wait(1), Watermark(None), Wait(2), batch(25), Wait(2), Watermark(26)],
    )
    assert given == [
        *("mark 5", "mark 10", "mark 20", "b [25]"),
        # b is live again at 5: it holds a back until it says more.
        *("mark 26", "mark 30", "finish"),
    ]


def test_an_idle_channel_without_any_watermark_resumes() -> None:
    given = heard(
        Hear(),
        a=[Wait(2), Watermark(20), Wait(3), Watermark(30), Wait(9)],
        b=[Watermark(None), Wait(3), batch(25), Wait(4), Watermark(26), Wait(9)],
    )
    assert given == ["mark 20", "b [25]", "mark 26", "mark 30", "finish"]


def test_idleness_is_passed_on() -> None:
    workflow, relay, hear = Workflow("w"), Relay(), Hear()
    quiet = workflow.add(replay([Watermark(None), Wait(3), batch(25), Wait(3)]), name="quiet")
    busy = workflow.add(replay([Watermark(10), Wait(5), Watermark(30), Wait(9)]), name="busy")
    workflow.connect(quiet.out, relay.events)
    workflow.connect(relay.out, hear.a)
    workflow.connect(busy.out, hear.b)
    result = run(workflow, collect=[hear.out], clock=ManualClock())
    assert result[hear.out] == ["mark 10", "a [25]", "mark 30", "finish"]


def test_an_element_that_is_not_idle_says_which_source_is() -> None:
    workflow, relay, hear = Workflow("w"), Relay(), Hear()
    both = workflow.add(Relay(), name="both")
    quiet = workflow.add(replay([Watermark(10), Watermark(None), Wait(9)]), name="quiet")
    marks = [Watermark(5), Wait(1), Watermark(20), Wait(1), batch(25), Watermark(30), Wait(1)]
    busy = workflow.add(replay(marks), name="busy")
    workflow.connect(quiet.out, relay.events)
    workflow.connect(quiet.out, both.events)
    workflow.connect(busy.out, both.events)
    workflow.connect(relay.out, hear.a)
    workflow.connect(both.out, hear.b)
    result = run(workflow, collect=[hear.out], clock=ManualClock())
    # What comes over `both` goes on while the source is idle over `relay` as well.
    assert result[hear.out] == ["mark 5", "mark 20", "b [25]", "mark 30", "finish"]


def test_a_source_is_idle_when_every_channel_says_so_in_the_same_pause() -> None:
    inflow, quiet, busy = Inflow(), Origin("quiet", 0), Origin("busy", 0)
    carried = ({"quiet": True}, {"quiet": True, "busy": True}, {"busy": True})
    for number, sources in enumerate(carried):
        inflow.open(number, Carried(sources, 0))
        inflow.take(number, Watermark(10 * number))
    assert inflow.take(0, Idle({quiet: 0}, whole=True)) is None
    assert inflow.low() == 0  # the other may still bring rows of the source
    assert inflow.take(1, Idle({quiet: 0}, whole=False)) == Idle({quiet: 0}, whole=False)
    assert inflow.low() == 10
    resumed = Resume(quiet, 1)
    assert inflow.take(1, resumed) == resumed
    assert inflow.low() == 0
    assert inflow.take(1, Idle({quiet: 1}, whole=False)) is None
    assert inflow.low() == 0  # the first is in the pause before
    assert inflow.take(0, resumed) is None
    assert inflow.take(0, Idle({quiet: 1}, whole=True)) == Idle({quiet: 1}, whole=False)
    assert inflow.low() == 10
    assert inflow.take(1, Idle({busy: 0}, whole=True)) is None
    assert inflow.low() == 10
    assert inflow.take(2, END) == Idle({busy: 0}, whole=True)
    assert inflow.low() is None
    assert not inflow.ended
