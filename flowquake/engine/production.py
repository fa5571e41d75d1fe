"""How a source's split is driven: its items, its signals and its pauses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from flowquake.engine.channels import SLICE_S, next_stride
from flowquake.engine.failures import origin, phase_failure
from flowquake.engine.suspension import END_OF_SLICE, Condition, suspend
from flowquake.errors import PEError
from flowquake.pe import Source
from flowquake.ports import Emission
from flowquake.signals import Idle, Origin, Resume, Wait, Watermark

if TYPE_CHECKING:
    from flowquake.engine.instance import Instance
    from flowquake.engine.job import Job


def produce(instance: Instance) -> Iterator[Emission]:
    """Run ``produce`` to its end; other work may go first after each slice."""
    source = instance.pe
    if not isinstance(source, Source):
        raise TypeError(f"{instance.name} is not a source")
    stopping = instance.job.stopping
    me = Origin(instance.name, instance.place.index)
    idle, pauses = False, 0
    timer = instance.job.timer
    stride = left = 1
    began = looked = timer()
    try:
        production = source.produce(instance.place.split)
        if production is None:
            raise PEError("produce() gave nothing back", fix="yield self.port(item) in it")
        for produced in production:
            if type(produced) is tuple:
                if idle:
                    idle, pauses = False, pauses + 1
                    yield from instance.to_all(Resume(me, pauses))
                yield produced  # type: ignore[misc]  # a bare tuple is an emission
            elif isinstance(produced, Watermark):
                if produced.time is None:
                    if not idle:
                        idle = True
                        yield from instance.to_all(Idle({me: pauses}, whole=True))
                else:
                    moment = _time(produced)
                    low = instance.watermark
                    if idle:
                        idle, pauses = False, pauses + 1
                        yield from instance.to_all(Resume(me, pauses))
                    if low is None or moment > low:
                        instance.watermark = moment
                        yield from instance.to_all(Watermark(moment))
            elif isinstance(produced, Wait):
                due = instance.job.clock.monotonic() + _seconds(produced)
                yield suspend, Condition(_is_due(instance.job, due), due)
                stride = left = 1
                began = looked = timer()
                continue
            else:
                raise PEError(
                    f"produce() yielded {produced!r:.60}, which is not an emission",
                    fix="yield self.port(item), Watermark(time) or Wait(seconds)",
                )
            left -= 1
            if not left or stopping.requested:
                now = timer()
                left = stride = next_stride(stride, now - looked)
                if now - began > SLICE_S or stopping.requested:
                    yield END_OF_SLICE
                    began = now = timer()
                looked = now
    except Exception as cause:  # noqa: BLE001 - placed and raised again
        error = phase_failure(instance, "produce()", cause)
        raise error from origin(error, cause)
    yield from instance.finish()


def _time(watermark: Watermark) -> int:
    given: object = watermark.time
    if not isinstance(given, (int, np.integer)):
        raise PEError(
            f"produce() yielded {watermark!r:.60}",
            fix="a watermark's time is an int, nanoseconds",
        )
    return int(given)


def _seconds(wait: Wait) -> float:
    given: object = wait.seconds
    if not (isinstance(given, (int, float)) and 0 <= given < math.inf):
        raise PEError(
            f"produce() yielded {wait!r:.60}", fix="wait for a finite number of seconds, 0 or more"
        )
    return float(given)


def _is_due(job: Job, due: float) -> Callable[[], bool]:
    return lambda: job.clock.monotonic() >= due
