"""A job: what one execution of a workflow shares over all its instances."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Protocol

import numpy as np

from flowquake.batches import is_batch
from flowquake.clock import Clock, SystemClock
from flowquake.errors import ConfigError, InputError
from flowquake.keys import encode, normalise
from flowquake.ports import Deliver, Key
from flowquake.workflow import Workflow

OBSERVE_EVERY_S = 0.1
STALL_TIMEOUT_S = 60.0
MOST_VALUES = 1000  # of an array or batch that is set aside in full


@dataclass
class PECounts:
    """What one element did, summed over its instances.

    Attributes
    ----------
    received : int
        Items taken, over all inputs.
    emitted : dict of str to int
        Items given, by output.
    rejected : int
        Items and records set aside.
    counters : dict of str to int
        What the element counted itself, by name.
    """

    received: int = 0
    emitted: dict[str, int] = field(default_factory=dict)
    rejected: int = 0
    counters: dict[str, int] = field(default_factory=dict)


@dataclass
class Load:
    """How busy one element is, summed over its instances.

    Attributes
    ----------
    busy : float
        Seconds spent in its code, by samples.
    queue : int
        Items that have arrived and wait.
    waited : float
        Seconds from arrival until done, summed over the items that crossed
        from one unit to another.
    crossed : int
        How many these are.
    """

    busy: float = 0.0
    queue: int = 0
    waited: float = 0.0
    crossed: int = 0

    def add(self, other: Load) -> None:
        """Add what another worker did."""
        self.busy += other.busy
        self.queue += other.queue
        self.waited += other.waited
        self.crossed += other.crossed


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    counts : dict of str to PECounts
        By element.
    fractions : dict of str to (float, float)
        (done, total) of the elements that say how far they are.
    seconds : float
        Since the run began.
    loads : dict of str to Load
        By element.
    instances : dict of str to int
        Instances of each element.
    places : dict of str to int
        Workers on which each element has instances.
    """

    counts: dict[str, PECounts]
    fractions: dict[str, tuple[float, float]]
    seconds: float
    loads: dict[str, Load] = field(default_factory=dict)
    instances: dict[str, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)


class Observer(Protocol):
    """Somebody who watches a run."""

    def on_progress(self, progress: Progress) -> None:
        """Hear how far the run is; at most ten times a second, and at the end."""


@dataclass(frozen=True)
class OnError:
    """What happens when a handler raises.

    Parameters
    ----------
    action : {"stop", "skip", "retry"}
        As on the command line.
    attempts : int
        With ``retry``: how many more times.
    """

    action: str = "stop"
    attempts: int = 0

    @classmethod
    def parse(cls, text: str) -> OnError:
        """Read ``stop``, ``skip`` or ``retry:N``.

        Raises
        ------
        ConfigError
            If the text is none of these.
        """
        if text in ("stop", "skip"):
            return cls(text)
        head, _, number = text.partition(":")
        if head == "retry" and number.isdecimal() and int(number) > 0:
            return cls("retry", int(number))
        raise ConfigError(
            f"on_error={text!r} is not known", fix="use stop, skip, or retry:3 for three more tries"
        )


class Stop:
    """The wish to stop; set by a signal's handler, so without any lock."""

    __slots__ = ("requested",)

    def __init__(self) -> None:
        self.requested = False

    def set(self) -> None:
        """Ask for an orderly stop."""
        self.requested = True


