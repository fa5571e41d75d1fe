"""Channels: bounded queues between units, with credits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from sys import getsizeof
from typing import Any, NamedTuple, Protocol

from flowquake.batches import item_nbytes
from flowquake.engine.snapshots import ATOMS, Snapshot, is_settled
from flowquake.engine.suspension import Condition, suspend
from flowquake.ports import Emission
from flowquake.signals import EndOfStream, Signal, Watermark

CHANNEL_ITEMS = 4096
CHANNEL_BYTES = 16 * 2**20
PARCEL_ITEMS = 512
PARCEL_BYTES = 64 * 2**10
SLICE_S = 0.002

# Items of these types are so small that only their number counts.
_TINY = frozenset({int, float, bool, type(None)})


class Parcel(NamedTuple):
    """Items and signals that travel on a channel together.

    Parameters
    ----------
    channel : int
        The channel's number.
    items : list
        Of every type.
    signals : tuple of (int, Signal)
        Each with the number of items that go before it.
    nbytes : int
        The size of the items as their sender counted it.
    """

    channel: int
    items: list[Any]
    signals: tuple[tuple[int, Signal], ...]
    nbytes: int


class Credit(NamedTuple):
    """Room given back to the sender of a channel."""

    channel: int
    items: int
    nbytes: int


class Note(NamedTuple):
    """A word between a worker and the run's coordinator."""

    kind: str
    content: Any = None  # what the kind says


Message = Parcel | Credit | Note


class UnsendableError(Exception):
    """An item of a parcel that cannot be brought to another process.

    Parameters
    ----------
    place : int
        Which of the parcel's items.
    cause : Exception
        Why.
    """

    def __init__(self, place: int, cause: Exception) -> None:
        super().__init__(place, cause)
        self.place = place
        self.cause = cause


class Transport(Protocol):
    """What a mapping supplies to each of its workers.

    Workers are numbered from 0; the number after the last is the coordinator.
    """

    def send(self, worker: int, message: Message) -> None:
        """Hand a message to a worker; never blocks, first in first out per worker.

        Raises
        ------
        UnsendableError
            If an item of a parcel cannot leave this process; nothing was sent.
        """

    def receive(self) -> Sequence[tuple[int, Message]]:
        """Take what has arrived, with the worker that sent it."""

    def wait(self, seconds: float | None) -> None:
        """Sleep until a message may have arrived, or for so long."""

    def stop(self) -> None:
        """Give back what the transport holds."""


