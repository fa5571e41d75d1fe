"""Loops that mappings in one process share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from flowquake.clock import ManualClock
from flowquake.engine.job import Job, Load, PECounts
from flowquake.engine.placing import Place, placing
from flowquake.engine.sampling import Sampler
from flowquake.engine.worker import Worker
from flowquake.errors import PEError

POLL_S = 0.05


def execute(
    job: Job,
    workers: Sequence[Worker],
    advance: Callable[[], bool],
    *,
    sampled: bool = True,
) -> Iterator[None]:
    """Run workers that live in this process until they have ended.

    Parameters
    ----------
    job : Job
        What is run; gets the counts.
    workers : sequence of Worker
        All of them.
    advance : callable
        Lets some worker do something; False if none could.
    sampled : bool, default True
        Whether it is measured how busy each element is.

    Yields
    ------
    None
        Whenever results may be there.

    Raises
    ------
    PEError
        If nothing can go on although the run has not ended.
    """
    sampler = Sampler(alive=lambda: job.alive, stall_timeout=job.stall_timeout)
    job.live_counts = lambda: _count(job, workers, sampler)
    owners = {name: worker.number for worker in workers for name in worker.instances}
    with placing(Place(None, owners)), sampler if sampled else contextlib.nullcontext():
        yield from _execute(job, workers, advance)


def _execute(job: Job, workers: Sequence[Worker], advance: Callable[[], bool]) -> Iterator[None]:
    failure: BaseException | None = None
    try:
        for worker in workers:
            worker.setup()
        while not all(worker.finished for worker in workers):
            if advance():
                job.tick()
                yield
                continue
            times = [t for worker in workers if (t := worker.wait_time()) is not None]
            if not times:
                raise PEError("the run cannot go on: every worker waits for another")
            job.tick()
            _sleep(job, min(times))
    except BaseException as raised:
        failure = raised
        raise
    finally:
        failures = [f for worker in workers for f in worker.teardown()]
        job.live_counts()
        job.tick(force=True)
        # Leaving stream() early is no failure that could hide another.
        if isinstance(failure, GeneratorExit):
            failure = None
        first = failure or (failures.pop(0) if failures else None)
        for other in failures:
            first.add_note(f"Also: {other}")  # type: ignore[union-attr]  # there is a first
        if failure is None and first is not None:
            raise first
    yield


def _sleep(job: Job, seconds: float) -> None:
    """Sleep, in pieces after which a wish to stop is heard."""
    if not isinstance(job.clock, ManualClock):
        seconds = min(POLL_S, seconds)
    job.clock.sleep(seconds)


def _count(job: Job, workers: Sequence[Worker], sampler: Sampler) -> None:
    counts = {name: PECounts(rejected=before.rejected) for name, before in job.counts.items()}
    unconnected: dict[str, int] = {}
    loads = {name: Load() for name in counts}
    for worker in workers:
        worker.add_counts(counts, unconnected)
        worker.add_loads(loads)
    for name, busy in list(sampler.busy.items()):
        loads[name].busy += busy
    job.loads.update(loads)
    job.counts.update(counts)
    job.unconnected = unconnected
