"""Running a workflow from Python."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from flowquake.clock import Clock
from flowquake.engine.job import STALL_TIMEOUT_S, Job, Observer, OnError, PECounts, Progress
from flowquake.engine.suspension import AT_ONCE, suspend
from flowquake.errors import ConfigError
from flowquake.mapping import Mapping, find_mapping
from flowquake.planning import plan
from flowquake.ports import BoundOutput, Emission
from flowquake.stopping import stop_signals
from flowquake.threads import one_thread
from flowquake.workflow import Workflow

__all__ = ["Observer", "PECounts", "Progress", "RunResult", "run", "stream"]

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass
class RunResult:
    """What a run gave.

    Attributes
    ----------
    counts : dict of str to PECounts
        By element.
    unconnected : dict of str to int
        Items that were emitted on outputs which nobody takes.
    rejected : int
        Items and records set aside.
    rejections : list of dict
        These, if the run had no directory to write them to.
    interrupted : bool
        Whether it was stopped before its end.
    seconds : float
        How long it took.
    """

    counts: dict[str, PECounts]
    unconnected: dict[str, int]
    rejections: list[dict[str, Any]]
    interrupted: bool
    seconds: float
    _collected: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    _workflow: Workflow | None = None

    @property
    def rejected(self) -> int:
        """Items and records set aside."""
        return sum(counts.rejected for counts in self.counts.values())

    def __getitem__(self, output: BoundOutput[T]) -> list[T]:
        """Give the items of an output that was collected.

        Raises
        ------
        KeyError
            If it was not.
        """
        name = self._workflow.name_of(output.element) if self._workflow is not None else ""
        try:
            return self._collected[name, output.port.name]
        except KeyError:
            raise KeyError(
                f"{name}.{output.port.name} was not collected: run(workflow, collect=[...])"
            ) from None


def run(
    workflow: Workflow,
    *,
    mapping: str | Mapping = "sequential",
    workers: int | None = None,
    collect: Iterable[BoundOutput[Any]] = (),
    seed: int = 0,
    on_error: str = "stop",
    out: Path | str | None = None,
    observer: Observer | None = None,
    clock: Clock | None = None,
    fuse: bool = True,
    stall_timeout: float = STALL_TIMEOUT_S,
) -> RunResult:
    """Run a workflow to its end.

    Parameters
    ----------
    workflow : Workflow
        What to run; its elements are copied, never run themselves.
    mapping : str or Mapping, default "sequential"
        How to run it.
    workers : int, optional
        Number of workers; default: one, all cores under ``multi``, all ranks
        under ``mpi``.
    collect : iterable of outputs
        Whose items to keep for the result, for example ``[fit.forecast]``.
    seed : int, default 0
        Of every random generator that an element asks for.
    on_error : str, default "stop"
        ``"stop"``, ``"skip"`` or ``"retry:N"`` when a handler raises.
    out : path, optional
        The run's directory; elements that write files need it.
    observer : Observer, optional
        Hears how far the run is.
    clock : Clock, optional
        In place of the machine's own.
    fuse : bool, default True
        Whether elements between which nothing is exchanged share a unit.
    stall_timeout : float, default 60
        After how many seconds a worker that is alive but silent is reported
        with its stack; 0 for never.

    Returns
    -------
    RunResult
        Counts, and the collected items as ``result[fit.forecast]``. Ctrl-C
        and SIGTERM stop the sources, finish what is in flight and return a
        result that says ``interrupted``; a second one raises
        KeyboardInterrupt at once.

    Raises
    ------
    WorkflowError, ConfigError
        Before anything runs.
    PEError, InputError
        When an element fails.
    """
    job = _job(workflow, seed, on_error, out, observer, clock, stall_timeout)
    collected: dict[tuple[str, str], list[Any]] = {}
    if isinstance(collect, BoundOutput):
        raise ConfigError(f"collect={collect!r} is one output", fix=f"collect=[{collect!r}]")
    for output in collect:
        place = _place(workflow, output)
        collected[place] = []
        job.collectors[place] = collected[place].append
    chosen = find_mapping(mapping)
    laid_out = plan(workflow, chosen.workers(workers), fuse=fuse)
    job.instances, job.places = dict(laid_out.counts), laid_out.places()
    with one_thread(), _stopping_on_signals(job):
        for _ in chosen.execute(job, laid_out):
            pass
    return RunResult(
        counts=job.counts,
        unconnected=job.unconnected,
        rejections=job.rejections,
        interrupted=job.stopping.requested,
        seconds=job.seconds,
        _collected=collected,
        _workflow=workflow,
    )


def stream(
    workflow: Workflow,
    output: BoundOutput[T],
    *,
    mapping: str | Mapping = "sequential",
    workers: int | None = None,
    seed: int = 0,
    on_error: str = "stop",
    out: Path | str | None = None,
    clock: Clock | None = None,
    fuse: bool = True,
    stall_timeout: float = STALL_TIMEOUT_S,
) -> Generator[T, None, None]:
    """Run a workflow and give the items of one output as they come.

    The workflow waits while an item is looked at. Leaving the loop ends the
    run: handlers do not go on, and every element is torn down. Ctrl-C raises
    KeyboardInterrupt at once, as in any loop. Parameters and errors are those
    of `run`; a workflow that cannot run is refused at once, not at the first
    item.

    Returns
    -------
    generator
        The items, in the order in which they were emitted.
    """
    job = _job(workflow, seed, on_error, out, None, clock, stall_timeout)
    waiting: deque[T] = deque()

    def hand_over(item: T) -> Iterator[Emission]:
        waiting.append(item)
        yield suspend, AT_ONCE

    job.collectors[_place(workflow, output)] = hand_over
    chosen = find_mapping(mapping)
    steps = chosen.execute(job, plan(workflow, chosen.workers(workers), fuse=fuse))

    def items() -> Generator[T, None, None]:
        with contextlib.closing(steps):  # type: ignore[type-var]  # a generator
            for _ in steps:
                while waiting:
                    yield waiting.popleft()

    return items()


def _place(workflow: Workflow, output: object) -> tuple[str, str]:
    if not isinstance(output, BoundOutput):
        raise ConfigError(
            f"{output!r:.60} is not an output of an element", fix="for example fit.forecast"
        )
    return workflow.name_of(output.element), output.port.name


def _job(
    workflow: Workflow,
    seed: int,
    on_error: str,
    out: Path | str | None,
    observer: Observer | None,
    clock: Clock | None,
    stall_timeout: float,
) -> Job:
    given: object = seed
    if not isinstance(given, int) or given < 0:
        raise ConfigError(f"seed={seed!r} must be a whole number, 0 or more", fix="--seed 1")
    return Job(
        workflow,
        seed=seed,
        on_error=OnError.parse(on_error),
        out=None if out is None else Path(out),
        observer=observer,
        clock=clock,
        stall_timeout=stall_timeout,
    )


@contextlib.contextmanager
def _stopping_on_signals(job: Job) -> Iterator[None]:
    """Turn the first Ctrl-C, SIGTERM or loss of the terminal into an orderly stop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if job.stopping.requested:
            raise KeyboardInterrupt
        job.stopping.set()
        log.info("stopping: what is in flight is finished", extra={"signal": number})

    before = {number: signal.signal(number, stop) for number in stop_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: it was installed by code that is not Python's.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
