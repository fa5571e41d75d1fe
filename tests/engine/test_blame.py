"""Which element, method and line an error is put down to, where rows wait for the watermark."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from flowquake import (
    FlowquakeError,
    Input,
    InputError,
    Output,
    PEError,
    ProcessingElement,
    Production,
    Source,
    Watermark,
    Workflow,
    run,
)
from flowquake.mappings.simulated import Simulated
from flowquake.testing import run_element

MAPPINGS = ["sequential", Simulated(fuse=False)]


@dataclass(frozen=True)
class Reading:
    time: int
    station: str = "etna"


class Readings(Source):
    out = Output(Reading)

    def produce(self, split: object) -> Production:
        for time in (30, 10, 20):
            yield self.out(Reading(time))
        yield Watermark(40)


class Timed(ProcessingElement):
    """Fails on the reading at 30, in the way it is told."""

    x = Input(Reading, by="station", order="time")
    out = Output(Reading)

    how: str = "call"

    def on_x(self, reading: Reading) -> Iterator[Any]:
        if reading.time == 30:
            if self.how == "nonsense":
                yield 5
            elif self.how == "name":
                nothing_of_this_name  # type: ignore[name-defined]  # noqa: B018, F821 - on purpose
            elif self.how == "purpose":
                try:
                    raise KeyError("volcano")
                except KeyError as cause:
                    raise InputError("no such volcano") from cause
            else:
                raise ValueError("too wide")
        yield self.out(reading)


class Ends(ProcessingElement):
    """Yields nonsense, or fails, in a method that hears a signal."""

    x = Input(Reading)
    out = Output(Reading)

    where: str = "finish"
    error: bool = False

    def on_x(self, reading: Reading) -> Iterator[Any]:
        yield self.out(reading)

    def on_watermark(self, time: int) -> Iterator[Any]:
        return self._act("on_watermark")

    def finish(self) -> Iterator[Any]:
        return self._act("finish")

    def _act(self, where: str) -> Iterator[Any]:
        if where == self.where:
            if self.error:
                raise ValueError("too wide")
            yield 5


class FinishingSource(Readings):
    def finish(self) -> Iterator[Any]:
        yield 5


def failure(*parts: ProcessingElement, mapping: Any = "sequential") -> FlowquakeError:
    workflow = Workflow("w")
    workflow.chain(Readings(), *parts)
    with pytest.raises(FlowquakeError) as caught:
        run(workflow, mapping=mapping)
    return caught.value


def lines_of(error: BaseException | None) -> list[str | None]:
    assert error is not None
    return [frame.line for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_an_error_in_the_order_of_time_keeps_its_cause_and_names_its_item(mapping: Any) -> None:
    error = failure(Timed(), mapping=mapping)
    assert str(error).startswith(
        "PE 'timed' failed on item 3 in order of time, key 'etna' (Reading(time=30"
    )
    assert isinstance(error.__cause__, ValueError)
    assert lines_of(error.__cause__)[-1] == 'raise ValueError("too wide")'


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("where", ["on_watermark", "finish"])
def test_an_error_on_a_signal_keeps_its_cause(where: str, mapping: Any) -> None:
    error = failure(Ends(where=where, error=True), mapping=mapping)
    assert str(error).startswith(f"PE 'ends' failed in {where}().")
    assert isinstance(error.__cause__, ValueError)
    assert lines_of(error.__cause__)[-1] == 'raise ValueError("too wide")'


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_an_error_raised_on_purpose_keeps_what_it_came_from(mapping: Any) -> None:
    error = failure(Timed(how="purpose"), mapping=mapping)
    assert isinstance(error, InputError)
    assert isinstance(error.__cause__, KeyError)
    assert "PE 'timed', on item 3 in order of time" in str(error)


@pytest.mark.parametrize("phase", ["setup", "teardown", "produce"])
def test_an_error_raised_on_purpose_in_a_phase_keeps_what_it_came_from(phase: str) -> None:
    def fails(self: ProcessingElement, *split: object) -> None:
        try:
            raise KeyError("volcano")
        except KeyError as cause:
            raise InputError("no such volcano") from cause

    made = type("Made", (Readings,), {phase: fails})()
    with pytest.raises(InputError) as caught:
        run_element(made)
    assert isinstance(caught.value.__cause__, KeyError)
    assert f"{phase}()" in str(caught.value)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_wrong_yield_in_the_order_of_time_is_the_handlers(mapping: Any) -> None:
    error = failure(Timed(how="nonsense"), mapping=mapping)
    assert error.message == "on_x() yielded 5, which is not an emission"
    assert error.where is not None
    assert error.where.startswith("PE 'timed', on item 3 in order of time, key 'etna'")


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("where", ["on_watermark", "finish"])
def test_a_wrong_yield_on_a_signal_is_that_methods(where: str, mapping: Any) -> None:
    error = failure(Ends(where=where), mapping=mapping)
    assert error.message == f"{where}() yielded 5, which is not an emission"
    assert error.where == f"PE 'ends', in {where}()"


def test_a_wrong_yield_behind_another_element_is_the_innermosts() -> None:
    error = failure(Ends(where="nowhere"), Timed(how="nonsense"))
    assert error.where is not None
    assert error.where.startswith("PE 'timed', on item 3")


def test_a_wrong_yield_in_the_finish_of_a_source_is_its_finishs() -> None:
    with pytest.raises(PEError) as caught:
        run_element(FinishingSource())
    assert caught.value.message == "finish() yielded 5, which is not an emission"
    assert caught.value.where == "PE 'finishing_source', in finish()"


def test_an_error_of_the_program_is_looked_for_in_its_line() -> None:
    fix = failure(Timed(how="name")).fix
    assert fix == "correct the element; the traceback with --debug shows the line"
    assert failure(Timed()).fix == "see `flowquake run --on-error skip`"
