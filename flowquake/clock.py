"""The clock that sources and the engine ask."""

from __future__ import annotations

import math
import time
from typing import Protocol


class Clock(Protocol):
    """Wall-clock time, monotonic time and sleep, replaceable in tests."""

    def now(self) -> int:
        """Give the time, nanoseconds since 1970 UTC."""

    def monotonic(self) -> float:
        """Give seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Give the time, nanoseconds since 1970 UTC."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Give seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only when told, or when somebody sleeps.

    Parameters
    ----------
    start : int, default 0
        Its first reading, nanoseconds since 1970 UTC.
    """

    def __init__(self, start: int = 0) -> None:
        self._now = start

    def now(self) -> int:
        """Give the time, nanoseconds since 1970 UTC."""
        return self._now

    def monotonic(self) -> float:
        """Give seconds that never go back."""
        return self._now / 1e9

    def sleep(self, seconds: float) -> None:
        """Move on by so many seconds, at once."""
        # Rounded up: whoever sleeps until a time must come to it.
        self._now += max(0, math.ceil(seconds * 1e9))
