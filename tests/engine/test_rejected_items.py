"""Items that are set aside or tried again, and clean-ups after a failure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from flowquake import (
    Emissions,
    FlowquakeError,
    Input,
    Output,
    PEError,
    ProcessingElement,
    State,
    TransportError,
    run,
    stream,
)
from flowquake.testing import run_element
from tests.engine.test_failures import Fails, Fails2, chain, message
from tests.mappings.elements import Numbers, Single, Sink


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


@pytest.mark.parametrize("mapping", ["sequential", "multi"])
def test_rejected_items_that_cannot_be_written_end_the_run(tmp_path: Path, mapping: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "rejected.jsonl").symlink_to("/dev/full")
    with pytest.raises(FlowquakeError, match="cannot write the rejected items: No space left"):
        run(
            chain(Numbers(n=50), Fails(at="call")),
            mapping=mapping,
            workers=None if mapping == "sequential" else 2,
            on_error="skip",
            out=tmp_path / "out",
        )
