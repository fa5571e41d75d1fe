"""Where silent workers write their stacks: files that no death of a process leaves behind."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from dataclasses import dataclass
from typing import IO, Final

_MOST_BYTES: Final = 2**20
_OPEN = "/proc/{pid}/fd/{descriptor}"


@dataclass(frozen=True)
class StackPlaces:
    """Where the workers of a run find the files of their stacks.

    Parameters
    ----------
    host : str
        The machine on which the paths are good.
    token : bytes
        What each file begins with: another process may have the number of one
        that has ended.
    paths : tuple of str
        By worker.
    """

    host: str
    token: bytes
    paths: tuple[str, ...]

    def open(self, worker: int) -> IO[bytes] | None:
        """Open the file of a worker to write at its end; None if it cannot be reached."""
        if socket.gethostname() != self.host:
            return None
        try:
            file = open(self.paths[worker], "r+b", buffering=0)  # noqa: SIM115 - the caller closes it
        except OSError:
            return None
        if file.read(len(self.token)) != self.token:
            file.close()
            return None
        return file

    def read(self, worker: int) -> str:
        """Give what a worker has written so far, from any process of the machine."""
        file = self.open(worker)
        if file is None:
            return ""
        with file:
            return (file.read(_MOST_BYTES) or b"").decode("utf-8", "replace")


class StackFiles:
    """The files of the stacks of a run's workers, held by the coordinator.

    On Linux they have no name and are found among the open files of this
    process, so the kernel frees them however it ends; elsewhere they lie in a
    temporary folder.

    Parameters
    ----------
    workers : int
        How many.
    """

    def __init__(self, workers: int) -> None:
        self._descriptors: list[int] = []
        self._folder: str | None = None
        token = f"stack {secrets.token_hex(8)}\n".encode()
        paths = []
        for number in range(workers):
            descriptor, path = self._make(number)
            os.write(descriptor, token)
            self._descriptors.append(descriptor)
            paths.append(path)
        self.places = StackPlaces(socket.gethostname(), token, tuple(paths))

    def _make(self, number: int) -> tuple[int, str]:
        if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
            descriptor = os.memfd_create("flowquake-stack", os.MFD_CLOEXEC)
            return descriptor, _OPEN.format(pid=os.getpid(), descriptor=descriptor)
        self._folder = self._folder or tempfile.mkdtemp(prefix="flowquake-")
        path = os.path.join(self._folder, f"worker-{number}.txt")
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600), path

    def read(self, worker: int) -> str:
        """Give what a worker has written; nothing once the files are closed."""
        if not self._descriptors:
            return ""
        data = os.pread(self._descriptors[worker], _MOST_BYTES, len(self.places.token))
        return data.decode("utf-8", "replace")

    def close(self) -> None:
        """Give the files up."""
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
