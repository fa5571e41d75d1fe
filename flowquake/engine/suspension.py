"""How a running stack of handlers is set aside, to go on later."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn


class Condition:
    """What a suspended stack waits for.

    Parameters
    ----------
    ready : callable
        Whether it may go on now.
    due : float, optional
        Monotonic time, seconds, at which it will; None if unknown.
    """

    __slots__ = ("due", "ready")

    def __init__(self, ready: Callable[[], bool], due: float | None = None) -> None:
        self.ready = ready
        self.due = due


class Suspended(Exception):  # noqa: N818 - not an error: it ends a slice
    """Raised in the driver, between two handlers and never inside one."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition


def suspend(condition: Condition) -> NoReturn:
    """Set the running stack aside; used as the receiver of an emission."""
    raise Suspended(condition)


AT_ONCE = Condition(lambda: True)
END_OF_SLICE = (suspend, AT_ONCE)
