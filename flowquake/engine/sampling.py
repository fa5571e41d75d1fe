"""Which element's code is running: asked from beside it, a few times a second."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Final

from flowquake.pe import ProcessingElement

log = logging.getLogger(__name__)

ENGINE: Final = __name__.rpartition(".")[0] + "."
SAMPLE_EVERY_S: Final = 0.02
WAITING_EVERY_S: Final = 0.05  # where signals see the working time
SIGNAL_EVERY_S: Final = 0.01  # of working time; a signal costs less than another thread's turn


def running_element(frame: FrameType | None) -> tuple[str, int] | None:
    """Name the element and instance whose code a frame is in; None if it is the engine's."""
    while frame is not None:
        code = frame.f_code
        is_method = code.co_argcount and code.co_varnames[0] == "self"
        # The names of a frame are costly to have, and the engine's own frames are many.
        if is_method and not frame.f_globals.get("__name__", "").startswith(ENGINE):
            owner = frame.f_locals.get("self")
            if isinstance(owner, ProcessingElement):
                context = owner.__dict__.get("_context")
                if context is not None:
                    return context.name, context.index
        frame = frame.f_back
    return None


def seconds_worked(work: int) -> float:
    """Give how long a thread has worked, or would have if its core had been free."""
    running, ready, _ = os.pread(work, 128, 0).split()
    return (int(running) + int(ready)) * 1e-9


def _open_work() -> int | None:
    """Open what the kernel says about this thread, if the profiling signal is to be had."""
    if not hasattr(signal, "setitimer") or not hasattr(os, "pread"):
        return None
    if threading.current_thread() is not threading.main_thread():
        return None
    taken = signal.getsignal(signal.SIGPROF) is not signal.SIG_DFL
    if taken or signal.getitimer(signal.ITIMER_PROF)[0]:
        return None
    try:
        work = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
    except OSError:
        return None
    try:
        seconds_worked(work)
    except (OSError, ValueError):
        os.close(work)
        return None
    return work


class Sampler:
    """Looks at one thread, and adds up how long it was in which element.

    No handler is timed. Where the thread works is seen by a signal of the
    profiling timer, which meets it anywhere. Another thread meets it mostly
    where it lets others go on, as in a call of the system, so that one only
    sees where it waits; but it sees all where there are no such signals:
    outside the main thread, where somebody else has them, and where the system
    does not tell working from waiting.

    Parameters
    ----------
    every : float
        Seconds between two looks.
    alive : callable, optional
        Gives the monotonic time at which the thread last said that its work
        goes on.
    stall_timeout : float, default 0
        After how many silent seconds its stack is logged; 0 for never.
    """

    def __init__(
        self,
        every: float = SAMPLE_EVERY_S,
        *,
        alive: Callable[[], float] = time.monotonic,
        stall_timeout: float = 0.0,
    ) -> None:
        self.busy: dict[str, float] = {}
        self._every = every
        self._alive = alive
        self._stall_timeout = stall_timeout
        self._reported = 0.0
        self._watched = threading.get_ident()
        self._work = _open_work()
        self._worked = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="flowquake sampler", daemon=True)

    def __enter__(self) -> Sampler:
        if self._work is not None:
            self._worked = seconds_worked(self._work)
            signal.signal(signal.SIGPROF, self._on_signal)
            signal.siginterrupt(signal.SIGPROF, False)
            signal.setitimer(signal.ITIMER_PROF, SIGNAL_EVERY_S, SIGNAL_EVERY_S)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._work is not None:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
        self._ended.set()
        self._thread.join()
        work, self._work = self._work, None
        if work is not None:
            os.close(work)
            # Ended by another thread, it leaves a handler that does nothing.
            with contextlib.suppress(ValueError):
                signal.signal(signal.SIGPROF, signal.SIG_DFL)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._work is None:
            return
        worked = seconds_worked(self._work)
        spent, self._worked = worked - self._worked, worked
        found = running_element(frame)
        if found is not None:
            self._add(found[0], spent)

    def _add(self, name: str, seconds: float) -> None:
        self.busy[name] = self.busy.get(name, 0.0) + seconds

    def _look(self) -> None:
        before: tuple[float, tuple[str, int] | None] = self._not_working(), None
        given = before[0]
        every = self._every if self._work is None else max(self._every, WAITING_EVERY_S)
        while not self._ended.wait(every):
            frame = sys._current_frames().get(self._watched)
            found = running_element(frame)
            if self._stall_timeout:
                self._watch(frame, found)
            waited = self._not_working()
            # Work is told a little late: what is still there after it was.
            sure = min(waited, before[0]) if self._work is not None else waited
            element = before[1] if self._work is not None else found
            if sure > given:
                if element is not None:
                    self._add(element[0], sure - given)
                given = sure
            before = waited, found

    def _not_working(self) -> float:
        now = time.perf_counter()
        work = self._work
        return now if work is None else now - seconds_worked(work)

    def _watch(self, frame: FrameType | None, found: tuple[str, int] | None) -> None:
        last = self._alive()
        silent = time.monotonic() - last
        if silent < self._stall_timeout or last == self._reported:
            return
        self._reported = last
        pe, instance = found or ("the engine", 0)
        log.warning(
            "the run is alive but silent: it is in PE '%s'",
            pe,
            extra={
                "silent_s": round(silent, 1),
                "pe": pe,
                "instance": instance,
                "stack": "".join(traceback.format_stack(frame)),
            },
        )
