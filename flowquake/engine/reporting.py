"""A worker's side of the run: what it tells the coordinator, and what it hears."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import logging.handlers
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowquake.clock import Clock, ManualClock
from flowquake.engine.channels import Note, Transport
from flowquake.engine.job import Job, Load, OnError, PECounts
from flowquake.engine.placing import Place, placing
from flowquake.engine.sampling import Sampler
from flowquake.engine.worker import Worker
from flowquake.errors import FlowquakeError, PEError
from flowquake.planning import Plan
from flowquake.workflow import Workflow

BEAT_EVERY_S = 0.2
ARM_EVERY_S = 1.0
PATIENCE_S = 0.5  # how long an idle worker sleeps at most


@dataclass(frozen=True)
class Task:
    """What a worker needs to know, wherever it runs.

    Parameters
    ----------
    workflow : Workflow
        What is run.
    plan : Plan
        How it is laid out.
    seed : int
        Of every random generator.
    on_error : OnError
        What happens when a handler raises.
    out : Path or None
        The run's directory.
    clock : Clock
        The run's clock.
    collected : tuple of (str, str)
        The outputs (element, port) whose items the coordinator wants.
    stall_timeout : float
        After how many silent seconds a worker's stack is written; 0 for never.
    stacks : Path or None
        Where to: a folder.
    channel_items, channel_bytes : int
        Bounds of each channel.
    """

    workflow: Workflow
    plan: Plan
    seed: int
    on_error: OnError
    out: Path | None
    clock: Clock
    collected: tuple[tuple[str, str], ...]
    stall_timeout: float
    stacks: Path | None
    channel_items: int
    channel_bytes: int


@dataclass
class Beat:
    """How far a worker is."""

    counts: dict[str, PECounts]
    unconnected: dict[str, int]
    fractions: dict[str, tuple[float, float]]
    loads: dict[str, Load]


@dataclass
class Failure:
    """Why a worker gave up.

    Attributes
    ----------
    error : FlowquakeError
        Its error, without the causes that pickle may not know.
    frames : list of FrameSummary
        Of the user's own exception.
    text : str
        The whole traceback.
    """

    error: FlowquakeError
    frames: list[traceback.FrameSummary] = field(default_factory=list)
    text: str = ""


class WorkerJob(Job):
    """The job as one worker sees it: what it cannot do itself it tells the coordinator.

    Parameters
    ----------
    task : Task
        What is run.
    tell : callable
        Takes a note to the coordinator.
    """

    def __init__(self, task: Task, tell: Callable[[Note], None]) -> None:
        super().__init__(
            task.workflow,
            seed=task.seed,
            on_error=task.on_error,
            out=task.out,
            clock=task.clock,
            stall_timeout=task.stall_timeout,
        )
        self.task = task
        self.tell = tell
        self.heartbeat: Callable[[], None] = lambda: None
        self._beaten = 0.0

    def collected_places(self) -> list[tuple[str, str]]:
        """Name the outputs whose items go to the coordinator."""
        return list(self.task.collected)

    def reject(self, element: str, entry: dict[str, Any]) -> None:
        """Set an item or record aside."""
        self.tell(Note("reject", (element, entry)))

    def tick(self, *, force: bool = False) -> None:
        """Tell how far this worker is, if it is time to."""
        now = time.monotonic()
        if force or now - self._beaten >= BEAT_EVERY_S:
            self._beaten = now
            self.heartbeat()


def serve(task: Task, number: int, transport: Transport, *, beside: bool = False) -> Iterator[None]:
    """Run one worker of a plan to its end, in this process.

    However it ends, the coordinator is told.

    Parameters
    ----------
    task : Task
        What is run.
    number : int
        Which worker.
    transport : Transport
        How it reaches the others and, as the worker after the last, the
        coordinator.
    beside : bool, default False
        Whether the coordinator is in this process too: log records then stay.

    Yields
    ------
    None
        After every turn.
    """
    coordinator = task.plan.workers
    own, later = threading.get_ident(), deque[Note]()

    def tell(note: Note) -> None:
        # An element's own threads may log; the transport is this thread's.
        if threading.get_ident() != own:
            later.append(note)
            return
        while later:
            transport.send(coordinator, later.popleft())
        transport.send(coordinator, note)

    job = WorkerJob(task, tell)
    asked = _Asked(job)
    worker: Worker | None = None
    done = False
    with (
        _logging(None if beside else tell, number),
        _stack_writer(task, number) as arm,
        Sampler() as sampler,
    ):
        try:
            worker = Worker(
                job,
                task.plan,
                number,
                transport,
                channel_items=task.channel_items,
                channel_bytes=task.channel_bytes,
                on_note=asked.hear,
            )

            def beat(alive: Worker = worker) -> None:
                arm()
                tell(Note("beat", _beat(job, alive, sampler)))

            job.heartbeat = beat
            job.tick(force=True)
            yield from _work(worker, asked)
            done = not asked.aborted
        except Exception as error:  # noqa: BLE001 - told to the coordinator
            tell(Note("failed", failure_of(error)))
        failures = [] if worker is None else worker.teardown()
        for failure in failures:
            tell(Note("failed", failure_of(failure)))
        if worker is not None:
            tell(Note("beat", _beat(job, worker, sampler)))
    tell(Note("done", done and not failures))


def _work(worker: Worker, asked: _Asked) -> Iterator[None]:
    worker.setup()
    job = worker.job
    while not (worker.finished or asked.aborted):
        if not worker.step():
            due = worker.wait_time()
            if due is not None and isinstance(job.clock, ManualClock):
                job.clock.sleep(due)
            else:
                worker.transport.wait(PATIENCE_S if due is None else min(due, PATIENCE_S))
        job.tick()
        yield


class _Asked:
    """What the coordinator asked of this worker."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.aborted = False

    def hear(self, note: Note) -> None:
        if note.kind == "stop":
            self.job.stopping.set()
        elif note.kind == "abort":
            self.aborted = True


