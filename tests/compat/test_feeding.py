"""PEs that write while they run: streamed, and heard when they fail."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

import flowquake
from flowquake.compat.dispel4py import ProducerPE, translate
from tests.compat.elements import RUNS, Run, Same, Swallow, line


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest) -> Run:
    return RUNS[request.param]


class Stumble(ProducerPE):
    """Write more than a portion, then fail."""

    def _process(self, inputs: Any) -> None:
        for number in range(1000):
            self.write("output", number)
        raise ValueError("stumbled")


def test_a_failure_of_a_pe_that_writes_while_it_runs_is_told(run: Run) -> None:
    source = Stumble()
    with pytest.raises(flowquake.errors.PEError, match="Cause: ValueError: stumbled"):
        run(line(source, Swallow()), {source: 1})


def test_what_one_call_writes_streams() -> None:
    source, last = Endless(), Same()
    made = translate(line(source, last), {source: 1})
    stream = flowquake.stream(made.workflow, made.outputs[last.id, "output"])
    assert [next(stream) for _ in range(2000)] == list(range(2000))
    stream.close()


class Endless(ProducerPE):
    def _process(self, inputs: Any) -> None:
        number = 0
        while True:
            self.write("output", number)
            number += 1


def test_a_run_that_is_left_early_ends_the_method(run: Run) -> None:
    class Fails(Swallow):
        def _process(self, data: Any) -> None:
            if data == 1000:
                raise ValueError("enough")

    with pytest.raises(flowquake.errors.PEError, match="enough"):
        run(line(Endless(), Fails()), {"Endless": 1})
    deadline = time.monotonic() + 10
    while any(t.name == "dispel4py-pe" for t in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Slow(ProducerPE):
    """Write one item in a while."""

    def _process(self, inputs: Any) -> None:
        for number in range(3):
            self.write("output", number)
            time.sleep(0.05)


def test_a_slow_feed_is_not_held_back_until_a_portion_is_full() -> None:
    last = Same()
    made = translate(line(Slow(), last), {"Slow": 1000})
    stream = flowquake.stream(made.workflow, made.outputs[last.id, "output"])
    start = time.monotonic()
    assert [next(stream) for _ in range(4)] == [0, 1, 2, 0]
    assert time.monotonic() - start < 10
    stream.close()
