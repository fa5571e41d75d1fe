"""Starting ranks under ``mpiexec`` and staying their parent.

Each rank holds a socket to the parent. A rank that ends without a farewell is
lost: the parent says which one, where MPI would only say that something died.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, BinaryIO, Final

from flowquake.errors import FlowquakeError
from flowquake.mappings.mpifound import Launcher
from flowquake.mappings.processes import die_with_parent

PARENT: Final = "FLOWQUAKE_MPI_PARENT"
_RANKS: Final = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID")
_LAUNCHED: Final = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "MPI_LOCALRANKID")
# How MPICH and Open MPI say which signal ended a rank, and what else they print.
_SIGNAL: Final = re.compile(rb"\(signal (\d+)\)|exited on signal (\d+)")
_CODE: Final = re.compile(rb"=\s+EXIT CODE: (\d+)")
_BANNER: Final = re.compile(
    rb"^(=|YOUR APPLICATION TERMINATED|This typically refers|Please see the FAQ|"
    rb"application called MPI_Abort|Abort\(\d+\) on node|In: PMI_Abort|"
    rb"\[[^]]*\] (\d+ more process|\[\[[^]]*\],\d+\] ORTE_ERROR_LOG)|"
    rb"mpirun noticed|mpiexec noticed|prterun noticed|Primary job)"
)
_RULE: Final = re.compile(rb"^-{74}$")
_OF_MPI: Final = re.compile(rb"MPI_ABORT|mpiexec|mpirun|prterun|Primary job|ORTE|PRTE")
_LONGEST_BLOCK: Final = 30  # lines
_FAREWELL_S: Final = 0.5  # for the other ranks to tear down, once one is lost
_LAST_WORDS_S: Final = 3.0  # for mpiexec to say how it ended, and to end itself


@dataclass
class Ending:
    """How the ranks ended.

    Attributes
    ----------
    exit_code : int or None
        What rank 0 gave, or a rank that failed alone; None if none came so far.
    is_incomplete : bool
        Whether rank 0 could not complete the run's record.
    lost : int or None
        The first rank that ended without a farewell.
    how : str
        How it ended.
    said : dict
        What rank 0 told about the run.
    stopped : int
        How often the user asked to stop.
    """

    exit_code: int | None = None
    is_incomplete: bool = False
    lost: int | None = None
    how: str = ""
    said: dict[str, Any] = field(default_factory=dict)
    stopped: int = 0


def rank_in_environment() -> int | None:
    """Give this process's rank, as its launcher says; None without one."""
    if not is_under_mpi():
        return None
    return next((int(os.environ[name]) for name in _RANKS if name in os.environ), None)


def is_under_mpi() -> bool:
    """Whether ``mpiexec`` or a batch system's MPI launcher started this process."""
    return any(mark in os.environ for mark in _LAUNCHED)


def supervise(
    launcher: Launcher, ranks: int, program: Sequence[str], *, log: Callable[[str], None]
) -> Ending:
    """Start a program on several ranks, and wait for their end.

    Parameters
    ----------
    launcher : Launcher
        The ``mpiexec`` to use.
    ranks : int
        How many.
    program : sequence of str
        The command of each rank.
    log : callable
        Takes a line for people, as on a second Ctrl-C.
    """
    with tempfile.TemporaryDirectory(prefix="flowquake-") as folder:
        path = os.path.join(folder, "parent")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            listening.listen(ranks)
            parent = os.getpid()
            process = subprocess.Popen(
                launcher.command(ranks, program),
                env={**os.environ, PARENT: path},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent),
            )
            return _Supervision(process, listening, log).run()


