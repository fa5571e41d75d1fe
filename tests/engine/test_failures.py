"""Whose error it is, and what happens to the item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from flowquake import (
    Emissions,
    FormatError,
    Input,
    InputError,
    Output,
    PEError,
    ProcessingElement,
    Production,
    Source,
    Watermark,
    Workflow,
    element,
    run,
)
from flowquake.mappings.simulated import Simulated
from flowquake.testing import replay, run_element
from tests.mappings.elements import Identity, Single, Sink, parity


class Fails(ProcessingElement):
    """Raises where it is told to."""

    x = Input(int)
    out = Output(int)

    at: str = "resume"
    error: type[Exception] = ValueError

    def setup(self) -> None:
        self._raise("setup")

    def teardown(self) -> None:
        self._raise("teardown")

    def on_x(self, x: int) -> Emissions:
        if x == 3:
            self._raise("call")
        yield self.out(x)
        if x == 3:
            self._raise("resume")

    def _raise(self, place: str) -> None:
        if place == self.at:
            raise self.error("too wide")


class FailsAtEnd(ProcessingElement):
    x = Input(int)
    out = Output(int)

    def on_x(self, x: int) -> None:
        return None

    def finish(self) -> Emissions:
        yield self.out(1)
        raise ValueError("too wide")


class FailsInTime(ProcessingElement):
    x = Input(int)

    def on_x(self, x: int) -> None:
        return None

    def on_watermark(self, time: int) -> None:
        raise ValueError(f"too wide at {time}")


class BrokenSource(Source):
    out = Output(int)

    def produce(self, split: object) -> Production:
        yield self.out(1)
        raise ValueError("too wide")


class BrokenKey(ProcessingElement):
    x = Input(int, by=lambda x: 1 // (x - 3))
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        yield self.out(x)


def message(workflow: Workflow, **how: Any) -> str:  # parameters of run
    with pytest.raises(PEError) as caught:
        run(workflow, **how)
    return str(caught.value)


def chain(*parts: ProcessingElement) -> Workflow:
    workflow = Workflow("w")
    for number, part in enumerate(parts):
        if isinstance(part, (Identity, Sink)):
            workflow.add(part, name=f"{type(part).__name__.lower()}_{number}")
    workflow.chain(*parts)
    return workflow


@pytest.mark.parametrize("at", ["call", "resume"])
@pytest.mark.parametrize("mapping", ["sequential", Simulated(fuse=False), Simulated()])
def test_an_error_names_element_item_and_cause(at: str, mapping: Any) -> None:
    text = message(chain(Single(n=5), Identity(), Fails(at=at), Sink()), mapping=mapping)
    assert text == (
        "PE 'fails' failed on item 3 (3).\n"
        "  Cause: ValueError: too wide\n"
        "  Fix:   see `flowquake run --on-error skip`"
    )


def test_an_error_names_the_instance() -> None:
    text = message(chain(Single(n=5), Fails(at="call"), Sink()), mapping=Simulated(), workers=4)
    assert "PE 'fails' (instance 3 of 4) failed on item 1 (3)." in text


def test_an_error_behind_several_instances_in_one_unit_is_still_the_receivers() -> None:
    workflow = Workflow("w")
    numbers, fails = Single(n=5), workflow.add(Fails(at="call"), instances=2)
    workflow.connect(numbers.out, fails.x)
    assert "PE 'fails' (instance 1 of 2) failed on item 2" in message(workflow)


@pytest.mark.parametrize("phase", ["setup", "teardown"])
def test_an_error_in_a_phase_names_it(phase: str) -> None:
    text = message(chain(Single(n=5), Fails(at=phase)))
    assert text.startswith(f"PE 'fails' failed in {phase}().\n  Cause: ValueError: too wide")


def test_an_error_in_finish_on_watermark_and_produce_names_it_and_always_stops() -> None:
    finish = chain(Single(n=5), FailsAtEnd(), Sink())
    assert "PE 'fails_at_end' failed in finish()." in message(finish, on_error="skip")
    produce = chain(BrokenSource(), Sink())
    assert "PE 'broken_source' failed in produce()." in message(produce, on_error="skip")
    timed = chain(replay([1, Watermark(7)]), FailsInTime())
    text = message(timed, on_error="skip")
    assert "PE 'fails_in_time' failed in on_watermark()." in text
    assert "too wide at 7" in text


@pytest.mark.parametrize("instances", [1, 2])
def test_an_error_of_a_key_function_is_the_receivers(instances: int) -> None:
    workflow = Workflow("w")
    numbers, broken = Single(n=5), workflow.add(BrokenKey(), instances=instances)
    workflow.connect(numbers.out, broken.x)
    text = message(workflow)
    assert text.startswith("PE 'broken_key' failed to find the key of an item of input 'x' (3).")
    assert "ZeroDivisionError" in text


def test_an_item_without_a_key_can_be_skipped() -> None:
    result = run_element(BrokenKey(), {"x": [1, 3, 5]}, on_error="skip")
    assert result["out"] == [1, 5]
    assert [(r["item"], r["pe"], r["emitted"]) for r in result.rejected] == [(3, "broken_key", 0)]


def test_an_error_raised_on_purpose_keeps_its_class_and_is_told_where() -> None:
    class Reads(ProcessingElement):
        x = Input(int)

        def on_x(self, x: int) -> None:
            if x == 1:
                raise FormatError("month 13", file="a.csv", line=7)
            raise InputError("no such volcano")

    for item, where in ((1, "a.csv, line 7 (PE 'reads')"), (2, "PE 'reads', on item 1 (2)")):
        with pytest.raises(InputError) as caught:
            run_element(Reads(), {"x": [item]})
        assert caught.value.exit_code == 3
        assert where in str(caught.value)
    assert isinstance(caught.value, InputError)


def test_an_error_names_the_key() -> None:
    class Keyed(ProcessingElement):
        x = Input(int, by=parity)

        def on_x(self, x: int) -> None:
            raise ValueError("no")

    with pytest.raises(PEError, match=r"on item 1, key 2 \(5\)"):
        run_element(Keyed(), {"x": [5]})


def test_the_innermost_of_nested_handlers_is_named_once() -> None:
    text = message(chain(Single(n=5), Fails(at="none"), Identity(), Fails2(), Sink()))
    assert text.startswith("PE 'fails2' failed on item 1 (1).")
    assert text.count("PE '") == 1


class Fails2(ProcessingElement):
    x = Input(int)
    out = Output(int)

    def on_x(self, x: int) -> Iterator[Any]:
        raise KeyError("trace")


@pytest.mark.parametrize("nonsense", [5, "ab", (1, 2), None, Watermark(3)])
def test_what_is_no_emission_is_refused_by_name(nonsense: object) -> None:
    class Yields(ProcessingElement):
        x = Input(int)
        out = Output(int)

        def on_x(self, x: int) -> Iterator[Any]:
            yield nonsense

    class Produces(Source):
        out = Output(int)

        def produce(self, split: object) -> Iterator[Any]:
            yield nonsense

    with pytest.raises(PEError, match=r"(?s)not an emission.*'yields'.*yield self\.port\("):
        run_element(Yields(), {"x": [1]})
    if not isinstance(nonsense, Watermark):
        with pytest.raises(PEError, match=r"(?s)not an emission.*produces"):
            run_element(Produces())


def test_a_handler_may_return_emissions_in_a_list() -> None:
    class Lists(ProcessingElement):
        x = Input(int)
        out = Output(int)

        def on_x(self, x: int) -> Iterator[Any]:
            return [self.out(x), self.out(-x)]  # type: ignore[return-value]  # on purpose

    workflow = chain(Single(n=3), lists := Lists(), identity := Identity(), Sink())
    result = run(workflow, collect=[lists.out, identity.out])
    assert result[identity.out] == [1, -1, 2, -2, 3, -3]


def test_an_emission_that_is_not_yielded_is_an_error() -> None:
    class Forgets(ProcessingElement):
        x = Input(int)
        out = Output(int)

        def on_x(self, x: int) -> None:
            self.out(x)

    class ForgetsAtEnd(ProcessingElement):
        x = Input(int)
        out = Output(int)

        def on_x(self, x: int) -> None:
            return None

        def finish(self) -> None:
            self.out(1)

    with pytest.raises(PEError, match=r"on_x\(\) made an emission and did not yield it"):
        run_element(Forgets(), {"x": [1]})
    with pytest.raises(PEError, match=r"finish\(\) made an emission and did not yield it"):
        run_element(ForgetsAtEnd(), {"x": [1]})


def test_a_source_that_returns_nothing_is_an_error() -> None:
    class Silent(Source):
        out = Output(int)

        def produce(self, split: object) -> Production:
            return None  # type: ignore[return-value]  # on purpose

    with pytest.raises(PEError, match=r"produce\(\) gave nothing back"):
        run_element(Silent())


def test_an_item_of_the_wrong_type_is_refused_at_once() -> None:
    @element
    def texts(x: int) -> str:
        return x  # type: ignore[return-value]  # on purpose

    with pytest.raises(PEError, match=r"output 'out' of PE 'texts' emitted an int.*Output\(str\)"):
        run_element(texts(), {"x": [1]})

    workflow = Workflow("w")
    workflow.connect(replay(["a"]).out, Sink().x)
    with pytest.raises(PEError, match=r"emitted a str, but sink\.x takes int"):
        run(workflow)


def test_int_fits_float() -> None:
    @element
    def half(x: float) -> float:
        return x / 2

    assert run_element(half(), {"x": [1, 2.0]})["out"] == [0.5, 1.0]


def test_arrays_are_given_away() -> None:
    class Reuses(Source):
        out = Output(np.ndarray)

        whole: bool = True

        def produce(self, split: object) -> Production:
            buffer = np.zeros(4)
            for number in range(3):
                buffer[:] = number
                yield self.out(buffer if self.whole else buffer[1:])

    for whole in (True, False):
        with pytest.raises(PEError, match=r"(?s)read-only.*array\.copy\(\)"):
            run_element(Reuses(whole=whole))
