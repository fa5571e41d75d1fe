"""Messages between MPI ranks: never blocking, and asleep when there is nothing to do."""

from __future__ import annotations

import struct
import time
from collections import deque
from typing import Any, Final

import numpy as np

from flowquake.engine.channels import Message
from flowquake.mappings.codec import decode, encode

_HEAD: Final = struct.Struct("<BBqI")  # kind, for the coordinator, channel, buffers
_SIZE: Final = struct.Struct("<Q")
_MESSAGE, _BUFFER = 1, 2  # tags
_EAGER: Final = 2**16  # bytes; longer bodies are received while other work goes on
_NAP_S: Final = 2e-5
_LONGEST_NAP_S: Final = 1e-3
_DEEP_NAP_S: Final = 5e-3  # once nothing has come for a second


class MPITransport:
    """One rank's way to the others.

    A message is one MPI message with its pickle, followed by one for each
    large buffer, which goes from array to array without a copy in between.

    Parameters
    ----------
    ranks : mpi4py.MPI.Comm
        A communicator of flowquake's own.
    workers : int
        How many ranks are workers; the coordinator, on rank 0, has this number.
    """

    def __init__(self, ranks: Any, workers: int) -> None:
        from mpi4py import MPI

        self._ranks = ranks
        self._bytes = MPI.BYTE
        self._any = MPI.ANY_SOURCE
        self._status = MPI.Status()
        self._rank: int = ranks.rank
        self._workers = workers
        self._own: list[tuple[int, Message]] = []
        self._for_coordinator: list[tuple[int, Message]] = []
        self._leaving: list[tuple[Any, Any]] = []  # requests, with what they still read
        self._coming: dict[int, deque[_Arrival]] = {}
        self._ready: list[tuple[int, Message]] = []

    def send(self, worker: int, message: Message) -> None:
        """Hand a message to a worker or, by the number after the last, to the coordinator."""
        if worker == self._workers:
            if self._rank == 0:
                encode(message)  # fails here as it would on every other rank
                self._for_coordinator.append((0, message))
            else:
                self._post(0, message, True)
        elif worker == self._rank:
            self._own.append((worker, message))
        else:
            self._post(worker, message, False)

    def send_to_rank(self, rank: int, message: Message) -> None:
        """Hand a message to a rank, also to one that is no worker."""
        self._post(rank, message, False)

    def receive(self) -> list[tuple[int, Message]]:
        """Take what has arrived for this rank's worker."""
        self.gather()
        messages, self._own = self._own + self._ready, []
        self._ready = []
        return messages

    def for_coordinator(self) -> list[tuple[int, Message]]:
        """Take what has arrived for the coordinator."""
        messages, self._for_coordinator = self._for_coordinator, []
        return messages

    def gather(self) -> None:
        """Let MPI go on, and sort what it brings."""
        if self._leaving:
            self._leaving = [held for held in self._leaving if not held[0].Test()]
        while True:
            found = self._ranks.Improbe(self._any, _MESSAGE, self._status)
            if found is None:
                break
            size = self._status.Get_count(self._bytes)
            body = bytearray(size)
            arrival = _Arrival(body)
            if size <= _EAGER:
                found.Recv([body, self._bytes])
            else:
                arrival.requests.append(found.Irecv([body, self._bytes]))
            self._coming.setdefault(self._status.Get_source(), deque()).append(arrival)
        for source in list(self._coming):
            self._advance(source)

    def _advance(self, source: int) -> None:
        waiting = self._coming[source]
        for arrival in waiting:
            if not arrival.is_posted:
                if not arrival.is_there():
                    break
                # Buffers come in the order of their messages.
                arrival.post(self._ranks, source, self._bytes)
        while waiting and waiting[0].is_posted and waiting[0].is_there():
            to_coordinator, message = waiting.popleft().read()
            chosen = self._for_coordinator if to_coordinator else self._ready
            chosen.append((source, message))
        if not waiting:
            del self._coming[source]

    def wait(self, seconds: float | None) -> None:
        """Sleep until something may have arrived, or for so long."""
        began = time.monotonic()
        nap = _NAP_S
        while not (self._own or self._ready or self._for_coordinator):
            self.gather()
            if self._ready or self._for_coordinator:
                return
            gone = time.monotonic() - began
            if seconds is not None and gone >= seconds:
                return
            time.sleep(nap if seconds is None else min(nap, seconds - gone))
            nap = min(2 * nap, _LONGEST_NAP_S if gone < 1.0 else _DEEP_NAP_S)

    def stop(self) -> None:
        """Nothing: the coordinator may still want to know how it ended."""

    def finish(self) -> None:
        """Wait until all that was sent has left, and every rank has come so far."""
        barrier = self._ranks.Ibarrier()
        nap = _NAP_S
        while not barrier.Test() or self._leaving:
            self.gather()
            time.sleep(nap)
            nap = min(2 * nap, _LONGEST_NAP_S)

    def _post(self, rank: int, message: Message, to_coordinator: bool) -> None:
        kind, channel, body, buffers = encode(message)
        sizes = b"".join(_SIZE.pack(buffer.nbytes) for buffer in buffers)
        whole = b"".join((_HEAD.pack(kind, to_coordinator, channel, len(buffers)), sizes, body))
        self._isend(rank, whole, _MESSAGE)
        for buffer in buffers:
            # What its element may still write to is copied.
            self._isend(rank, buffer if buffer.readonly else bytes(buffer), _BUFFER)

    def _isend(self, rank: int, data: Any, tag: int) -> None:
        request = self._ranks.Isend([data, self._bytes], rank, tag)
        if not request.Test():
            self._leaving.append((request, data))


class _Arrival:
    """A message of which parts may still be on their way."""

    def __init__(self, body: bytearray) -> None:
        self.body = body
        self.requests: list[Any] = []
        self.buffers: list[Any] = []
        self.is_posted = False
        self._head = (0, 0, 0, 0)
        self._start = 0

    def is_there(self) -> bool:
        """Whether all that was asked for has come."""
        while self.requests and self.requests[-1].Test():
            self.requests.pop()
        return not self.requests

    def post(self, ranks: Any, source: int, kind: Any) -> None:
        """Read the head, and ask for the buffers."""
        self._head = _HEAD.unpack_from(self.body)
        count = self._head[3]
        self._start = _HEAD.size + count * _SIZE.size
        for number in range(count):
            (size,) = _SIZE.unpack_from(self.body, _HEAD.size + number * _SIZE.size)
            buffer = np.empty(size, np.uint8)
            self.requests.append(ranks.Irecv([buffer, kind], source, _BUFFER))
            self.buffers.append(buffer)
        self.is_posted = True

    def read(self) -> tuple[bool, Message]:
        """Give the message, and whether the coordinator gets it."""
        kind, to_coordinator, channel, _ = self._head
        for buffer in self.buffers:
            buffer.flags.writeable = False
        body = memoryview(self.body)[self._start :]
        return bool(to_coordinator), decode(kind, channel, body, self.buffers)
