"""The plan: which instances there are, what runs together, and where."""

from __future__ import annotations

import copy
import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowquake.errors import ConfigError, FlowquakeError, InputError, PEError
from flowquake.keys import normalise
from flowquake.pe import Source
from flowquake.ports import Key

if TYPE_CHECKING:
    from flowquake.workflow import Connection, Workflow


@dataclass(frozen=True, slots=True)
class InstancePlan:
    """One instance of an element; a source's belongs to one split."""

    element: str
    index: int
    split: Key = None


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """Instances that run on one worker and hand items to each other directly."""

    stage: int
    worker: int
    instances: tuple[InstancePlan, ...]


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """The bounded queues of one connection, from each sender to each receiver.

    Parameters
    ----------
    first : int
        Number of the first queue; numbers are unique in a plan.
    connection : int
        Which connection of the workflow.
    source, target : str
        The elements.
    senders, receivers : int
        How many instances these have.
    """

    first: int
    connection: int
    source: str
    target: str
    senders: int
    receivers: int

    def number(self, sender: int, receiver: int) -> int:
        """Give the number of the queue from one instance to another."""
        return self.first + sender * self.receivers + receiver

    def __len__(self) -> int:
        return self.senders * self.receivers


@dataclass(frozen=True)
class Plan:
    """How a workflow is laid out over workers.

    Attributes
    ----------
    workflow : str
        The workflow's name.
    workers : int
        Number of workers.
    counts : dict of str to int
        Instances of each element.
    units : tuple of UnitPlan
        In topological order of their stages.
    channels : tuple of ChannelPlan
        Where items cross from one unit to another, by connection.
    is_whole : bool
        Whether everything is one unit, as on one worker.
    """

    workflow: str
    workers: int
    counts: dict[str, int]
    units: tuple[UnitPlan, ...]
    channels: tuple[ChannelPlan, ...]
    is_whole: bool = False

    def places(self) -> dict[str, int]:
        """Count the workers on which each element has instances."""
        places = {(i.element, unit.worker) for unit in self.units for i in unit.instances}
        return dict(Counter(element for element, _ in places))

    def to_json(self) -> dict[str, Any]:
        """Give the plan as plain data."""
        return {
            "workflow": self.workflow,
            "workers": self.workers,
            "instances": dict(self.counts),
            "units": [
                {
                    "stage": unit.stage,
                    "worker": unit.worker,
                    "instances": [
                        {"element": i.element, "index": i.index, "split": _split_text(i.split)}
                        for i in unit.instances
                    ],
                }
                for unit in self.units
            ],
            "channels": [
                {"from": _several(c.source, c.senders), "to": _several(c.target, c.receivers)}
                for c in self.channels
            ],
        }

    def describe(self) -> str:
        """Write the plan as text, one line for each unit and each connection between units."""
        lines = [f"{self.workflow}: {self.workers} worker{'s' if self.workers != 1 else ''}"]
        for unit in self.units:
            names = ", ".join(
                instance.element
                if self.counts[instance.element] == 1
                else f"{instance.element}[{instance.index}]"
                for instance in unit.instances
            )
            lines.append(f"  worker {unit.worker}, stage {unit.stage}: {names}")
        lines.append(f"  channels between units: {sum(map(len, self.channels))}")
        lines += [
            f"    {_several(c.source, c.senders)} -> {_several(c.target, c.receivers)}"
            for c in self.channels
        ]
        return "\n".join(lines)


def plan(workflow: Workflow, workers: int = 1, *, fuse: bool = True) -> Plan:
    """Lay a workflow out over workers.

    Elements between which nothing has to be exchanged are fused into one
    stage; a stage's units are given to the workers with the least to do. The
    same workflow gives the same plan.

    Parameters
    ----------
    workflow : Workflow
        A valid workflow.
    workers : int, default 1
        Number of workers, at least 1.
    fuse : bool, default True
        Whether to fuse at all.

    Returns
    -------
    Plan
        Pure data.

    Raises
    ------
    WorkflowError
        If the workflow has faults.
    ConfigError
        If `workers` is below 1.
    InputError
        If a source has no splits.
    """
    if workers < 1:
        raise ConfigError(f"workers={workers} must be at least 1", fix="-n 1 or more")
    workflow.validate()
    splits = _splits(workflow)
    counts = _counts(workflow, workers, splits)
    whole = fuse and workers == 1
    stages = _stages(workflow, counts, whole=whole, fuse=fuse)
    units = _units(stages, counts, splits, workers, whole=whole)
    channels = _channels(workflow, counts, stages)
    return Plan(workflow.name, workers, counts, tuple(units), tuple(channels), whole)


