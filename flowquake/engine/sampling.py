"""Which element's code is running: asked from beside it, a few times a second."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from types import FrameType, MappingProxyType
from typing import Final

from flowquake.pe import ProcessingElement

log = logging.getLogger(__name__)

SAMPLE_EVERY_S: Final = 0.02


def running_element(frame: FrameType | None) -> tuple[str, int] | None:
    """Name the element and instance whose code a frame is in; None if it is the engine's."""
    while frame is not None:
        code = frame.f_code
        if code.co_argcount and code.co_varnames[0] == "self":
            owner = frame.f_locals.get("self")
            if isinstance(owner, ProcessingElement):
                context = owner.__dict__.get("_context")
                if context is not None:
                    return context.name, context.index
        frame = frame.f_back
    return None


class Place(logging.Filter):
    """Tells a log record which worker, element and instance it comes from.

    Parameters
    ----------
    worker : int or None
        The worker of this process; None if it has several.
    owners : mapping of (str, int) to int, optional
        For these the worker of each element's instance.
    """

    def __init__(
        self, worker: int | None, owners: Mapping[tuple[str, int], int] = MappingProxyType({})
    ) -> None:
        super().__init__()
        self._worker = worker
        self._owners = owners

    def filter(self, record: logging.LogRecord) -> bool:
        """Add to the record; those of other processes have their place already."""
        if hasattr(record, "worker"):
            return True
        found = running_element(sys._getframe())
        worker = self._worker
        if found is not None:
            record.pe, record.instance = found
            worker = self._owners.get(found, worker)
        if worker is not None:
            record.worker = worker
        return True


@contextlib.contextmanager
def placing(place: Place) -> Iterator[None]:
    """Let all that is logged from here on say where it comes from."""
    handlers = logging.getLogger().handlers[:]
    for handler in handlers:
        handler.addFilter(place)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(place)


class Sampler:
    """Looks at one thread from another, and adds up how long it was in which element.

    It costs that thread next to nothing: no handler is timed.

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
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="flowquake sampler", daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        before = time.perf_counter()
        while not self._ended.wait(self._every):
            frame = sys._current_frames().get(self._watched)
            found = running_element(frame)
            if self._stall_timeout:
                self._watch(frame, found)
            now = time.perf_counter()
            if found is not None:
                name = found[0]
                self.busy[name] = self.busy.get(name, 0.0) + now - before
            before = now

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
