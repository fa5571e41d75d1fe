"""A PE that writes while it runs, as a stream that can be paused.

`write` is called deep inside a user's method, which cannot be left and entered
again as a generator can. So the method runs in a thread that waits whenever
enough has been written and not yet been taken; the two never run for long at
the same time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

PORTION = 256
# How long to wait for a portion before the run goes on with other work.
PATIENCE_S = 0.02

Given = tuple[str, Any]  # the name of an output, and an item of any type


class _Abandoned(BaseException):
    """Ends a method that nobody listens to any more."""


class Handover:
    """What a method writes, in the order in which it wrote it.

    Parameters
    ----------
    body : callable
        Runs in a thread of its own, and appends to what it is given.
    """

    def __init__(self, body: Callable[[Handover], None]) -> None:
        self._body = body
        self._made: deque[Given] = deque()
        self._go = threading.Semaphore(0)
        self._halted = threading.Semaphore(0)
        self._ended = False
        self._failure: BaseException | None = None
        self.abandoned = False

    def append(self, given: Given) -> None:
        """Add what was written; waits while too much has not been taken."""
        self._made.append(given)
        if len(self._made) >= PORTION:
            self._halted.release()
            self._go.acquire()
        if self.abandoned:
            raise _Abandoned

    def portions(self) -> Iterator[list[Given]]:
        """Give what was written, until the method ends; an empty list while there is nothing.

        Raises
        ------
        BaseException
            What the method raised.
        """
        thread = threading.Thread(target=self._run, daemon=True, name="dispel4py-pe")
        thread.start()
        try:
            while True:
                while not self._halted.acquire(timeout=PATIENCE_S):
                    yield self._taken()
                yield self._taken()
                if self._ended:
                    break
                self._go.release()
            if self._failure is not None:
                raise self._failure
        finally:
            self.abandoned = True
            self._go.release()

    def _taken(self) -> list[Given]:
        return [self._made.popleft() for _ in range(len(self._made))]

    def _run(self) -> None:
        try:
            self._body(self)
        except _Abandoned:
            return
        except BaseException as cause:  # noqa: BLE001 - raised again where it is heard
            self._failure = cause
        self._ended = True
        self._halted.release()