class Job:
    """One execution of a workflow."""

    def __init__(
        self,
        workflow: Workflow,
        *,
        seed: int = 0,
        on_error: OnError | None = None,
        out: Path | None = None,
        clock: Clock | None = None,
        observer: Observer | None = None,
        stall_timeout: float = STALL_TIMEOUT_S,
    ) -> None:
        self.workflow = workflow
        self.seed = seed
        self.on_error = on_error or OnError()
        self.out = out
        self.clock: Clock = clock or SystemClock()
        self.observer = observer
        self.stall_timeout = stall_timeout
        self.collectors: dict[tuple[str, str], Deliver] = {}
        self.counts = {name: PECounts() for name in workflow.elements}
        self.loads = {name: Load() for name in workflow.elements}
        self.instances: dict[str, int] = {}
        self.places: dict[str, int] = {}
        self.live_counts: Callable[[], None] = lambda: None
        self.unconnected: dict[str, int] = {}
        self.fractions: dict[str, tuple[float, float]] = {}
        self.rejections: list[dict[str, Any]] = []
        self.stopping = Stop()
        # Slices of work and delays of parcels are measured with it.
        self.timer: Callable[[], float] = time.perf_counter
        self._started = self.alive = time.monotonic()
        self._observed = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the job was made."""
        return time.monotonic() - self._started

    def collected_places(self) -> list[tuple[str, str]]:
        """Name the outputs (element, port) whose items go to the coordinator; none here."""
        return []

    def tick(self, *, force: bool = False) -> None:
        """Say that the work goes on; tell the observer how far it is, if it is time to."""
        now = self.alive = time.monotonic()
        if self.observer is None:
            return
        if force or now - self._observed >= OBSERVE_EVERY_S:
            self._observed = now
            self.live_counts()
            self.observer.on_progress(
                Progress(
                    dict(self.counts),
                    dict(self.fractions),
                    self.seconds,
                    dict(self.loads),
                    self.instances,
                    self.places,
                )
            )

    def reject(self, element: str, entry: dict[str, Any]) -> None:
        """Set an item or record aside, on disk if the run has a directory."""
        self.counts[element].rejected += 1
        if self.out is None:
            self.rejections.append(entry)
            return
        path = self.out / "rejected.jsonl"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n")
        except OSError as cause:
            raise InputError(
                f"cannot write the rejected items: {cause.strerror or cause}",
                where=str(path),
                fix="make room or give another --out",
            ) from cause


class InstanceContext:
    """What the engine lends one instance; see `flowquake.pe.Context`."""

    def __init__(self, job: Job, name: str, index: int) -> None:
        self.job = job
        self.name = name
        self.index = index
        self.counters: Counter[str] = Counter()

    @property
    def clock(self) -> Clock:
        """The run's clock."""
        return self.job.clock

    def generator(self, key: Key, unit: tuple[Hashable, ...]) -> np.random.Generator:
        """Make the random generator of a key and unit of work."""
        words = encode((self.job.seed, self.name, key, normalise(tuple(unit))))
        digest = hashlib.blake2b(words, digest_size=16).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))

    def count(self, name: str, n: int) -> None:
        """Add to a named counter."""
        self.counters[name] += n

    def reject(self, record: Mapping[str, object], reason: str) -> None:
        """Set a record aside."""
        item = item_json(dict(record))
        self.job.reject(
            self.name, {"pe": self.name, "instance": self.index, "reason": reason, "item": item}
        )

    def progress(self, done: float, total: float) -> None:
        """Say how far a long step is."""
        self.job.fractions[self.name] = (done, total)
        self.job.tick()

    def run_path(self, parts: tuple[str, ...]) -> Path:
        """Give a path inside the run's directory."""
        if self.job.out is None:
            raise ConfigError(
                f"PE '{self.name}' writes files, but the run has no directory",
                fix="run(workflow, out=Path('results'))",
            )
        root = self.job.out.resolve()
        path = root.joinpath(*parts)
        if not path.resolve().is_relative_to(root) or path == root:
            raise ConfigError(
                f"PE '{self.name}' asks for {'/'.join(parts)!r}, outside the run's directory",
                fix="give a relative path without '..'",
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise InputError(
                f"cannot make the folder of {path.name}: {cause.strerror or cause}",
                where=str(path.parent),
                fix="give an --out that can be written",
            ) from cause
        return path


def describe_item(item: Any) -> str:  # items of every type
    """Say in a few words what an item is, for error texts."""
    kind = type(item).__name__
    try:
        if isinstance(item, np.ndarray):
            return f"{kind} of shape {item.shape}, {item.dtype}"
        text = repr(item)
    except Exception as cause:  # noqa: BLE001 - a user's __repr__ may do anything
        return f"{kind} (its repr raised {type(cause).__name__})"
    return text if len(text) <= 120 else f"{text[:117]}..."


def item_json(item: Any) -> object:  # items of every type
    """Give an item as JSON data; what JSON does not know is described in words.

    Examples
    --------
    >>> item_json({"time": (1, float("nan")), "who": {3}})
    {'time': [1, None], 'who': '{3}'}
    """
    if item is None or isinstance(item, (bool, str)):
        return item
    if isinstance(item, np.generic):
        return item_json(item.item()) if not isinstance(item.item(), np.generic) else str(item)
    if isinstance(item, int):
        return int(item)
    if isinstance(item, float):
        return float(item) if math.isfinite(item) else None
    if isinstance(item, Mapping):
        return {str(name): item_json(value) for name, value in item.items()}
    if isinstance(item, (list, tuple)):
        return [item_json(value) for value in item]
    if isinstance(item, np.ndarray):
        return item_json(item.tolist()) if item.size <= MOST_VALUES else describe_item(item)
    if isinstance(item, PurePath):
        return str(item)
    to_json = getattr(item, "to_json", None)
    try:
        if callable(to_json):
            return item_json(to_json())
        if is_batch(item) and len(item) <= MOST_VALUES and hasattr(item, "row"):
            return [item_json(item.row(number)) for number in range(len(item))]
        if dataclasses.is_dataclass(item) and not isinstance(item, type):
            fields = dataclasses.fields(item)
            return {f.name: item_json(getattr(item, f.name)) for f in fields}
    except Exception:  # noqa: BLE001 - described below instead
        return describe_item(item)
    return describe_item(item)