def next_stride(stride: int, spent: float) -> int:
    """Give how many items to take before the clock is looked at again.

    Parameters
    ----------
    stride : int
        How many were taken.
    spent : float
        In how many seconds.
    """
    return min(2 * stride, 64) if spent < SLICE_S / 4 else max(1, stride // 4)


class Sender:
    """The sending end of a channel: gathers items into parcels.

    Parameters
    ----------
    channel : int
        Its number.
    send : callable
        Hands a parcel to the receiving worker.
    fail : callable
        Takes an item that cannot be sent and why; raises, or sets the item
        aside.
    waiting : list
        Where the sender notes itself while it has something to send.
    is_local : bool, default False
        Whether the receiver is in this process.
    items, nbytes : int
        Bounds. An item larger than the bound passes when the channel is empty.
    """

    __slots__ = (
        *(
            "_batch",
            "_channel",
            "_fail",
            "_is_local",
            "_limit",
            "_limit_bytes",
            "_load",
            "_pending",
            "_room",
            "_send",
        ),
        *("_signals", "_space", "_waiting"),
    )

    def __init__(
        self,
        channel: int,
        send: Callable[[Parcel], None],
        fail: Callable[[object, Exception], None],
        waiting: list[Sender],
        *,
        is_local: bool = False,
        items: int = CHANNEL_ITEMS,
        nbytes: int = CHANNEL_BYTES,
    ) -> None:
        self._channel = channel
        self._is_local = is_local
        self._send = send
        self._fail = fail
        self._waiting = waiting
        self._limit = items
        self._room = items
        self._space = self._limit_bytes = nbytes
        self._batch = min(PARCEL_ITEMS, max(1, items // 4))
        self._load = 0
        self._pending: list[Any] = []
        self._signals: list[tuple[int, Signal]] = []

    def deliver(self, item: object) -> Iterator[Emission] | None:
        """Send an item, or give the generator that waits for room first."""
        kind = type(item)
        if kind in _TINY:
            if not self._room:
                return self._wait(item, 0)
            pending = self._pending
            if pending and len(pending) < self._batch - 1:
                pending.append(item)
                self._room -= 1
                return None
            self._put(item, 0)
            return None
        if kind is tuple and ATOMS.issuperset(map(type, item)):  # type: ignore[call-overload]  # it is a tuple
            size = sum(map(getsizeof, item))  # type: ignore[call-overload]  # it is a tuple
            pending = self._pending
            if (
                pending
                and len(pending) < self._batch - 1
                and self._load + size < PARCEL_BYTES
                and size <= self._space
                and self._room > 0
            ):
                pending.append(item)
                self._room -= 1
                self._space -= size
                self._load += size
                return None
        else:
            size = item_nbytes(item)
            if not is_settled(item) and (self._is_local or size < PARCEL_BYTES):
                # Its element may change it before the parcel leaves.
                try:
                    item = Snapshot.of(item)
                except Exception as cause:  # noqa: BLE001 - a user's __reduce__ may raise anything
                    self._fail(item, cause)
                    return None
                size = len(item.pickled)
        if self._room != self._limit and (self._room <= 0 or self._space < size):
            return self._wait(item, size)
        self._put(item, size)
        return None

    def _put(self, item: object, size: int) -> None:
        pending = self._pending
        if not pending and not self._signals:
            self._waiting.append(self)
        pending.append(item)
        self._room -= 1
        if size:
            self._space -= size
            self._load += size
        if len(pending) >= self._batch or self._load >= PARCEL_BYTES:
            self.flush()

    def signal(self, signal: Any) -> None:  # a Signal, as an item of an emission
        """Send a signal; signals need no credit."""
        signals = self._signals
        if not self._pending and not signals:
            self._waiting.append(self)
        place = len(self._pending)
        if signals and _replaces(signal, signals[-1][1]) and signals[-1][0] == place:
            signals[-1] = place, signal
            return
        signals.append((place, signal))
        if isinstance(signal, EndOfStream):
            self.flush()

    def credit(self, items: int, nbytes: int) -> None:
        """Take back room."""
        self._room += items
        self._space += nbytes

    def in_flight(self) -> tuple[float, int]:
        """Give how full the channel is, and the items on it that are not yet worked off."""
        items = self._limit - self._room
        return max(items / self._limit, 1.0 - self._space / self._limit_bytes), items

    def flush(self) -> bool:
        """Send what was gathered; False if there was nothing."""
        if not self._pending and not self._signals:
            return False
        parcel = Parcel(self._channel, self._pending, tuple(self._signals), self._load)
        self._pending, self._signals, self._load = [], [], 0
        while True:
            try:
                self._send(parcel)
            except UnsendableError as unsendable:
                parcel = self._without(parcel, unsendable)
                continue
            return True

    def _without(self, parcel: Parcel, unsendable: UnsendableError) -> Parcel:
        place = unsendable.place
        item = parcel.items[place]
        self._fail(item, unsendable.cause)
        size = parcel.nbytes if len(parcel.items) == 1 else min(item_nbytes(item), parcel.nbytes)
        self.credit(1, size)
        items = parcel.items[:place] + parcel.items[place + 1 :]
        signals = tuple((at - (at > place), signal) for at, signal in parcel.signals)
        return Parcel(parcel.channel, items, signals, parcel.nbytes - size)

    def _has_room(self, size: int) -> bool:
        if self._room == self._limit:
            return True
        return self._room > 0 and self._space >= size

    def _wait(self, item: object, size: int) -> Iterator[Emission]:
        self.flush()
        condition = Condition(lambda: self._has_room(size))
        while not self._has_room(size):
            yield suspend, condition
        self._put(item, size)


def _replaces(signal: Signal, before: Signal) -> bool:
    """Whether a signal makes the one before it superfluous: a later watermark."""
    return (
        isinstance(signal, Watermark)
        and isinstance(before, Watermark)
        and signal.time is not None
        and before.time is not None
    )
