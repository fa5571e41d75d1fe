"""Ctrl-C, once and twice, wherever it comes."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from flowquake import (
    Emissions,
    Input,
    Output,
    ProcessingElement,
    Production,
    Source,
    SystemClock,
    Wait,
    Workflow,
    run,
    stream,
)
from flowquake.mappings.simulated import Simulated
from tests.mappings.elements import Identity, Sink


class Endless(Source):
    out = Output(int)

    wait: float = 0.0
    stop_at: int = 1000
    signals: int = 1

    def produce(self, split: object) -> Production:
        number = 0
        while True:
            number += 1
            yield self.out(number)
            if number == self.stop_at:
                for _ in range(self.signals):
                    signal.raise_signal(signal.SIGINT)
            if self.wait:
                yield Wait(self.wait)


class SignalsInHandler(ProcessingElement):
    """One item makes many; the signal comes in the middle."""

    x = Input(int)
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        for number in range(1000):
            if x == 2 and number == 500:
                signal.raise_signal(signal.SIGINT)
            yield self.out(number)


class Publishes(ProcessingElement):
    """Says at the end how much there was."""

    x = Input(int)

    log: Path

    def setup(self) -> None:
        self._seen = 0

    def on_x(self, x: int) -> None:
        self._seen += 1

    def finish(self) -> None:
        self.log.write_text("finished")

    def teardown(self) -> None:
        with self.log.open("a") as file:
            file.write(f"torn down after {self._seen}")


@pytest.mark.parametrize("mapping", ["sequential", Simulated(fuse=False, channel_items=2)])
def test_ctrl_c_finishes_what_is_in_flight_and_publishes_nothing(
    tmp_path: Path, mapping: Any
) -> None:
    workflow, relay = Workflow("w"), Identity()
    workflow.chain(Endless(), relay, Publishes(log=tmp_path / "log"))
    result = run(workflow, mapping=mapping, collect=[relay.out])
    assert result.interrupted
    taken = len(result[relay.out])
    assert 1000 <= taken <= 1001
    assert result.counts["endless"].emitted["out"] == taken
    assert (tmp_path / "log").read_text() == f"torn down after {taken}"


def test_ctrl_c_in_a_long_chain_of_handlers_finishes_the_chain() -> None:
    workflow, many = Workflow("w"), SignalsInHandler()
    workflow.chain(Endless(stop_at=-1), many, Sink())
    result = run(workflow, collect=[many.out])
    assert result.interrupted
    assert result[many.out] == list(range(1000)) * 2


def test_ctrl_c_ends_a_wait() -> None:
    workflow = Workflow("w")
    workflow.chain(Endless(wait=3600.0, stop_at=-1), Sink())
    timer = threading.Timer(
        0.2, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    )
    timer.start()
    began = time.monotonic()
    assert run(workflow, clock=SystemClock()).interrupted
    assert time.monotonic() - began < 2.0


def test_ctrl_c_twice_ends_at_once() -> None:
    workflow = Workflow("w")
    workflow.chain(Endless(signals=2, stop_at=3), Sink())
    with pytest.raises(KeyboardInterrupt):
        run(workflow)


def test_handlers_of_signals_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    workflow = Workflow("w")
    workflow.chain(Endless(), Sink())
    run(workflow)
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_in_a_stream_ends_it_at_once_and_tears_down(tmp_path: Path) -> None:
    workflow, relay, log = Workflow("w"), Identity(), tmp_path / "log"
    workflow.chain(Endless(stop_at=3), relay, Publishes(log=log))
    items = stream(workflow, relay.out)
    assert [next(items), next(items), next(items)] == [1, 2, 3]
    with pytest.raises(KeyboardInterrupt):
        next(items)
    assert log.read_text() == "torn down after 3"
