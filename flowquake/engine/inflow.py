"""What the channels into one instance have promised."""

from __future__ import annotations

from dataclasses import dataclass

from flowquake.signals import EndOfStream, Halt, Resume, Signal


@dataclass(slots=True)
class _Channel:
    watermark: int | None = None
    idle: bool = False
    ended: bool = False
    halted: bool = False


class Inflow:
    """The watermarks, pauses and ends of every channel into an instance."""

    def __init__(self) -> None:
        self._channels: dict[int, _Channel] = {}

    def open(self, number: int) -> None:
        """Expect signals from one more channel."""
        self._channels[number] = _Channel()

    def take(self, number: int, signal: Signal) -> None:
        """Note a signal; a channel's watermark never goes back."""
        channel = self._channels[number]
        if isinstance(signal, EndOfStream):
            channel.ended = True
        elif isinstance(signal, Halt):
            channel.halted = True
        elif isinstance(signal, Resume):
            channel.idle = False
        elif signal.time is None:
            channel.idle = True
        else:
            channel.idle = False
            if channel.watermark is None or signal.time > channel.watermark:
                channel.watermark = signal.time

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
        return all(channel.idle or channel.ended for channel in self._channels.values())

    def low(self) -> int | None:
        """Give the least watermark over live channels; None if one has none yet."""
        low: int | None = None
        for channel in self._channels.values():
            if channel.idle or channel.ended:
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