class _Supervision:
    """The parent's side of a run under ``mpiexec``."""

    def __init__(
        self, process: subprocess.Popen[bytes], listening: socket.socket, log: Callable[[str], None]
    ) -> None:
        self.process = process
        self.listening = listening
        self.log = log
        self.ending = Ending()
        self.selector = selectors.DefaultSelector()
        self.ranks: dict[int, socket.socket] = {}
        self.pids: dict[int, int] = {}
        self.banner = b""

    def run(self) -> Ending:
        select = self.selector
        select.register(self.listening, selectors.EVENT_READ, self._greet)
        outputs = (
            (self.process.stdout, sys.stdout.buffer),
            (self.process.stderr, sys.stderr.buffer),
        )
        for source, target in outputs:
            assert source is not None
            pump = _Pump(source, target, self)
            select.register(source, selectors.EVENT_READ, pump.move)
        before = {
            number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)
        }
        over_at: float | None = None  # when it was seen that the run cannot go on
        try:
            while self.process.poll() is None or len(select.get_map()) > 1:
                for key, _ in select.select(0.05):
                    key.data()
                if self.process.poll() is not None and not self._outputs_open():
                    break
                if self.ending.lost is not None or self.ending.exit_code:
                    over_at = over_at or time.monotonic()
                    gone = time.monotonic() - over_at
                    if self.ending.lost is not None and gone > _FAREWELL_S:
                        self._kill_ranks()
                    if gone > _LAST_WORDS_S:
                        self._kill()
        finally:
            self._kill()
            self.process.wait()
            for number, handler in before.items():
                signal.signal(number, handler)
            select.close()
        self._say_how()
        return self.ending

    def _outputs_open(self) -> bool:
        watched = {key.fileobj for key in self.selector.get_map().values()}
        return self.process.stdout in watched or self.process.stderr in watched

    def _greet(self) -> None:
        rank, _ = self.listening.accept()
        self.selector.register(rank, selectors.EVENT_READ, _Ear(rank, self).hear)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.ending.stopped += 1
        if self.ending.stopped == 1 and 0 in self.ranks:
            with contextlib.suppress(OSError):
                self.ranks[0].sendall(b"stop\n")
            return
        self._kill()

    def _kill_ranks(self) -> None:
        for pid in self.pids.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self.pids.clear()

    def _kill(self) -> None:
        """End everything at once, if it has not ended."""
        self._kill_ranks()
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def _say_how(self) -> None:
        ending = self.ending
        found = _SIGNAL.search(self.banner)
        code = _CODE.search(self.banner)
        if found:
            number = int(found[1] or found[2])
            known = number in set(signal.Signals)
            ending.how = f"it was ended by {signal.Signals(number).name if known else number}"
        elif code:
            ending.how = f"it ended with exit code {int(code[1])}"
        else:
            ending.how = "it ended without a word"


class _Ear:
    """Hears one rank."""

    def __init__(self, given: socket.socket, run: _Supervision) -> None:
        self.socket = given
        self.run = run
        self.rank: int | None = None
        self.bye = False
        self.text = b""

    def hear(self) -> None:
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        *lines, self.text = (self.text + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, said: dict[str, Any]) -> None:
        run = self.run
        if "rank" in said:
            rank = self.rank = int(said["rank"])
            run.ranks[rank] = self.socket
            if said["host"] == socket.gethostname():
                run.pids[rank] = said["pid"]
        elif "exit" in said:
            self.bye = True
            ending = run.ending
            if self.rank == 0:
                ending.exit_code = said["exit"]
            elif "alone" in said and ending.lost is None and ending.exit_code is None:
                ending.exit_code = said["exit"]
                ending.is_incomplete = True
        else:
            run.ending.said.update(said)

    def _end(self) -> None:
        run = self.run
        run.selector.unregister(self.socket)
        self.socket.close()
        if self.rank is not None:
            run.ranks.pop(self.rank, None)
            run.pids.pop(self.rank, None)
            if not self.bye and run.ending.lost is None and not run.ending.stopped > 1:
                run.ending.lost = self.rank


class _Pump:
    """Brings what the ranks print to this process's streams, without MPI's banners."""

    def __init__(self, source: Any, target: BinaryIO, run: _Supervision) -> None:
        self.source = source
        self.target = target
        self.run = run
        self.rest = b""
        self.block: list[bytes] = []  # what may be one of Open MPI's messages

    def move(self) -> None:
        data = os.read(self.source.fileno(), 65536)
        if not data:
            self.run.selector.unregister(self.source)
            self._write([self.rest] if self.rest else [])
            self._print(*self.block)
            return
        *lines, self.rest = (self.rest + data).split(b"\n")
        self._write([line + b"\n" for line in lines])

    def _write(self, lines: list[bytes]) -> None:
        for line in lines:
            if self.block or _RULE.match(line):
                self._gather(line)
            elif _BANNER.match(line):
                self.run.banner += line
            else:
                self._print(line)

    def _gather(self, line: bytes) -> None:
        """Put a message of Open MPI together: it stands between two rules."""
        self.block.append(line)
        is_whole = len(self.block) > 1 and _RULE.match(line) is not None
        if is_whole or len(self.block) > _LONGEST_BLOCK:
            whole, self.block = b"".join(self.block), []
            if is_whole and _OF_MPI.search(whole):
                self.run.banner += whole
            else:
                self._print(whole)

    def _print(self, *parts: bytes) -> None:
        with contextlib.suppress(OSError):  # nobody reads any more
            self.target.writelines(parts)
            self.target.flush()


class Lifeline:
    """A rank's socket to the parent of its ``mpiexec``.

    When the parent is gone, so is the rank; when it says "stop", this process
    gets the signal of a Ctrl-C.
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
            if b"stop" in data:
                # The main thread, so that what it sleeps in is interrupted.
                main = threading.main_thread().ident
                assert main is not None
                signal.pthread_kill(main, signal.SIGINT)
        os._exit(4)


@functools.cache
def lifeline() -> Lifeline | None:
    """Take hold of the parent; None if there is none, or it is on another machine."""
    path, rank = os.environ.get(PARENT), rank_in_environment()
    if path is None or rank is None:
        return None
    given = socket.socket(socket.AF_UNIX)
    try:
        given.connect(path)
    except OSError:
        given.close()
        return None
    return Lifeline(given, rank)


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
