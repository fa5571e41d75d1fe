"""Which element's code is running: asked from beside it, a few times a second."""

from __future__ import annotations

import sys
import threading
import time
from types import FrameType
from typing import Final

from flowquake.pe import ProcessingElement

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


class Sampler:
    """Looks at one thread from another, and adds up how long it was in which element.

    It costs that thread next to nothing: no handler is timed.

    Parameters
    ----------
    every : float
        Seconds between two looks.
    """

    def __init__(self, every: float = SAMPLE_EVERY_S) -> None:
        self.busy: dict[str, float] = {}
        self._every = every
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
            found = running_element(sys._current_frames().get(self._watched))
            now = time.perf_counter()
            if found is not None:
                name = found[0]
                self.busy[name] = self.busy.get(name, 0.0) + now - before
            before = now
