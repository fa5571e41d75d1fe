"""The coordinator: what the workers of a run tell is put together here."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from flowquake.engine.channels import Credit, Message, Note, Parcel
from flowquake.engine.failures import unreadable
from flowquake.engine.job import Job, Load, PECounts
from flowquake.engine.reporting import Beat, Failure
from flowquake.engine.snapshots import Snapshot
from flowquake.engine.stacks import StackFiles
from flowquake.errors import FlowquakeError, TransportError
from flowquake.planning import Plan

log = logging.getLogger(__name__)


class RemoteError(Exception):
    """The traceback of another process, as text."""

    def __str__(self) -> str:
        return f"\n\n{self.args[0]}"


class Coordinator:
    """Hears the workers of one run; knows when it is over, and why.

    Parameters
    ----------
    job : Job
        Gets the counts, rejections and collected items.
    plan : Plan
        What the workers execute.
    send : callable
        Takes a worker's number and a message to it.
    stacks : StackFiles, optional
        Where silent workers write their stacks.
    """

    def __init__(
        self,
        job: Job,
        plan: Plan,
        send: Callable[[int, Message], None],
        *,
        stacks: StackFiles | None = None,
    ) -> None:
        self.job = job
        self.plan = plan
        self.done: set[int] = set()
        self.failures: list[FlowquakeError] = []
        self._send = send
        self._stacks = stacks
        self._places = list(job.collectors)
        self._parcels: deque[tuple[int, Parcel]] = deque()
        self._beats: dict[int, Beat] = {}
        self._heard = dict.fromkeys(range(plan.workers), time.monotonic())
        self._silent: set[int] = set()
        self._stopped = False
        job.live_counts = self._count

    @property
    def finished(self) -> bool:
        """Whether every worker has ended and all that was collected is handed over."""
        return len(self.done) == self.plan.workers and not self._parcels

    def take(self, worker: int, message: Message) -> None:
        """Hear one message of a worker."""
        self._heard[worker] = time.monotonic()
        if isinstance(message, Parcel):
            self._parcels.append((worker, message))
        elif isinstance(message, Note):
            self._take_note(worker, message)

    def _take_note(self, worker: int, note: Note) -> None:
        content: Any = note.content  # what the kind says
        if note.kind == "beat":
            self._beats[worker] = content
            self.job.fractions.update(content.fractions)
            self._silent.discard(worker)
        elif note.kind == "reject":
            self._reject(*content)
        elif note.kind == "log":
            logging.getLogger(content.name).handle(content)
        elif note.kind == "failed":
            self.fail(_error_of(content, worker if self.plan.workers > 1 else None))
        elif note.kind == "unreadable":
            self.fail(unreadable(self.plan, self._places, content))
        elif note.kind == "done":
            self.done.add(worker)

    def _reject(self, element: str, entry: dict[str, Any]) -> None:
        try:
            self.job.reject(element, entry)
        except FlowquakeError as error:  # the disk is full: once is enough
            if not self.failures:
                self.fail(error)

    def fail(self, error: FlowquakeError) -> None:
        """Note why the run cannot go on; the workers are asked to end."""
        self.failures.append(error)
        if len(self.failures) == 1:
            self.tell(Note("abort"))

    def lost(self, worker: int, how: str) -> None:
        """Note that a worker is gone before the run's end.

        One that was done is missed too: what it had sent may not have left it.
        """
        self.done.add(worker)
        if self.failures:  # it was asked to end, or told why before
            return
        self.fail(worker_lost(self.plan, worker, how))

    def tell(self, note: Note) -> None:
        """Tell every worker that has not ended."""
        for worker in range(self.plan.workers):
            if worker not in self.done:
                self._send(worker, note)

    def turn(self) -> Iterator[None]:
        """Do what is due: hand over items, hear a wish to stop, watch for silence.

        Yields
        ------
        None
            Whenever somebody may look at what was collected.
        """
        while self._parcels:
            worker, parcel = self._parcels.popleft()
            deliver = self.job.collectors[self._places[-1 - parcel.channel]]
            for item in parcel.items:
                waits = deliver(item.restore(parcel.channel) if type(item) is Snapshot else item)
                if waits is not None:
                    next(iter(waits), None)
                    yield
            if worker not in self.done:
                self._send(worker, Credit(parcel.channel, len(parcel.items), parcel.nbytes))
        if self.job.stopping.requested and not self._stopped:
            self._stopped = True
            self.tell(Note("stop"))
        if self.job.stall_timeout:
            self._watch()
        self.job.tick()

    def _watch(self) -> None:
        now = time.monotonic()
        for worker, heard in self._heard.items():
            # A moment more, so that the worker has written its stack.
            if worker in self.done or now - heard < self.job.stall_timeout + 0.5:
                continue
            if worker not in self._silent:
                self._silent.add(worker)
                log.warning(
                    "worker %d is alive but silent: it runs %s",
                    worker,
                    elements_of(self.plan, worker),
                    extra={"silent_s": round(now - heard, 1), "stack": self._stack(worker)},
                )

    def _stack(self, worker: int) -> str:
        found = "" if self._stacks is None else self._stacks.read(worker)
        return found or "its stack cannot be read here"

    def _count(self) -> None:
        before = self.job.counts
        counts = {name: PECounts(rejected=count.rejected) for name, count in before.items()}
        loads = {name: Load() for name in counts}
        unconnected: dict[str, int] = {}
        for beat in self._beats.values():
            for name, count in beat.counts.items():
                total = counts[name]
                total.received += count.received
                _add(total.emitted, count.emitted)
                _add(total.counters, count.counters)
                loads[name].add(beat.loads[name])
            _add(unconnected, beat.unconnected)
        before.update(counts)
        self.job.loads.update(loads)
        self.job.unconnected = unconnected

    def result(self) -> None:
        """Complete the job's counts, and raise what went wrong."""
        self._count()
        self.job.tick(force=True)
        if self.failures:
            first, *others = self.failures
            for other in others:
                if str(other) != str(first):
                    first.add_note(f"Also: {other}")
            raise first


def elements_of(plan: Plan, worker: int) -> str:
    """Name the elements that a worker runs."""
    names = [
        i.element if plan.counts[i.element] == 1 else f"{i.element}[{i.index}]"
        for unit in plan.units
        if unit.worker == worker
        for i in unit.instances
    ]
    shown = ", ".join(names[:12]) or "nothing"
    return shown if len(names) <= 12 else f"{shown} and {len(names) - 12} more"


def worker_lost(plan: Plan, worker: int, how: str) -> TransportError:
    """Make the error of a worker that is gone."""
    return TransportError(
        f"worker {worker} of {plan.workers} is lost: {how}",
        where=f"it ran {elements_of(plan, worker)}",
        fix="if the machine was short of memory, use fewer workers or smaller items; run it again",
    )


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for name, n in more.items():
        total[name] = total.get(name, 0) + n


def _error_of(failure: Failure, worker: int | None) -> FlowquakeError:
    error = failure.error
    if worker is not None:
        error.where = f"{error.where}, worker {worker}" if error.where else f"worker {worker}"
    error.__cause__ = RemoteError(failure.text)
    error._frames = failure.frames  # type: ignore[attr-defined]  # see `frames_of`
    return error
