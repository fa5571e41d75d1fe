"""Memory that workers of one machine share: the sender writes, the receivers read.

An arena is an anonymous file in memory, so the kernel frees it when the last
process that holds it is gone, however it went.
"""

from __future__ import annotations

import bisect
import contextlib
import mmap
import os
import tempfile
import weakref
from typing import Any, Final

import numpy as np
import numpy.typing as npt

ARENA_BYTES: Final = 160 * 2**20  # of which only what was used takes memory
_ALIGN: Final = 64


def make_file(nbytes: int) -> int:
    """Make the file of an arena, without a name; give its descriptor."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("flowquake", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, nbytes)
    return descriptor


class Arena:
    """The sender's side: places buffers, first fit, and takes slots back.

    Parameters
    ----------
    descriptor : int
        Of a file that `make_file` made.
    """

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, 0)
        self._view = memoryview(self._map)
        self._size = len(self._map)
        self._free = [(0, self._size)]  # (offset, size), by offset, never touching
        self._used: dict[int, int] = {}
        self._taken = 0

    @property
    def crowded(self) -> bool:
        """Whether receivers should copy what they get and give the slot back at once."""
        return 2 * self._taken > self._size

    def place(self, raw: memoryview) -> int | None:
        """Copy a buffer in; give its offset, or None if there is no room."""
        size = -(-raw.nbytes // _ALIGN) * _ALIGN
        for number, (offset, free) in enumerate(self._free):
            if free < size:
                continue
            if free == size:
                del self._free[number]
            else:
                self._free[number] = offset + size, free - size
            self._used[offset] = size
            self._taken += size
            self._view[offset : offset + raw.nbytes] = raw
            return offset
        return None

    def release(self, offset: int) -> None:
        """Take a slot back."""
        size = self._used.pop(offset)
        self._taken -= size
        place = bisect.bisect(self._free, (offset, 0))
        if place < len(self._free) and self._free[place][0] == offset + size:
            size += self._free.pop(place)[1]
        if place and sum(self._free[place - 1]) == offset:
            before, length = self._free[place - 1]
            self._free[place - 1] = before, length + size
        else:
            self._free.insert(place, (offset, size))

    def close(self) -> None:
        """Give the memory back."""
        self._view.release()
        self._map.close()


class ReadArena:
    """The receiver's side: read-only views that give their slot back when the last one dies.

    Parameters
    ----------
    descriptor : int
        Of the sender's file.
    """

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
        self._freed: list[int] = []
        self._freed_bytes = 0
        self._watched: dict[int, weakref.ref[npt.NDArray[np.uint8]]] = {}

    def view(self, offset: int, size: int) -> npt.NDArray[np.uint8]:
        """Look at a slot; it is freed when nothing looks into it any more."""
        slot = np.frombuffer(self._map, np.uint8, size, offset)
        watched = self._watched

        def free(_: Any) -> None:  # a dead reference
            watched.pop(offset, None)
            self._free(offset, size)

        watched[offset] = weakref.ref(slot, free)
        return slot

    def copy(self, offset: int, size: int) -> bytes:
        """Copy a slot out; it is freed at once."""
        self._free(offset, size)
        return self._map[offset : offset + size]

    def _free(self, offset: int, size: int) -> None:
        self._freed.append(offset)
        self._freed_bytes += size

    def owes(self, slots: int, nbytes: int) -> bool:
        """Whether so many slots, or slots of so many bytes, are to be given back."""
        return len(self._freed) >= slots or self._freed_bytes >= nbytes

    def take_freed(self) -> list[int]:
        """Take the slots that are free again."""
        freed, self._freed, self._freed_bytes = self._freed, [], 0
        return freed

    def close(self) -> None:
        """Give the memory back, unless something still looks into it."""
        with contextlib.suppress(BufferError):
            self._map.close()
