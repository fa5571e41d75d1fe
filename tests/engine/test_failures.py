"""Whose error it is, and what happens to the item."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowquake import (
    Emissions,
    FlowquakeError,
    FormatError,
    Input,
    InputError,
    Output,
    PEError,
    ProcessingElement,
    Production,
    Source,
    State,
    TransportError,
    Watermark,
    Workflow,
    element,
    run,
    stream,
)
from flowquake.mappings.simulated import Simulated
from flowquake.testing import replay, run_element
from tests.mappings.elements import Identity, Numbers, Single, Sink, parity


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
    workflow.connect(replay(["a"]).out, Sink().x)  # type: ignore[misc]  # object is no int
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


# What happens to the item.


def test_skip_sets_the_item_aside_with_what_was_emitted(tmp_path: Path) -> None:
    for at, emitted in (("call", 0), ("resume", 1)):
        fails = Fails(at=at)
        result = run(
            chain(Single(n=5), fails), collect=[fails.out], on_error="skip", out=tmp_path / at
        )
        assert result[fails.out] == ([1, 2, 4, 5] if at == "call" else [1, 2, 3, 4, 5])
        assert result.rejected == result.counts["fails"].rejected == 1
        lines = (tmp_path / at / "rejected.jsonl").read_text().splitlines()
        assert [json.loads(line) for line in lines] == [
            {
                "pe": "fails",
                "instance": 0,
                "input": "x",
                "item": 3,
                "reason": "ValueError: too wide",
                "emitted": emitted,
            }
        ]


@dataclass
class Tries:
    tries: int = 0
    version: int = 1


class Flaky(ProcessingElement):
    """Fails the first two times."""

    x = Input(int)
    out = Output(int)

    after: bool = False

    def setup(self) -> None:
        self._tries = 0

    def on_x(self, x: int) -> Emissions:
        self._tries += 1
        if self.after:
            yield self.out(-x)
        if self._tries <= 2:
            raise ValueError("not yet")
        yield self.out(x)


class FlakyWithState(Flaky):
    state = State(Tries)


def test_retry_tries_again_where_nothing_was_emitted_and_there_is_no_state() -> None:
    result = run_element(Flaky(), {"x": [1, 2]}, on_error="retry:2")
    assert result["out"] == [1, 2]
    assert result.counters == {"retried": 2}
    for part, policy in ((Flaky(), "retry:1"), (Flaky(after=True), "retry:9")):
        with pytest.raises(PEError, match="not yet"):
            run_element(part, {"x": [1]}, on_error=policy)
    with pytest.raises(PEError, match="not yet"):
        run_element(FlakyWithState(), {"x": [1]}, on_error="retry:9")


def test_a_lost_broker_is_never_skipped() -> None:
    with pytest.raises(TransportError) as caught:
        run_element(Fails(at="call", error=TransportError), {"x": [3]}, on_error="skip")
    assert caught.value.exit_code == 4


def test_rejected_records_are_plain_json(tmp_path: Path) -> None:
    class Rejects(ProcessingElement):
        x = Input(int)

        def on_x(self, x: int) -> None:
            self.reject({"value": np.float64("nan"), "at": {x}, "a": np.arange(2)}, "bad")

    workflow = chain(Single(n=1), Rejects())
    assert run(workflow, out=tmp_path).rejected == 1
    (line,) = (tmp_path / "rejected.jsonl").read_text().splitlines()
    assert json.loads(line)["item"] == {"value": None, "at": "{1}", "a": [0, 1]}


# Clean-up.


class Cleans(ProcessingElement):
    """Writes down what happened, outside of itself."""

    x = Input(int)
    out = Output(int)

    log: str
    fails: bool = False

    def on_x(self, x: int) -> Emissions:
        try:
            yield self.out(x)
            yield self.out(x)
        finally:
            self._note("handler")

    def teardown(self) -> None:
        self._note("teardown")
        if self.fails:
            raise OSError("disk full")

    def _note(self, what: str) -> None:
        with Path(self.log).open("a") as file:
            file.write(f"{what}\n")


def test_handlers_are_cleaned_up_before_teardown(tmp_path: Path) -> None:
    log = tmp_path / "log"
    message(chain(Single(n=1), Cleans(log=str(log)), Fails2()))
    assert log.read_text().split() == ["handler", "teardown"]


def test_an_error_in_teardown_does_not_hide_the_first(tmp_path: Path) -> None:
    workflow = chain(Single(n=1), Cleans(log=str(tmp_path / "log"), fails=True), Fails2())
    with pytest.raises(PEError, match="fails2") as caught:
        run(workflow)
    assert "disk full" in "".join(caught.value.__notes__)


def test_leaving_a_stream_early_tears_down(tmp_path: Path) -> None:
    log = tmp_path / "log"
    cleans = Cleans(log=str(log))
    workflow = chain(Numbers(n=5), cleans, Sink())
    items = stream(workflow, cleans.out)
    assert next(items) == 1
    assert not log.exists()
    items.close()
    assert log.read_text().split() == ["handler", "teardown"]


def test_an_error_in_teardown_is_raised_when_a_stream_is_left(tmp_path: Path) -> None:
    cleans = Cleans(log=str(tmp_path / "log"), fails=True)
    items = stream(chain(Numbers(n=5), cleans, Sink()), cleans.out)
    next(items)
    with pytest.raises(FlowquakeError, match="disk full"):
        items.close()


def test_setup_that_fails_is_torn_down_too(tmp_path: Path) -> None:
    class Opens(Cleans):
        def setup(self) -> None:
            raise OSError("no such port")

    log = tmp_path / "log"
    assert "no such port" in message(chain(Single(n=1), Opens(log=str(log)), Sink()))
    assert log.read_text().split() == ["teardown"]
