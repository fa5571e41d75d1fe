"""What travels beside the items: watermarks, pauses and ends."""

from __future__ import annotations

from typing import Final, NamedTuple


class Watermark(NamedTuple):
    """A promise that every later item has an event time of at least `time`.

    A source yields it from ``produce``; the engine broadcasts it on every
    channel. ``Watermark(None)`` marks a channel idle: it holds nobody back
    until its next item.

    Parameters
    ----------
    time : int or None
        Event time, nanoseconds.
    """

    time: int | None


class Wait(NamedTuple):
    """A source has nothing to give for a while and wants to be asked later.

    Parameters
    ----------
    seconds : float
        How long to leave the source alone.
    """

    seconds: float


class EndOfStream:
    """No item will follow on this channel."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "END"


class Resume:
    """An idle channel is live again, and had no watermark yet."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "RESUME"


class Halt:
    """The run was stopped: no item will follow, and the stream has not ended."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "HALT"


END: Final = EndOfStream()
HALT: Final = Halt()
RESUME: Final = Resume()
Signal = Watermark | EndOfStream | Resume | Halt
