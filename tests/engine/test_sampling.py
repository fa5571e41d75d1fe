"""How long a thread is seen to be in which element."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flowquake import Emissions, Input, Output, ProcessingElement, Workflow, run
from flowquake.engine.sampling import Sampler
from flowquake.running import Progress
from tests.mappings.elements import Single

MATRIX = np.ones((40, 40))


class Computes(ProcessingElement):
    """Holds on to the interpreter."""

    x = Input(int)
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        total = 0
        for number in range(6_000):
            total += number
        yield self.out(x)


class Multiplies(ProcessingElement):
    """Lets other threads go on for a moment."""

    x = Input(int)
    out = Output(int)

    def on_x(self, x: int) -> Emissions:
        np.dot(MATRIX, MATRIX)
        yield self.out(x)


class Sleeps(ProcessingElement):
    x = Input(int)

    def on_x(self, x: int) -> None:
        time.sleep(0.002)


class Watches:
    def on_progress(self, progress: Progress) -> None:
        self.busy = {name: load.busy for name, load in progress.loads.items()}
        self.seconds = progress.seconds


def watched(*parts: ProcessingElement, items: int) -> Watches:
    workflow, watcher = Workflow("w"), Watches()
    workflow.chain(Single(n=items), *parts)
    run(workflow, observer=watcher)
    return watcher


has_signals = pytest.mark.skipif(
    not Path("/proc/thread-self/schedstat").exists(),
    reason="the system does not tell working from waiting",
)


@has_signals
def test_an_element_is_not_blamed_for_letting_others_go_on() -> None:
    busy = watched(Computes(), Multiplies(), items=2_000).busy
    assert busy["computes"] > 2 * busy["multiplies"]


@has_signals
def test_waiting_in_an_element_is_time_in_it() -> None:
    seen = watched(Sleeps(), items=200)
    assert seen.busy["sleeps"] > 0.5 * seen.seconds
    assert seen.busy["sleeps"] < 1.1 * seen.seconds


def test_outside_the_main_thread_another_thread_looks() -> None:
    seen: list[Watches] = []
    thread = threading.Thread(target=lambda: seen.append(watched(Sleeps(), items=200)))
    thread.start()
    thread.join()
    assert seen[0].busy["sleeps"] > 0.5 * seen[0].seconds


@has_signals
def test_the_profiling_signal_is_given_back() -> None:
    with Sampler():
        assert callable(signal.getsignal(signal.SIGPROF))
        with Sampler():
            pass  # the second does without
        assert callable(signal.getsignal(signal.SIGPROF))
    assert signal.getsignal(signal.SIGPROF) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


@has_signals
def test_somebody_elses_profiler_is_left_alone() -> None:
    heard: list[int] = []
    own: Callable[..., None] = lambda number, frame: heard.append(number)  # noqa: E731
    before = signal.signal(signal.SIGPROF, own)
    try:
        with Sampler():
            assert signal.getsignal(signal.SIGPROF) is own
        assert signal.getsignal(signal.SIGPROF) is own
    finally:
        signal.signal(signal.SIGPROF, before)
