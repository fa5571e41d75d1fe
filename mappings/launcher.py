"""The launcher: a small process with one thread, which forks the workers of a run.

Forking a process that has threads is unsafe, and a program that has loaded its
libraries has threads more often than not. The launcher is forked before that
happens, or started afresh; it forks the workers, waits for their ends, and ends
with them. When its parent is gone, so are the launcher and the workers.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from flowquake.errors import FlowquakeError
from flowquake.mappings.processes import (
    die_with_parent,
    is_single_threaded,
    receive_object,
    send_object,
)

if TYPE_CHECKING:
    from flowquake.engine.reporting import Task

INSIDE: Final = "FLOWQUAKE_INSIDE_LAUNCHER"


@dataclass(frozen=True)
class Order:
    """What the launcher is asked to start.

    Parameters
    ----------
    task : bytes
        The pickled `Task`.
    workers : int
        How many.
    spawns : bool
        Whether each worker is a fresh interpreter, rather than a fork.
    preparation : dict
        What `multiprocessing` needs to find the classes of the main module.
    modules : dict of str to str
        Modules by name that are found by their file alone.
    pairs : list of (int, int)
        Workers that talk to each other.
    """

    task: bytes
    workers: int
    spawns: bool = False
    preparation: dict[str, Any] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    pairs: list[tuple[int, int]] = field(default_factory=list)


def talking_pairs(task: Task) -> list[tuple[int, int]]:
    """Name the workers between which the plan has a channel."""
    plan = task.plan
    workers: dict[str, dict[int, int]] = {}
    for unit in plan.units:
        for instance in unit.instances:
            workers.setdefault(instance.element, {})[instance.index] = unit.worker
    pairs = set()
    for channel in plan.channels:
        for a in set(workers[channel.source].values()):
            for b in set(workers[channel.target].values()):
                if a != b:
                    pairs.add((min(a, b), max(a, b)))
    return sorted(pairs)


def fork_launcher(task: Task | None = None) -> tuple[int, socket.socket]:
    """Fork the launcher off this process; give its process id and the socket to it.

    Parameters
    ----------
    task : Task, optional
        What to run, handed over in memory; otherwise it is sent later.
    """
    ours, theirs = socket.socketpair()
    parent, is_main = os.getpid(), threading.current_thread() is threading.main_thread()
    child = os.fork()
    if child:
        theirs.close()
        return child, ours
    ours.close()
    code = 1
    try:
        if is_main:  # the signal comes when the forking thread ends
            die_with_parent(parent)
        _launch(theirs, task)
        code = 0
    finally:
        os._exit(code)


def spawn_launcher() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start the launcher as a fresh interpreter; give its process and the socket to it."""
    ours, theirs = socket.socketpair()
    program = (
        "import sys, json; sys.path[:] = json.loads(sys.argv[2]); "
        "from flowquake.mappings.launcher import main; main(int(sys.argv[1]))"
    )
    process = _start(program, theirs.fileno())
    theirs.close()
    return process, ours


def _start(program: str, *descriptors: int) -> subprocess.Popen[bytes]:
    import json

    from flowquake.threads import VARIABLES

    path = json.dumps([str(Path(entry or ".").resolve()) for entry in sys.path])
    environment = {**dict.fromkeys(VARIABLES, "1"), **os.environ, INSIDE: "1"}
    return subprocess.Popen(
        [sys.executable, "-c", program, str(descriptors[0]), path, *map(str, descriptors[1:])],
        pass_fds=descriptors,
        env=environment,
        stdin=subprocess.DEVNULL,
    )


def main(descriptor: int) -> None:
    """Run the launcher in a fresh interpreter."""
    parent = os.getppid()
    die_with_parent(parent)
    given = socket.socket(fileno=descriptor)
    _launch(given, None)