def _beat(job: Job, worker: Worker | None, sampler: Sampler) -> Beat:
    counts = {name: PECounts() for name in job.workflow.elements}
    loads = {name: Load() for name in job.workflow.elements}
    unconnected: dict[str, int] = {}
    if worker is not None:
        worker.add_counts(counts, unconnected)
        worker.add_loads(loads)
    for name, busy in list(sampler.busy.items()):
        loads[name].busy += busy
    return Beat(counts, unconnected, dict(job.fractions), loads)


def failure_of(error: Exception) -> Failure:
    """Pack an error so that another process can read it."""
    text = "".join(traceback.format_exception(error))
    cause = error.__cause__
    frames = [] if cause is None else list(traceback.extract_tb(cause.__traceback__))
    if not isinstance(error, FlowquakeError):
        error = PEError(f"the engine failed: {type(error).__name__}: {error}")
    return Failure(error, frames, text)


@contextlib.contextmanager
def _logging(tell: Callable[[Note], None] | None, number: int) -> Iterator[None]:
    """Bring this process's log records to the coordinator, with their place."""

    class Told(logging.handlers.QueueHandler):
        def enqueue(self, record: logging.LogRecord) -> None:
            if tell is not None:
                tell(Note("log", record))

    root, own = logging.getLogger(), logging.getLogger("flowquake")
    place = Place(number)
    if tell is None:
        with placing(place):
            yield
        return
    handler = Told(None)  # type: ignore[arg-type]  # enqueue() is all that uses it
    handler.addFilter(place)
    before, level = root.handlers[:], own.level
    root.handlers[:] = [handler]
    own.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = before
        own.setLevel(level)


@contextlib.contextmanager
def _stack_writer(task: Task, number: int) -> Iterator[Callable[[], None]]:
    """Give the function that says "I am alive"; where it is not called, the stack is written.

    The writer is a thread of C, so a handler that never lets Python go on is
    shown too.
    """
    if task.stacks is None or not task.stall_timeout:
        yield lambda: None
        return
    armed = float("-inf")
    with stack_file(task.stacks, number).open("w", encoding="utf-8") as file:

        def arm() -> None:
            nonlocal armed
            now = time.monotonic()
            if now - armed >= min(ARM_EVERY_S, task.stall_timeout / 4):
                armed = now
                faulthandler.dump_traceback_later(task.stall_timeout, file=file)

        try:
            yield arm
        finally:
            faulthandler.cancel_dump_traceback_later()


def stack_file(folder: Path, number: int) -> Path:
    """Name the file that a silent worker's stack is written to."""
    return folder / f"worker-{number}.txt"
