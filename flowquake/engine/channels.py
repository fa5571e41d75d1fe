"""Channels: bounded queues between units, with credits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from flowquake.batches import item_nbytes
from flowquake.engine.suspension import Condition, suspend
from flowquake.ports import Emission
from flowquake.signals import Signal

CHANNEL_ITEMS = 1024
CHANNEL_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Data:
    """An item on a channel."""

    item: Any  # items of every type
    nbytes: int


@dataclass(frozen=True, slots=True)
class Credit:
    """Room given back to the sender of a channel."""

    items: int
    nbytes: int


Message = Data | Credit | Signal


class Transport(Protocol):
    """What a mapping supplies to each of its workers."""

    def send(self, worker: int, channel: int, message: Message) -> None:
        """Hand a message to a worker; never blocks, first in first out per channel."""

    def receive(self) -> list[tuple[int, Message]]:
        """Take the messages that have arrived, as (channel, message)."""

    def wait(self, seconds: float | None) -> None:
        """Sleep until a message may have arrived, or for so long."""

    def stop(self) -> None:
        """Give back what the transport holds."""


class Sender:
    """The sending end of a channel.

    Parameters
    ----------
    send : callable
        Hands a message to the receiving worker.
    items, nbytes : int
        Bounds. An item larger than the bound passes when the channel is empty.
    """

    def __init__(self, send: Callable[[Message], None], items: int, nbytes: int) -> None:
        self.send = send
        self.limit_items = items
        self.limit_bytes = nbytes
        self.items = 0
        self.nbytes = 0

    def deliver(self, item: object) -> Iterator[Emission] | None:
        """Send an item, or give the generator that waits for room first."""
        size = item_nbytes(item)
        if self._has_room(size):
            self._put(item, size)
            return None
        return self._wait(item, size)

    def signal(self, signal: Any) -> None:  # a Signal, as an item of an emission
        """Send a signal; signals need no credit."""
        self.send(signal)

    def credit(self, credit: Credit) -> None:
        """Take back room."""
        self.items -= credit.items
        self.nbytes -= credit.nbytes

    def _has_room(self, size: int) -> bool:
        if self.items == 0:
            return True
        return self.items < self.limit_items and self.nbytes + size <= self.limit_bytes

    def _put(self, item: object, size: int) -> None:
        self.items += 1
        self.nbytes += size
        self.send(Data(item, size))

    def _wait(self, item: object, size: int) -> Iterator[Emission]:
        condition = Condition(lambda: self._has_room(size))
        while not self._has_room(size):
            yield suspend, condition
        self._put(item, size)
