"""What the channels into one instance have promised."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowquake.engine.origins import Carried
from flowquake.signals import EndOfStream, Halt, Idle, Origin, Resume, Signal


@dataclass(slots=True)
class _Channel:
    carried: Carried
    watermark: int | None = None
    whole: bool = False  # whether it said that it is idle itself
    paused: set[Origin] = field(default_factory=set)  # that it said are idle
    unsure: int = 0  # how many of those are not idle on every channel
    ended: bool = False
    halted: bool = False

    @property
    def idle(self) -> bool:
        return self.whole and not self.unsure


class Inflow:
    """The watermarks, pauses and ends of every channel into an instance.

    What one source sends arrives over several channels, sooner over one than
    over another. It is left out of the least watermark only while every
    channel that carries it says that it is idle, in the same pause: when one
    says more, what is on its way over the others must not be overtaken.
    """

    def __init__(self) -> None:
        self._channels: dict[int, _Channel] = {}
        self._resumed: dict[Origin, int] = {}  # how many pauses each source has ended
        # For a source in a pause, the channels that have not said so.
        self._missing: dict[Origin, set[int]] = {}
        self._is_idle = False  # and has been said to be

    def open(self, number: int, carried: Carried) -> None:
        """Expect signals from one more channel."""
        self._channels[number] = _Channel(carried)

    def take(self, number: int, signal: Signal) -> Idle | Resume | None:
        """Note a signal; a channel's watermark never goes back.

        Returns
        -------
        Idle, Resume or None
            What is news about the sources, for everybody downstream.
        """
        channel = self._channels[number]
        quiet: list[Origin] = []
        if isinstance(signal, EndOfStream):
            channel.ended = True
            quiet = [origin for origin in self._missing if self._is_last(number, origin)]
        elif isinstance(signal, Idle):
            quiet = self._pause(number, channel, signal)
        elif isinstance(signal, Resume):
            return self._resume(channel, signal)
        elif isinstance(signal, Halt):
            channel.halted = True
            return None
        else:
            time = signal.time
            if time is not None and (channel.watermark is None or time > channel.watermark):
                channel.watermark = time
            return None
        for origin in quiet:
            self._add_unsure(origin, -1)
        was_idle, self._is_idle = self._is_idle, self._is_idle or self.idle
        if not quiet and was_idle == self._is_idle:
            return None
        return Idle({o: self._resumed.get(o, 0) for o in quiet}, self._is_idle)

    def _pause(self, number: int, channel: _Channel, signal: Idle) -> list[Origin]:
        """Note that sources are idle on a channel; give those that now are on every one."""
        quiet = []
        channel.whole |= signal.whole
        for origin, pause in signal.pauses.items():
            channel.paused.add(origin)
            channel.unsure += 1
            if pause < self._resumed.get(origin, 0):
                continue  # another channel has brought the end of this pause
            if origin not in self._missing:
                self._missing[origin] = {
                    other
                    for other, its in self._channels.items()
                    if not its.ended and its.carried.has(origin)
                }
            if self._is_last(number, origin):
                quiet.append(origin)
        return quiet

    def _is_last(self, number: int, origin: Origin) -> bool:
        """Strike a channel off those that hold a source back; say whether it was the last."""
        missing = self._missing[origin]
        if number not in missing:
            return False
        missing.remove(number)
        return not missing

    def _resume(self, channel: _Channel, signal: Resume) -> Resume | None:
        origin, ended = signal
        is_quiet = origin in self._missing and not self._missing[origin]
        channel.whole = False
        if origin in channel.paused:
            channel.paused.remove(origin)
            channel.unsure -= not is_quiet
        if self._resumed.get(origin, 0) >= ended:
            return None
        self._resumed[origin] = ended
        self._missing.pop(origin, None)
        if is_quiet:
            self._add_unsure(origin, 1)
        self._is_idle = False
        return signal

    def _add_unsure(self, origin: Origin, number: int) -> None:
        for channel in self._channels.values():
            if origin in channel.paused:
                channel.unsure += number

    @property
    def ended(self) -> bool:
        """Whether no item can come any more."""
        return all(channel.ended for channel in self._channels.values())

    @property
    def halted(self) -> bool:
        """Whether no item can come any more because the run was stopped."""
        return all(channel.ended or channel.halted for channel in self._channels.values())

    @property
    def idle(self) -> bool:
        """Whether every channel that has not ended is idle."""
        return all(channel.ended or channel.idle for channel in self._channels.values())

    def low(self) -> int | None:
        """Give the least watermark over live channels; None if one has none yet."""
        low: int | None = None
        for channel in self._channels.values():
            if channel.ended or (channel.whole and not channel.unsure):
                continue
            if channel.watermark is None:
                return None
            if low is None or channel.watermark < low:
                low = channel.watermark
        return low

    def last(self) -> int | None:
        """Give the highest watermark of any channel, ended ones too.

        When the last channel has ended, this is what the instance has come to,
        whichever channel happened to end first.
        """
        times = [c.watermark for c in self._channels.values() if c.watermark is not None]
        return max(times, default=None)