def _launch(parent: socket.socket, task: Task | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the parent says when to stop
    os.environ[INSIDE] = "1"
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else _pipe()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        if task is None:
            order = _await_order(parent)
            crew = _Crew(order, None if order.spawns else _load(order))
        else:
            crew = _Crew(Order(b"", task.plan.workers, pairs=talking_pairs(task)), task)
    except EOFError:
        return
    except Exception as cause:  # noqa: BLE001 - told to the parent
        said, fix = f"{type(cause).__name__}: {cause}", None
        if isinstance(cause, FlowquakeError):
            said, fix = cause.message, cause.fix
        send_object(parent, ("failed", said, fix))
        return
    crew.start(parent)
    poll = select.poll()
    poll.register(parent, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while crew.pids:
        for descriptor, _ in poll.poll():
            if descriptor == woken:
                with contextlib.suppress(BlockingIOError):
                    os.read(woken, 4096)
        for worker, status in crew.ended():
            with contextlib.suppress(OSError):
                send_object(parent, ("ended", worker, status))
        if _is_gone(parent):
            crew.kill()
            return
    with contextlib.suppress(OSError):
        send_object(parent, ("over",))


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _await_order(parent: socket.socket) -> Order:
    """Wait for the order; meanwhile import what will be needed anyway."""
    while True:
        given = receive_object(parent)
        if isinstance(given, Order):
            return given
        from flowquake.loading import load_workflow

        # The parent imports the same, and says what is wrong with it.
        with contextlib.suppress(Exception):
            import flowquake.engine.reporting
            import flowquake.mappings.sockets  # noqa: F401 - needed by every worker

            load_workflow(given)


def _is_gone(parent: socket.socket) -> bool:
    """Whether the parent closed its end, or asks to end all workers."""
    try:
        return parent.recv(1, socket.MSG_DONTWAIT) in (b"", b"k")
    except BlockingIOError:
        return False
    except OSError:
        return True


def _load(order: Order) -> Task:
    """Find the classes of the task, and read it."""
    if order.preparation:
        from multiprocessing import spawn

        spawn.prepare(order.preparation)
    for name, file in order.modules.items():
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(name, file)
            if spec is not None and spec.loader is not None:
                sys.path.insert(0, str(Path(file).parent))
                sys.modules[name] = module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
    task: Task = pickle.loads(order.task)  # noqa: S301 - our parent wrote it
    return task


class _Crew:
    """The workers, from the launcher's side."""

    def __init__(self, order: Order, task: Task | None) -> None:
        self.order = order
        self.task = task
        self.pids: dict[int, int] = {}
        # Libraries of the workflow may have started threads here.
        self._spawns = order.spawns or (sys.platform == "linux" and not is_single_threaded())

    def start(self, parent: socket.socket) -> None:
        """Fork or spawn the workers, and give the parent its ends."""
        from flowquake.mappings.arena import ARENA_BYTES, make_file

        count = self.order.workers
        control = [socket.socketpair() for _ in range(count)]
        between = {pair: socket.socketpair() for pair in self.order.pairs}
        arenas = [make_file(ARENA_BYTES) for _ in range(count)]
        gc.freeze()
        send_object(parent, ("workers", count))
        for number in range(count):
            ends = {
                (b if a == number else a): pair[a != number]
                for (a, b), pair in between.items()
                if number in (a, b)
            }
            ends[count] = control[number][1]
            others = [end for pair in (*control, *between.values()) for end in pair]
            private = [end for end in (parent, *others) if end not in ends.values()]
            self._start_one(number, ends, arenas, private)
            socket.send_fds(parent, [b"w"], [control[number][0].fileno(), arenas[number]])
        for pair in (*control, *between.values()):
            pair[0].close()
            pair[1].close()
        for arena in arenas:
            os.close(arena)
        send_object(parent, ("started", dict(self.pids), self._spawns))

    def _start_one(
        self,
        number: int,
        ends: Mapping[int, socket.socket],
        arenas: list[int],
        private: list[socket.socket],
    ) -> None:
        if self._spawns:
            self.pids[number] = self._spawn_one(number, ends, arenas)
            return
        assert self.task is not None
        task, parent = self.task, os.getpid()
        child = os.fork()
        if child:
            self.pids[number] = child
            return
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            die_with_parent(parent)
            for end in private:
                end.close()
            with open(os.devnull) as nothing:
                os.dup2(nothing.fileno(), 0)
            _work(task, number, ends, arenas)
            code = 0
        finally:
            _leave(code)

    def _spawn_one(self, number: int, ends: Mapping[int, socket.socket], arenas: list[int]) -> int:
        ours, theirs = socket.socketpair()
        program = (
            "import sys, json; sys.path[:] = json.loads(sys.argv[2]); "
            "from flowquake.mappings.launcher import spawned; spawned(int(sys.argv[1]))"
        )
        descriptors = [end.fileno() for end in ends.values()]
        process = _start(program, theirs.fileno(), *descriptors, *arenas)
        theirs.close()
        sockets = dict(zip(ends, descriptors, strict=True))
        send_object(ours, (self.order, number, sockets, arenas))
        ours.close()
        _popened.append(process)  # so that nobody else waits for it
        return process.pid

    def ended(self) -> list[tuple[int, int]]:
        """Give (worker, wait status) of those that have ended since."""
        found = []
        for worker, pid in list(self.pids.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                del self.pids[worker]
                found.append((worker, status))
        return found

    def kill(self) -> None:
        """End all workers at once."""
        for pid in self.pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in self.pids.values():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


_popened: list[subprocess.Popen[bytes]] = []


def spawned(descriptor: int) -> NoReturn:
    """Run one worker in a fresh interpreter."""
    die_with_parent(os.getppid())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    code = 1
    try:
        with socket.socket(fileno=descriptor) as given:
            order, worker, descriptors, arenas = receive_object(given)
        ends = {other: socket.socket(fileno=fd) for other, fd in descriptors.items()}
        _work(_load(order), worker, ends, arenas)
        code = 0
    finally:
        _leave(code)


def _work(task: Task, number: int, ends: Mapping[int, socket.socket], arenas: list[int]) -> None:
    from flowquake.engine.channels import Note
    from flowquake.engine.reporting import serve
    from flowquake.mappings.arena import Arena, ReadArena
    from flowquake.mappings.sockets import SocketTransport

    count = task.plan.workers
    readers = {other: ReadArena(arenas[other]) for other in ends if other != count}
    arena = Arena(arenas[number])
    for descriptor in arenas:
        os.close(descriptor)
    transport = SocketTransport(number, ends, arena, readers, keepers={count})
    for _ in serve(task, number, transport):
        pass
    # Until the coordinator has heard everything: others may still send slots back.
    while transport.is_open(count):
        if any(m == Note("bye") for _, m in transport.receive()) and transport.drain():
            break
        transport.wait(0.5)


def _leave(code: int) -> NoReturn:
    if code:
        import traceback

        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # a closed stream has nothing to lose
            stream.flush()
    os._exit(code)
