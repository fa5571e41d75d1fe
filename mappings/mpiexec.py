"""Starting ranks under ``mpiexec`` and staying their parent.

Each rank holds a socket to the parent. A rank that ends without a farewell is
lost: the parent says which one, where MPI would only say that something died.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, BinaryIO, Final

from flowquake.engine.stacks import StackPlaces
from flowquake.mappings.endings import Ending, how_it_ended, read_banner
from flowquake.mappings.mpifound import Launcher
from flowquake.mappings.processes import die_with_parent
from flowquake.mappings.rank import PARENT, as_bound, remove_segments, segments
from flowquake.stopping import stop_signals

# What MPICH and Open MPI print when a rank has ended.
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
_ENDED_S: Final = 2.0  # for the other ranks to follow rank 0
_LOOK_EVERY_S: Final = 0.25
_PEER: Final = struct.Struct("3i")  # process, user, group


def supervise(
    launcher: Launcher,
    ranks: int,
    program: Sequence[str],
    *,
    silent: Callable[[Ending, str], None] = lambda ending, stack: None,
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
    silent : callable, optional
        Hears of a rank 0 that is alive but silent, with its stack: as it is
        the coordinator as well, nobody else can say so.
    """
    with _address() as path, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(as_bound(path))
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
        return _Supervision(process, listening, silent).run()


@contextlib.contextmanager
def _address() -> Iterator[str]:
    """Give an address for a socket; on Linux one that leaves no file behind."""
    if sys.platform != "linux":
        with tempfile.TemporaryDirectory(prefix="flowquake-") as folder:
            yield os.path.join(folder, "parent")
        return
    yield f"@flowquake-{secrets.token_hex(16)}"


def _is_our_user(given: socket.socket) -> bool:
    """Whether the process at the other end is this user's: a name without a file has no mode."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = given.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return bool(_PEER.unpack(credentials)[1] == os.geteuid())


class _Supervision:
    """The parent's side of a run under ``mpiexec``."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        listening: socket.socket,
        silent: Callable[[Ending, str], None],
    ) -> None:
        self.process = process
        self.listening = listening
        self.silent: Callable[[Ending, str], None] | None = silent
        self.ending = Ending()
        self.selector = selectors.DefaultSelector()
        self.ranks: dict[int, socket.socket] = {}
        self.pids: dict[int, int] = {}
        self.banner = b""
        self.killed = False
        self.is_known = False  # that a rank is lost, since an earlier look
        self.segments: set[str] = set()

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
        before = {number: signal.signal(number, self._stop) for number in stop_signals()}
        over_at: float | None = None  # when it was seen that the run cannot go on
        ended_at: float | None = None
        due = 0.0
        try:
            while self.process.poll() is None or len(select.get_map()) > 1:
                for key, _ in select.select(0.05):
                    key.data()
                self.is_known = bool(self.ending.lost)
                if self.process.poll() is not None and not self._outputs_open():
                    break
                if self.ending.lost or self.ending.exit_code:
                    over_at = over_at or time.monotonic()
                    gone = time.monotonic() - over_at
                    if self.ending.lost and gone > _FAREWELL_S:
                        self._kill_ranks()
                    if gone > _LAST_WORDS_S:
                        self._kill()
                if self.ending.exit_code is not None:
                    ended_at = ended_at or time.monotonic()
                    patience = _FAREWELL_S if self.ending.stopped else _ENDED_S
                    if time.monotonic() - ended_at > patience:
                        self._kill()
                if time.monotonic() > due:
                    due = time.monotonic() + _LOOK_EVERY_S
                    self._watch()
        finally:
            self._kill()
            self.ending.returned = self.process.wait()
            for number, handler in before.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)
            select.close()
            remove_segments(self.segments.union(self.ending.said.get("segments", ())))
        if not self.ending.how:
            read_banner(self.ending, self.banner, killed=self.killed)
        return self.ending

    def _outputs_open(self) -> bool:
        watched = {key.fileobj for key in self.selector.get_map().values()}
        return self.process.stdout in watched or self.process.stderr in watched

    def _greet(self) -> None:
        rank, _ = self.listening.accept()
        if not _is_our_user(rank):
            rank.close()
            return
        self.selector.register(rank, selectors.EVENT_READ, _Ear(rank, self).hear)

    def _watch(self) -> None:
        """See whether rank 0 has become silent: the first time, it is said."""
        stacks = self.ending.said.get("stacks")
        if stacks is None or self.silent is None:
            return
        places = StackPlaces(stacks["host"], bytes.fromhex(stacks["token"]), (stacks["path"],))
        if stack := places.read(0):
            self.silent(self.ending, stack)
            self.silent = None

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.ending.stopped += 1
        if self.ending.stopped == 1 and 0 in self.ranks:
            with contextlib.suppress(OSError):
                self.ranks[0].sendall(b"stop\n")
            return
        self._kill()

    def let_go(self) -> None:
        """Ask all ranks to end, and their watchers."""
        for rank in self.ranks.values():
            with contextlib.suppress(OSError):
                rank.sendall(b"leave\n")

    def _kill_ranks(self) -> None:
        for pid in self.pids.values():
            self.segments.update(segments(pid))  # one that is starting has not let go of the name
        for pid in self.pids.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self.pids.clear()

    def _kill(self) -> None:
        """End everything at once, if it has not ended."""
        self.killed |= self.process.poll() is None
        self._kill_ranks()
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


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
            elif "alone" in said and not ending.lost and ending.exit_code is None:
                ending.exit_code = said["exit"]
                ending.is_incomplete = True
        elif "ended" in said:
            self._ended(said["ended"])
        else:
            run.ending.said.update(said)

    def _ended(self, status: int) -> None:
        """Hear from the rank's own watcher how it ended."""
        run = self.run
        pid = run.pids.pop(self.rank, None) if self.rank is not None else None
        if not status:
            self.bye = True  # it left when it was asked to
        elif self.bye or self.rank is None:
            with contextlib.suppress(OSError):
                self.socket.sendall(b"leave\n")
        elif not run.ending.lost and not run.ending.stopped > 1:
            run.ending.lost = {self.rank: pid}
            run.ending.how = how_it_ended(status)
            run.is_known = True
            run.let_go()

    def _end(self) -> None:
        run = self.run
        run.selector.unregister(self.socket)
        self.socket.close()
        if self.rank is not None:
            run.ranks.pop(self.rank, None)
            pid = run.pids.pop(self.rank, None)
            if not self.bye and not run.is_known and not run.ending.stopped > 1:
                run.ending.lost[self.rank] = pid


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
