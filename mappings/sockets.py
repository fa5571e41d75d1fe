"""Workers of one machine: messages over sockets, arrays through shared memory."""

from __future__ import annotations

import select
import socket
import struct
from array import array
from collections import deque
from collections.abc import Collection, Mapping
from typing import Any, Final

from flowquake.engine.channels import Message
from flowquake.errors import TransportError
from flowquake.mappings.arena import Arena, ReadArena
from flowquake.mappings.codec import decode, encode

_HEAD: Final = struct.Struct("<BqQIQ")  # kind, channel, bytes of body, buffers, bytes beside
_PLACE: Final = struct.Struct("<qQB")  # offset in the arena or -1, bytes, copy it out
_FREED: Final = 255  # a kind of its own: slots of the receiver's arena that are free again
_SHARED: Final = 2**13  # bytes of a buffer, from which shared memory is faster than the socket
_SLOTS: Final = 64  # that are given back together, unless there is time
_SLOT_BYTES: Final = 2**20  # or of so many bytes: what is used again soon is in the cache
_READ_BYTES: Final = 2**18
_VECTORS: Final = 64  # buffers that one system call takes


class SocketTransport:
    """One worker's sockets to the others and to the coordinator.

    Parameters
    ----------
    number : int
        Which worker this is; the coordinator's number is that of workers.
    sockets : mapping of int to socket
        By the number of the worker at the other end.
    arena : Arena, optional
        Where arrays go that this worker sends.
    readers : mapping of int to ReadArena
        The arenas of those it hears, by their number.
    keepers : collection of int
        Workers that keep what they get, and so copy it out of the arena at once.
    """

    def __init__(
        self,
        number: int,
        sockets: Mapping[int, socket.socket],
        arena: Arena | None,
        readers: Mapping[int, ReadArena],
        *,
        keepers: Collection[int] = (),
    ) -> None:
        self._number = number
        self._arena = arena
        self._own: list[tuple[int, Message]] = []
        self._poll = select.poll()
        self._links: dict[int, _Link] = {}
        self._by_descriptor: dict[int, _Link] = {}
        for worker, given in sockets.items():
            link = _Link(worker, given, arena, readers.get(worker), copied=worker in keepers)
            self._links[worker] = link
            self._by_descriptor[given.fileno()] = link
            self._poll.register(given, select.POLLIN)

    def send(self, worker: int, message: Message) -> None:
        """Hand a message to a worker; what goes to one that is gone is dropped."""
        if worker == self._number:
            self._own.append((worker, message))
            return
        link = self._links[worker]
        if link.is_open:
            link.send(message)
            self._mind(link)

    def receive(self) -> list[tuple[int, Message]]:
        """Take what has arrived."""
        messages, self._own = self._own, []
        for descriptor, event in self._poll.poll(0):
            link = self._by_descriptor[descriptor]
            if event & select.POLLOUT:
                link.push()
            if event & ~select.POLLOUT:
                messages += [(link.worker, message) for message in link.read()]
            self._mind(link)
        self._give_slots_back(_SLOTS)
        return messages

    def _give_slots_back(self, least: int) -> None:
        for link in self._links.values():
            if link.is_open and link.give_slots_back(least):
                self._mind(link)

    def wait(self, seconds: float | None) -> None:
        """Sleep until something may have arrived, or for so long."""
        if not self._own:
            self._give_slots_back(1)
            self._poll.poll(None if seconds is None else max(0, round(seconds * 1000)))

    def stop(self) -> None:
        """Nothing: the coordinator may still want to know how it ended."""

    def is_open(self, worker: int) -> bool:
        """Whether the worker at the other end is there."""
        return self._links[worker].is_open

    def drain(self) -> bool:
        """Whether everything that was sent has left this process."""
        return not any(link.outgoing for link in self._links.values() if link.is_open)

    def close(self) -> None:
        """Close the sockets, and the arenas into which nothing looks any more."""
        for link in self._links.values():
            link.close()

    def _mind(self, link: _Link) -> None:
        """Ask to hear when a socket can be written, only while there is something to write."""
        if not link.is_open:
            if not link.is_forgotten:
                link.is_forgotten = True
                self._poll.unregister(link.socket)
            return
        wanted = select.POLLIN | (select.POLLOUT if link.outgoing else 0)
        if wanted != link.wanted:
            link.wanted = wanted
            self._poll.modify(link.socket, wanted)


