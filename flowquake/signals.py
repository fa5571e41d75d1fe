"""What travels beside the items: watermarks, pauses and ends."""

from __future__ import annotations

from typing import Final, NamedTuple


class Watermark(NamedTuple):
    """A promise that every later item has an event time of at least `time`.

    A source yields it from ``produce``; the engine broadcasts it on every
    channel. ``Watermark(None)`` marks a source idle: it holds nobody back
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


class Origin(NamedTuple):
    """One instance of a source."""

    element: str
    number: int


class Idle(NamedTuple):
    """Sources hold nobody back on this channel until they resume.

    Parameters
    ----------
    pauses : dict of Origin to int
        The sources that have become idle, and how many pauses each had ended before.
    whole : bool
        Whether the channel waits for no other source: it is idle itself.
    """

    pauses: dict[Origin, int]
    whole: bool


class Resume(NamedTuple):
    """A source is live again; it is passed on when it is first heard of.

    Parameters
    ----------
    origin : Origin
        Which source.
    pauses : int
        How many pauses it has ended.
    """

    origin: Origin
    pauses: int


class Halt:
    """The run was stopped: no item will follow, and the stream has not ended."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "HALT"


END: Final = EndOfStream()
HALT: Final = Halt()
Signal = Watermark | EndOfStream | Idle | Resume | Halt
