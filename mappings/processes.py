"""Processes of this machine: what they can know of each other, and tell."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import struct
import sys
from typing import Any, Final

_SIZE: Final = struct.Struct("<Q")
_PR_SET_PDEATHSIG: Final = 1


def is_single_threaded() -> bool:
    """Whether this process has no thread but its first, also none of a library's."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def send_object(given: socket.socket, content: object) -> None:
    """Send one object over a blocking socket."""
    data = pickle.dumps(content, 5)
    given.sendall(_SIZE.pack(len(data)) + data)


def receive_object(given: socket.socket) -> Any:  # what was sent
    """Receive one object; EOFError when the other end is gone."""
    (size,) = _SIZE.unpack(_exactly(given, _SIZE.size))
    return pickle.loads(_exactly(given, size))  # noqa: S301 - our parent or child wrote it


def _exactly(given: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        data = given.recv(min(size - len(parts), 2**20))
        if not data:
            raise EOFError
        parts += data
    return bytes(parts)


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends (Linux)."""
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we could ask
        os._exit(1)