class _Link:
    """One socket, with what waits to be written and what was read in part."""

    def __init__(
        self,
        worker: int,
        given: socket.socket,
        arena: Arena | None,
        reader: ReadArena | None,
        *,
        copied: bool,
    ) -> None:
        given.setblocking(False)
        self.worker = worker
        self.socket = given
        self.is_open = True
        self.is_forgotten = False
        self.wanted = select.POLLIN
        self.outgoing: deque[Any] = deque()  # bytes and views of bytes
        self._arena = arena
        self._reader = reader
        self._copied = copied
        self._incoming = bytearray()

    def close(self) -> None:
        """Give back what the operating system holds."""
        self.socket.close()
        if self._reader is not None:
            self._reader.close()

    # Writing.

    def send(self, message: Message) -> None:
        kind, channel, body, buffers = encode(message, _SHARED)
        places, beside = [], []
        for buffer in buffers:
            offset = None if self._arena is None else self._arena.place(buffer)
            crowded = self._copied or (self._arena is not None and self._arena.crowded)
            places.append(_PLACE.pack(-1 if offset is None else offset, buffer.nbytes, crowded))
            if offset is None:
                beside.append(buffer)
        head = _HEAD.pack(kind, channel, len(body), len(buffers), sum(b.nbytes for b in beside))
        self._write([b"".join((head, *places, body)), *beside])

    def give_slots_back(self, least: int) -> bool:
        """Tell the sender which slots are free again; False if they are fewer than `least`."""
        if self._reader is None or not self._reader.owes(least, _SLOT_BYTES):
            return False
        body = array("q", self._reader.take_freed()).tobytes()
        self._write([_HEAD.pack(_FREED, 0, len(body), 0, 0) + body])
        return True

    def _write(self, parts: list[Any]) -> None:
        if not self.outgoing:
            parts = self._try(parts)
        # What has to wait is copied: its element may write there again.
        self.outgoing.extend(part if type(part) is bytes else bytes(part) for part in parts)

    def push(self) -> None:
        """Write what waits, as far as it goes."""
        while self.outgoing and self.is_open:
            some = [self.outgoing.popleft() for _ in range(min(_VECTORS, len(self.outgoing)))]
            left = self._try(some)
            self.outgoing.extendleft(reversed(left))
            if left:
                return

    def _try(self, parts: list[Any]) -> list[Any]:
        """Write; give back what did not go."""
        try:
            sent = self.socket.sendmsg(parts[:_VECTORS])
        except BlockingIOError:
            return parts
        except (BrokenPipeError, ConnectionResetError):
            # Nobody is there any more: the coordinator hears of it.
            self._shut()
            return []
        except OSError as cause:
            raise TransportError(
                f"worker {self.worker} cannot be reached: {cause.strerror or cause}"
            ) from cause
        for number, part in enumerate(parts):
            size = len(part)
            if sent < size:
                return [memoryview(part)[sent:], *parts[number + 1 :]]
            sent -= size
        return []

    # Reading.

    def read(self) -> list[Message]:
        """Take what is there, as whole messages."""
        more = True
        while more:
            try:
                data = self.socket.recv(_READ_BYTES)
            except BlockingIOError:
                break
            except ConnectionResetError:
                data = b""
            if not data:
                self._shut()
            self._incoming += data
            more = len(data) == _READ_BYTES
        return self._cut()

    def _cut(self) -> list[Message]:
        messages: list[Message] = []
        incoming, start = self._incoming, 0
        while len(incoming) - start >= _HEAD.size:
            kind, channel, body_size, count, beside = _HEAD.unpack_from(incoming, start)
            at = start + _HEAD.size
            body_at = at + count * _PLACE.size
            end = body_at + body_size + beside
            if len(incoming) < end:
                break
            with memoryview(incoming) as view:
                body = bytes(view[body_at : body_at + body_size])
                places = [_PLACE.unpack_from(incoming, at + n * _PLACE.size) for n in range(count)]
                buffers, beside_at = [], body_at + body_size
                for offset, size, copy in places:
                    if offset < 0:
                        buffers.append(bytes(view[beside_at : beside_at + size]))
                        beside_at += size
                    else:
                        buffers.append(self._look(offset, size, copy=bool(copy)))
            start = end
            if kind == _FREED:
                self._take_back(body)
                continue
            messages.append(decode(kind, channel, body, buffers))
        if start:
            del incoming[:start]
        return messages

    def _look(self, offset: int, size: int, *, copy: bool) -> Any:  # a buffer
        assert self._reader is not None
        return self._reader.copy(offset, size) if copy else self._reader.view(offset, size)

    def _take_back(self, body: bytes) -> None:
        assert self._arena is not None
        for offset in array("q", body):
            self._arena.release(offset)

    def _shut(self) -> None:
        self.is_open = False
        self.outgoing.clear()