def _splits(workflow: Workflow) -> dict[str, list[Key]]:
    splits: dict[str, list[Key]] = {}
    for name, part in workflow.elements.items():
        if isinstance(part, Source):
            splits[name] = _splits_of(name, part)
    return splits


def _splits_of(name: str, part: Source) -> list[Key]:
    where = f"PE '{name}', in splits()"
    try:
        # A copy, as everywhere: the user's object is never run.
        found = [normalise(split) for split in copy.deepcopy(part).splits()]
    except FlowquakeError as error:
        error.where = f"{error.where} ({where})" if error.where else where
        raise
    except Exception as cause:
        raise PEError(
            f"PE '{name}' failed in splits().\n  Cause: {type(cause).__name__}: {cause}",
            fix="see the traceback with --debug",
        ) from cause
    if not found:
        raise InputError(f"source '{name}' has nothing to read: splits() is empty", where=where)
    twice = [split for split, count in Counter(found).items() if count > 1]
    if twice:
        raise InputError(
            f"source '{name}' names the split {twice[0]!r} more than once",
            where=where,
            fix="a split is read by one instance: name each once",
        )
    return found


def _counts(workflow: Workflow, workers: int, splits: dict[str, list[Key]]) -> dict[str, int]:
    counts = {}
    for name, part in workflow.elements.items():
        if name in splits:
            counts[name] = len(splits[name])
        else:
            default = workers if part._declaration.multiplies else 1
            counts[name] = workflow.instances_of(name) or default
    return counts


def _stages(
    workflow: Workflow, counts: dict[str, int], *, whole: bool, fuse: bool
) -> list[list[str]]:
    order = workflow.order()
    if whole:
        return [order]
    incoming: dict[str, list[Connection]] = defaultdict(list)
    for connection in workflow.connections:
        incoming[connection.target].append(connection)
    stage_of: dict[str, int] = {}
    stages: list[list[str]] = []
    for name in order:
        origins = {stage_of[c.source] for c in incoming[name]}
        # All inputs come from one stage, so no path can leave it and come
        # back: the stages form no cycle, and a full channel cannot deadlock.
        if fuse and len(origins) == 1 and _aligned(workflow, name, incoming[name], counts):
            stage = origins.pop()
            stages[stage].append(name)
        else:
            stage = len(stages)
            stages.append([name])
        stage_of[name] = stage
    return stages


def _aligned(
    workflow: Workflow, name: str, incoming: list[Connection], counts: dict[str, int]
) -> bool:
    if any(counts[c.source] != counts[name] for c in incoming):
        return False
    if counts[name] == 1:
        return True
    inputs = workflow.element(name)._declaration.inputs
    return all(inputs[c.input].by is None and inputs[c.input].to is None for c in incoming)


def _units(
    stages: list[list[str]],
    counts: dict[str, int],
    splits: dict[str, list[Key]],
    workers: int,
    *,
    whole: bool,
) -> list[UnitPlan]:
    def instance(name: str, index: int) -> InstancePlan:
        return InstancePlan(name, index, splits[name][index] if name in splits else None)

    if whole:
        everything = tuple(instance(n, i) for n in stages[0] for i in range(counts[n]))
        return [UnitPlan(0, 0, everything)]
    load = [(0, worker) for worker in range(workers)]
    units = []
    for number, names in enumerate(stages):
        for index in range(counts[names[0]]):
            weight, worker = heapq.heappop(load)
            heapq.heappush(load, (weight + len(names), worker))
            units.append(UnitPlan(number, worker, tuple(instance(n, index) for n in names)))
    return units


def _channels(
    workflow: Workflow, counts: dict[str, int], stages: list[list[str]]
) -> list[ChannelPlan]:
    stage_of = {name: number for number, names in enumerate(stages) for name in names}
    channels: list[ChannelPlan] = []
    first = 0
    for number, c in enumerate(workflow.connections):
        if stage_of[c.source] == stage_of[c.target]:
            continue
        made = ChannelPlan(first, number, c.source, c.target, counts[c.source], counts[c.target])
        channels.append(made)
        first += len(made)
    return channels


def _several(name: str, count: int) -> str:
    return name if count == 1 else f"{name}[0:{count}]"


def _split_text(split: Key) -> str | None:
    return None if split is None else str(split)
