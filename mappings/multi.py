"""The multiprocessing mapping: workers are processes of this machine."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from flowquake.errors import ConfigError, FlowquakeError, TransportError
from flowquake.mappings.endings import how_it_ended
from flowquake.mappings.launcher import (
    INSIDE,
    Order,
    fork_launcher,
    spawn_launcher,
    talking_pairs,
)
from flowquake.mappings.processes import is_single_threaded, receive_object, send_object

if TYPE_CHECKING:
    from flowquake.engine.coordinator import Coordinator
    from flowquake.engine.job import Job
    from flowquake.engine.reporting import Task
    from flowquake.engine.stacks import StackPlaces
    from flowquake.mappings.sockets import SocketTransport
    from flowquake.planning import Plan

log = logging.getLogger(__name__)

GRACE_S: Final = 0.4  # for workers to tear down, once a run has failed
_LOOK_EVERY_S: Final = 0.05
Start = Literal["auto", "fork", "spawn"]


class Multi:
    """Run the workers of a plan as processes.

    Parameters
    ----------
    start : {"auto", "fork", "spawn"}
        How workers start. ``"auto"`` forks on Linux from a process with one
        thread, and spawns elsewhere: fresh interpreters, which have to import
        the workflow's classes by name.
    channel_items, channel_bytes : int, optional
        Bounds of each channel.

    Attributes
    ----------
    spawned : bool
        Whether the workers of the last run came from a fresh interpreter.
    """

    name = "multi"
    spawned = False

    def __init__(
        self,
        *,
        start: Start = "auto",
        channel_items: int | None = None,
        channel_bytes: int | None = None,
    ) -> None:
        if start not in ("auto", "fork", "spawn"):
            raise ConfigError(f"start={start!r} is not known", fix="use auto, fork or spawn")
        self.start = start
        self._bounds = channel_items, channel_bytes
        self._prepared: _Launcher | None = None

    def prepare(self, reference: str | None = None) -> None:
        """Fork the launcher now, before libraries are loaded; the next run uses it.

        Parameters
        ----------
        reference : str, optional
            A workflow that it imports while this process does.
        """
        if self.start == "spawn" or not is_single_threaded():
            return
        self._prepared = _Launcher(*fork_launcher())
        if reference is not None:
            self._prepared.send(reference)

    def workers(self, asked: int | None) -> int:
        """Give as many as asked for, or one for each core."""
        return asked or cores()

    def execute(self, job: Job, plan: Plan) -> Iterator[None]:
        """Run to the end; yields whenever results may be there.

        Raises
        ------
        ConfigError
            If the workflow cannot be brought to other processes.
        TransportError
            If a worker is lost.
        FlowquakeError
            What a worker raised.
        """
        from flowquake.engine.coordinator import Coordinator
        from flowquake.engine.stacks import StackFiles

        if INSIDE in os.environ:
            raise ConfigError(
                "a worker cannot start workers of its own",
                fix="run what starts the workflow under `if __name__ == '__main__':`",
            )
        with contextlib.closing(StackFiles(plan.workers)) as stacks:
            task = self._task(job, plan, stacks.places)
            launcher = self._launch(task)
            try:
                transport = launcher.start()
                self.spawned = launcher.spawned
                if self.spawned and self.start == "auto" and sys.platform == "linux":
                    log.info("workers are spawned: this process has more than one thread")
                coordinator = Coordinator(job, plan, transport.send, stacks=stacks)
                try:
                    yield from _hear(launcher, transport, coordinator)
                finally:
                    _dismiss(launcher, transport, coordinator)
            finally:
                launcher.close()
        coordinator.result()
        yield

    def _task(self, job: Job, plan: Plan, stacks: StackPlaces) -> Task:
        from flowquake.engine.channels import CHANNEL_BYTES, CHANNEL_ITEMS
        from flowquake.engine.reporting import Task

        return Task(
            workflow=job.workflow,
            plan=plan,
            seed=job.seed,
            on_error=job.on_error,
            out=None if job.out is None else job.out.resolve(),
            clock=job.clock,
            collected=tuple(job.collectors),
            stall_timeout=job.stall_timeout,
            stacks=stacks,
            channel_items=self._bounds[0] or CHANNEL_ITEMS,
            channel_bytes=self._bounds[1] or CHANNEL_BYTES,
        )

    def _launch(self, task: Task) -> _Launcher:
        prepared, self._prepared = self._prepared, None
        may_fork = is_single_threaded()
        if prepared is None and self.start != "spawn" and may_fork:
            return _Launcher(*fork_launcher(task))
        if prepared is None and self.start == "fork":
            raise ConfigError(
                "this process has more than one thread, so it cannot be forked safely",
                fix="Multi(start='spawn'), or set OPENBLAS_NUM_THREADS=1 before numpy is imported",
            )
        launcher = prepared or _Launcher(*spawn_launcher())
        launcher.send(_order(task, spawns=self.start == "spawn" or sys.platform != "linux"))
        return launcher


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _order(task: Task, *, spawns: bool) -> Order:
    try:
        data = pickle.dumps(task, 5)
    except Exception as cause:
        raise _unsendable_workflow(task, cause) from cause
    preparation: dict[str, Any] = {}
    if b"__main__" in data:
        _check_main(task)
        from multiprocessing import spawn

        preparation = spawn.get_preparation_data("flowquake")
        preparation.pop("authkey", None)  # it may not leave this process
    modules = {
        name: str(Path(file).resolve())
        for name, module in sys.modules.items()
        if name.startswith("flowquake_workflow_") and (file := getattr(module, "__file__", None))
    }
    return Order(data, task.plan.workers, spawns, preparation, modules, talking_pairs(task))


def _check_main(task: Task) -> None:
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)  # "<stdin>" under `python -`
    if getattr(main, "__spec__", None) or (file is not None and os.path.isfile(file)):
        return
    for name, part in task.workflow.elements.items():
        if type(part).__module__ == "__main__":
            raise ConfigError(
                f"PE '{name}': its class {type(part).__name__} was made in this session, where "
                "worker processes cannot find it",
                fix="write the class to a file, steps.py (in a notebook: %%writefile steps.py), "
                f"and `from steps import {type(part).__name__}`; or use mapping='sequential'",
            )


def _unsendable_workflow(task: Task, cause: Exception) -> ConfigError:
    for name, part in task.workflow.elements.items():
        try:
            pickle.dumps(part, 5)
        except Exception as own:  # noqa: BLE001 - a user's class may raise anything
            return ConfigError(
                f"PE '{name}' ({type(part).__qualname__}) cannot be brought to worker "
                f"processes.\n  Cause: {type(own).__name__}: {own}",
                fix="define its class at the top of a module, and open handles in setup()",
            )
    return ConfigError(
        f"the run cannot be brought to worker processes.\n  Cause: {type(cause).__name__}: {cause}"
    )


def _hear(
    launcher: _Launcher, transport: SocketTransport, coordinator: Coordinator
) -> Iterator[None]:
    deadline: float | None = None
    while not coordinator.finished:
        ended = launcher.ended()  # before what they said is read, so that all of it is
        for worker, message in transport.receive():
            coordinator.take(worker, message)
        if launcher.is_lost and not coordinator.failures:
            coordinator.fail(_launcher_lost())
        for worker, status in ended:
            last = time.monotonic() + 0.2
            while transport.is_open(worker) and time.monotonic() < last:
                for other, message in transport.receive():
                    coordinator.take(other, message)
            coordinator.lost(worker, how_it_ended(status))
        yield from coordinator.turn()
        if coordinator.failures:
            deadline = deadline or time.monotonic() + GRACE_S
            if time.monotonic() > deadline:
                launcher.kill()
        yield
        if not coordinator.finished:
            transport.wait(_LOOK_EVERY_S)


def _dismiss(launcher: _Launcher, transport: SocketTransport, coordinator: Coordinator) -> None:
    """Let the workers go; those that do not go are ended."""
    from flowquake.engine.channels import Note

    coordinator.tell(Note("abort"))
    for worker in range(launcher.workers):
        transport.send(worker, Note("bye"))
    deadline = time.monotonic() + GRACE_S
    while not launcher.is_over and time.monotonic() < deadline:
        for worker, message in transport.receive():
            coordinator.take(worker, message)
        launcher.ended()
        launcher.wait(0.01)
    transport.close()


class _Launcher:
    """The end of the launcher that this process holds."""

    def __init__(self, process: int | subprocess.Popen[bytes], given: socket.socket) -> None:
        self._process = process
        self._socket = given
        self._poll = select.poll()
        self._poll.register(given, select.POLLIN)
        self.workers = 0
        self.pids: dict[int, int] = {}
        self.spawned = False
        self.is_over = False
        self.is_lost = False

    def send(self, content: object) -> None:
        """Send it an order, or the name of a workflow that it may import already."""
        try:
            send_object(self._socket, content)
        except OSError as cause:
            raise _launcher_lost() from cause

    def start(self) -> SocketTransport:
        """Wait until the workers are there; give the transport that reaches them."""
        from flowquake.mappings.arena import ReadArena
        from flowquake.mappings.sockets import SocketTransport

        sockets: dict[int, socket.socket] = {}
        readers: dict[int, ReadArena] = {}
        try:
            self.workers = self._told("workers")[0]
            for number in range(self.workers):
                _, descriptors, _, _ = socket.recv_fds(self._socket, 1, 2)
                control, arena = descriptors
                sockets[number] = socket.socket(fileno=control)
                readers[number] = ReadArena(arena)
                os.close(arena)
            self.pids, spawned = self._told("started")
            # Workers that a fresh interpreter forks are as fresh as it is.
            self.spawned = spawned or isinstance(self._process, subprocess.Popen)
        except (EOFError, OSError, ValueError) as cause:
            raise _launcher_lost() from cause
        return SocketTransport(self.workers, sockets, None, readers)

    def _told(self, kind: str) -> tuple[Any, ...]:
        given: tuple[Any, ...] = receive_object(self._socket)
        if given[0] == "failed":
            raise ConfigError(
                f"the workflow cannot be read by the workers.\n  Cause: {given[1]}",
                fix=given[2] or "its classes must be importable by name in a fresh Python",
            )
        assert given[0] == kind, given
        return given[1:]

    def ended(self) -> list[tuple[int, int]]:
        """Give (worker, wait status) of those that have ended since."""
        found = []
        while not self.is_over and self._poll.poll(0):
            try:
                kind, *content = receive_object(self._socket)
            except (EOFError, OSError):
                kind, content = "over", []
            if kind == "ended":
                worker, status = content
                self.pids.pop(worker, None)
                found.append((worker, status))
                continue
            self.is_over = True
            # It never ends before its workers, unless it was ended itself.
            self.is_lost = bool(self.pids)
            found += [(worker, signal.SIGKILL) for worker in self.pids]
            self.pids.clear()
        return found

    def wait(self, seconds: float) -> None:
        """Sleep until it says something, or for so long."""
        self._poll.poll(round(1000 * seconds))

    def kill(self) -> None:
        """End all workers at once."""
        with contextlib.suppress(OSError):
            self._socket.send(b"k")

    def close(self) -> None:
        """End what is left, and wait for the launcher's end."""
        self.kill()
        self._socket.close()
        if isinstance(self._process, subprocess.Popen):
            self._process.wait()
        else:
            with contextlib.suppress(ChildProcessError):  # somebody waits for all children
                os.waitpid(self._process, 0)


def _launcher_lost() -> FlowquakeError:
    return TransportError(
        "the process that starts the workers is lost, and the workers with it",
        fix="run it again; see its output above",
    )
