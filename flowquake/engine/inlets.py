"""The receiving end of channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat
from operator import length_hint
from typing import Any

from flowquake.engine.channels import (
    CHANNEL_BYTES,
    CHANNEL_ITEMS,
    SLICE_S,
    Credit,
    Parcel,
    next_stride,
)
from flowquake.engine.snapshots import Snapshot
from flowquake.engine.suspension import END_OF_SLICE
from flowquake.ports import Deliver, Emission


class Inlet:
    """The receiving end of a channel.

    Parameters
    ----------
    channel : int
        Its number.
    give_back : callable
        Sends a credit to the worker at the other end.
    waiting : list
        Where the inlet notes itself while it owes room.
    deliver, signal : callable
        What takes the items and the signals.
    timer : callable
        Gives the time, seconds.
    items, nbytes : int
        Bounds of the channel.
    """

    __slots__ = (
        *("_channel", "_give_back", "_items", "_left", "_limits", "_nbytes", "_timer", "_waiting"),
        *("arrived", "deliver", "signal", "taken", "waited"),
    )

    def __init__(
        self,
        channel: int,
        give_back: Callable[[Credit], None],
        waiting: list[Inlet],
        deliver: Deliver,
        signal: Deliver,
        timer: Callable[[], float],
        *,
        items: int = CHANNEL_ITEMS,
        nbytes: int = CHANNEL_BYTES,
    ) -> None:
        self._channel = channel
        self._timer = timer
        self._give_back = give_back
        self._waiting = waiting
        self.deliver = deliver
        self.signal = signal
        self._limits = max(1, items // 4), max(1, nbytes // 4)
        self._items = 0
        self._nbytes = 0
        self.arrived = 0
        self.taken = 0  # with those that `_left` still has
        self._left: Iterator[Any] = iter(())
        self.waited = 0.0  # seconds from arrival until done, summed over items

    def count(self) -> int:
        """Give the number of items taken so far."""
        return self.taken - length_hint(self._left)

    def emissions(self, parcel: Parcel) -> Iterator[Emission]:
        """Hand on a parcel; other work may go first after each slice of time."""
        deliver, signal, timer = self.deliver, self.signal, self._timer
        items, done = parcel.items, 0
        if Snapshot in set(map(type, items)):
            items = [
                item.restore(self._channel) if type(item) is Snapshot else item for item in items
            ]
        stride = 1
        began = last = timer()
        for at, sent in (*parcel.signals, (len(items), None)):
            while done < at:
                some = items[done : min(at, done + stride)]
                self._left = iter(some)
                self.taken += len(some)
                yield from zip(repeat(deliver), self._left)
                done += len(some)
                now = timer()
                stride = next_stride(stride, now - last)
                if now - began > SLICE_S:
                    yield END_OF_SLICE
                    began = now = timer()
                last = now
            if sent is not None:
                yield signal, sent

    def owe(self, parcel: Parcel, arrived: float) -> None:
        """Note that a parcel was worked off: its room is to be given back.

        Parameters
        ----------
        parcel : Parcel
            Which.
        arrived : float
            When it came, by the timer.
        """
        self.waited += len(parcel.items) * (self._timer() - arrived)
        if not self._items and not self._nbytes:
            if not parcel.items:
                return
            self._waiting.append(self)
        self._items += len(parcel.items)
        self._nbytes += parcel.nbytes
        if self._items >= self._limits[0] or self._nbytes >= self._limits[1]:
            self.flush()

    def flush(self) -> bool:
        """Give back the room that is owed; False if there is none."""
        if not self._items and not self._nbytes:
            return False
        credit = Credit(self._channel, self._items, self._nbytes)
        self._items = self._nbytes = 0
        self._give_back(credit)
        return True
