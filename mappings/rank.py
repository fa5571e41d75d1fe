"""A rank's side of a run under ``mpiexec``: what it is, and its socket to the parent."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from flowquake.errors import FlowquakeError
from flowquake.mappings.processes import die_with_parent, is_single_threaded

PARENT: Final = "FLOWQUAKE_MPI_PARENT"
_RANKS: Final = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID")
_LAUNCHED: Final = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MPI_LOCALRANKID")
_HEARD_S: Final = 2.0  # for the parent to hear how a rank ended
_SEGMENT: Final = re.compile(r"/dev/shm/(mpich_shm|mpich_shar_tmp|vader_segment|sm_segment)[\w.-]*")


def rank_in_environment() -> int | None:
    """Give this process's rank, as its launcher says; None without one."""
    if not is_under_mpi():
        return None
    return next((int(os.environ[name]) for name in _RANKS if name in os.environ), None)


def is_under_mpi() -> bool:
    """Whether ``mpiexec`` or a batch system's MPI launcher started this process."""
    return any(mark in os.environ for mark in _LAUNCHED)


def as_bound(path: str) -> str:
    """Give an address as the system knows it: with "@" it is no file, but a name in memory."""
    return f"\0{path[1:]}" if path.startswith("@") else path


def segments(process: int | str = "self") -> list[str]:
    """Name the shared memory of the MPI library that a process holds and that has a name."""
    try:
        lines = Path(f"/proc/{process}/maps").read_text().splitlines()
    except OSError:
        return []
    paths = {fields[5] for line in lines if len(fields := line.split(None, 5)) > 5}
    return sorted(p for p in paths if _SEGMENT.fullmatch(p))


def remove_segments(paths: Iterable[str]) -> None:
    """Take the names of shared memory away; who holds it goes on using it.

    MPICH removes the names when it ends in good order only, and would leave
    the memory behind when a rank is killed.
    """
    for path in paths:
        with contextlib.suppress(OSError):
            if _SEGMENT.fullmatch(path):
                os.unlink(path)


class Lifeline:
    """A rank's socket to the parent of its ``mpiexec``.

    When the parent is gone, so is the rank, and when it says "leave"; when it
    says "stop", this process gets the signal of a Ctrl-C.
    """

    def __init__(self, given: socket.socket, rank: int) -> None:
        self._socket = given
        self.tell(rank=rank, pid=os.getpid(), host=socket.gethostname())
        threading.Thread(target=self._listen, name="flowquake lifeline", daemon=True).start()

    def tell(self, **said: object) -> None:
        """Tell the parent something."""
        with contextlib.suppress(OSError):  # it is gone: `_listen` ends this process
            self._socket.sendall(json.dumps(said).encode() + b"\n")

    def _listen(self) -> None:
        while data := self._socket.recv(64):
            if b"leave" in data:
                os._exit(0)
            if b"stop" in data:
                # The main thread, so that what it sleeps in is interrupted.
                main = threading.main_thread().ident
                assert main is not None
                signal.pthread_kill(main, signal.SIGINT)
        remove_segments(segments())  # while MPI starts they still have a name
        os._exit(4)


@functools.cache
def lifeline() -> Lifeline | None:
    """Take hold of the parent; None if there is none, or it is on another machine."""
    path, rank = os.environ.get(PARENT), rank_in_environment()
    if path is None or rank is None:
        return None
    given = socket.socket(socket.AF_UNIX)
    try:
        given.connect(as_bound(path))
    except OSError:
        given.close()
        return None
    _watched(given)
    return Lifeline(given, rank)


def _watched(given: socket.socket) -> None:
    """Go on in a child; this process waits for its end, and tells the parent how it was.

    ``mpiexec`` would end the other ranks so soon that nobody could tell which
    one was lost first, and how; it hears of an end only from this process.
    """
    if not (sys.platform == "linux" and is_single_threaded()):
        return
    waiting = os.getpid()
    child = os.fork()
    if child == 0:
        die_with_parent(waiting)
        return
    code = 4
    try:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the child decides
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        given.settimeout(_HEARD_S)
        given.sendall(json.dumps({"ended": status}).encode() + b"\n")
        while status and b"leave" not in (data := given.recv(64)) and data:
            pass
    finally:
        os._exit(code if code >= 0 else 128 - code)


def farewell(exit_code: int, last_words: str = "") -> int:
    """Tell the parent how this rank ends; give the exit code that its launcher may see.

    ``mpiexec`` ends all ranks as soon as one of them does not end with 0. A
    rank that fails while others wait for it ends them all.

    Parameters
    ----------
    exit_code : int
        Of this process.
    last_words : str, optional
        What to print if it fails alone, and rank 0 has nothing to say of it.
    """
    held, rank = lifeline(), rank_in_environment()
    if held is not None and (exit_code == 0 or rank == 0):
        held.tell(exit=exit_code)
    if exit_code and rank is not None and not _all_part():
        if rank and last_words:
            sys.stderr.write(f"On rank {rank}: {last_words}\n")
            sys.stderr.flush()
        if held is not None:
            held.tell(exit=exit_code, alone=True)
        sys.modules["flowquake.mappings.mpi"].communicator().Abort(exit_code)
    if held is None:  # a launcher would end rank 0 in the middle of its words
        return 0 if rank else exit_code
    held.tell(exit=exit_code)
    return 0 if "mpi4py.MPI" in sys.modules else exit_code


def _all_part() -> bool:
    """Whether all ranks come to their end about now; begins MPI, where others wait, if need be."""
    from flowquake.mappings.mpi import communicator, part

    try:
        communicator()
    except FlowquakeError:  # there is no MPI for any of them
        return True
    return part()
