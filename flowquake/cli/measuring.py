"""Figures of each element, from two successive reports of how far a run is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowquake.cli.record import utc_now

if TYPE_CHECKING:
    from flowquake.running import Progress
    from flowquake.workflow import Workflow

SCHEMA = "flowquake/metrics-1"


@dataclass(frozen=True, slots=True)
class Figures:
    """What one element did in an interval.

    Attributes
    ----------
    received, emitted : float
        Items a second that it took, over all inputs, and gave, over all
        outputs.
    busy : float
        Part of the time that the workers which run it spent in its code, 0 to 1.
    queue : int
        Items that have arrived and wait, at the end of the interval.
    latency : float or None
        Mean seconds from an item's arrival until it was done: of a whole run as
        it was measured, of an interval as queue and rate give it (Little's
        law), since items are measured by the parcel. Where nothing comes from
        another worker, the seconds in the element's code for each item. None if
        there was none.
    """

    received: float
    emitted: float
    busy: float
    queue: int
    latency: float | None


def measure(before: Progress | None, now: Progress) -> dict[str, Figures]:
    """Give the figures of each element between two reports.

    Parameters
    ----------
    before : Progress or None
        The earlier report; None for the beginning of the run.
    now : Progress
        The later one.

    Examples
    --------
    >>> from flowquake.engine.job import Load, PECounts
    >>> from flowquake.running import Progress
    >>> counts = {"filter": PECounts(received=300, emitted={"kept": 100})}
    >>> now = Progress(counts, {}, 2.0, {"filter": Load(busy=1.5)})
    >>> measure(None, now)["filter"]
    Figures(received=150.0, emitted=50.0, busy=0.75, queue=0, latency=0.005)
    """
    seconds = max(now.seconds - (before.seconds if before else 0.0), 1e-3)
    return {name: _figures(before, now, name, seconds, whole=before is None) for name in now.counts}


def _figures(
    before: Progress | None, now: Progress, name: str, seconds: float, *, whole: bool
) -> Figures:
    # Imported late: it loads numpy, before which a mapping may want to fork.
    from flowquake.engine.job import Load, PECounts

    count, load = now.counts[name], now.loads.get(name) or Load()
    past = (before and before.counts.get(name)) or PECounts()
    earlier = (before and before.loads.get(name)) or Load()
    busy = max(load.busy - earlier.busy, 0.0)
    # What was sent to it counts as received while it still waits; and either
    # all that an element takes comes over channels, or nothing.
    received = count.received - past.received
    taken = max(load.crossed - earlier.crossed if load.crossed else received, 0)
    latency: float | None = None
    if taken and whole and load.crossed:
        latency = max(load.waited, 0.0) / taken
    elif taken:
        latency = ((earlier.queue + load.queue) / 2 * seconds + busy) / taken
    emitted = sum(count.emitted.values()) - sum(past.emitted.values())
    return Figures(
        received=taken / seconds,
        emitted=max(emitted, 0) / seconds,
        busy=min(busy / (seconds * now.places.get(name, 1)), 1.0),
        queue=max(load.queue, 0),
        latency=latency,
    )


def metrics_line(before: Progress | None, now: Progress) -> dict[str, Any]:
    """Give a line of ``metrics.jsonl``: totals, and figures since the line before."""
    figures = measure(before, now)
    return {
        "schema": SCHEMA,
        "time": utc_now(),
        "seconds": round(now.seconds, 3),
        "received": {name: count.received for name, count in now.counts.items()},
        "emitted": {name: sum(count.emitted.values()) for name, count in now.counts.items()},
        "rejected": {name: count.rejected for name, count in now.counts.items()},
        "received_per_s": {name: _short(f.received) for name, f in figures.items()},
        "emitted_per_s": {name: _short(f.emitted) for name, f in figures.items()},
        "busy": {name: round(f.busy, 4) for name, f in figures.items()},
        "queue": {name: f.queue for name, f in figures.items()},
        "latency_s": {
            name: None if f.latency is None else _short(f.latency) for name, f in figures.items()
        },
        "instances": dict(now.instances),
        "progress": {name: list(part) for name, part in now.fractions.items()},
    }


class Loads:
    """How busy each element was over a whole run; its queue is looked at while it goes on."""

    def __init__(self) -> None:
        self._looks = 0
        self._waiting: dict[str, int] = {}
        self._longest: dict[str, int] = {}
        self._last: Progress | None = None

    def see(self, progress: Progress) -> None:
        """Note how long the queues are."""
        self._last = progress
        self._looks += 1
        for name, load in progress.loads.items():
            if load.queue > 0:
                self._waiting[name] = self._waiting.get(name, 0) + 1
                self._longest[name] = max(self._longest.get(name, 0), load.queue)

    def to_json(self, workflow: Workflow) -> dict[str, Any]:
        """Give ``loads`` of ``run.json``."""
        if self._last is None:
            return {}
        last, figures = self._last, measure(None, self._last)
        return {
            name: {
                "busy_seconds": round(max(last.loads[name].busy, 0.0), 3),
                "busy": round(figure.busy, 4),
                "latency_s": None if figure.latency is None else _short(figure.latency),
                "queue_longest": self._longest.get(name, 0),
                "queued": round(self._waiting.get(name, 0) / self._looks, 4),
                "instances": last.instances.get(name, 1),
                "workers": last.places.get(name, 1),
                "limit": _limit(workflow, name, last.instances.get(name, 1)),
            }
            for name, figure in figures.items()
            if name in last.loads
        }


def _limit(workflow: Workflow, name: str, instances: int) -> str | None:
    """Say why more workers make no more instances of an element; None if they do."""
    declared = workflow.element(name)._declaration
    if declared.is_source:
        return "it reads one split" if instances == 1 else f"it reads {instances} splits"
    if workflow.instances_of(name):
        return "the workflow fixes their number"
    if declared.multiplies:
        return None
    if declared.side_only:
        return "its inputs go to every instance"
    if any(port.to == "one" for port in declared.inputs.values()):
        return "its input is gathered, to='one'"
    reasons = {
        "keeps a state without a key": declared.state is not None,
        "hears watermarks": declared.hears_watermarks,
        "acts at the end": declared.finishes,
        "puts items in order": declared.timed,
    }
    return "it " + " and ".join(reason for reason, holds in reasons.items() if holds)


def _short(number: float) -> float:
    """Round to four digits that count."""
    return float(f"{number:.4g}")
