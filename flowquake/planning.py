"""The plan: which instances there are, what runs together, and where."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from flowquake.errors import ConfigError, FlowquakeError, InputError, PEError
from flowquake.keys import normalise
from flowquake.partitions import Partitions, partition_count, read_partitions
from flowquake.pe import Source
from flowquake.placement import UNIT_LOAD, Batch, Share, allot, place
from flowquake.plans import ChannelPlan, InstancePlan, Plan, UnitPlan
from flowquake.ports import Key
from flowquake.staging import build_stages

if TYPE_CHECKING:
    from flowquake.workflow import Workflow

__all__ = ["ChannelPlan", "InstancePlan", "Plan", "UnitPlan", "plan"]


def plan(
    workflow: Workflow,
    workers: int = 1,
    *,
    fuse: bool = True,
    partitions: Sequence[Sequence[str]] | None = None,
    cores: int | None = None,
) -> Plan:
    """Lay a workflow out over workers.

    Elements between which nothing has to be exchanged are fused into one
    stage. The units of the stages are given to the workers with the least to
    do, the heaviest first; the load of a unit is the sum of its elements'
    weights, each divided by the number of instances that share the items.
    Where no weight was stated, instances are spread evenly. The same workflow
    gives the same plan.

    Parameters
    ----------
    workflow : Workflow
        A valid workflow.
    workers : int, default 1
        Number of workers, at least 1.
    fuse : bool, default True
        Whether to fuse at all; if not, every element is a stage.
    partitions : sequence of sequences of str, optional
        Elements that are to run together, each list as one stage on workers of
        its own as far as there are any. Elements that are not named are
        planned as usual. On one worker everything runs together.
    cores : int, optional
        How many cores the workers share; no element gets more instances than
        that by default.

    Returns
    -------
    Plan
        Pure data.

    Raises
    ------
    WorkflowError
        If the workflow has faults.
    ConfigError
        If `workers` or `cores` is below 1, or elements cannot run together.
    InputError
        If a source has no splits.

    Examples
    --------
    >>> from flowquake import Workflow, element
    >>> from flowquake.testing import replay
    >>> @element
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> workflow = Workflow("doubling")
    >>> workflow.chain(replay([1, 2, 3]), double())
    >>> print(plan(workflow, 2).describe())
    doubling: 2 workers
      worker 0, stage 0: replay
      worker 1, stage 1: double[0]
      worker 0, stage 1: double[1]
      load: busiest worker 1.5, mean 1
      channels between units: 2
        replay -> double[0:2]
    """
    for name, number in (("workers", workers), ("cores", cores)):
        if number is not None and number < 1:
            raise ConfigError(f"{name}={number} must be at least 1", fix=f"{name}=1 or more")
    workflow.validate()
    named = read_partitions(workflow, partitions)
    splits = _splits(workflow)
    fixed = _fixed_counts(workflow, splits)
    most = workers if cores is None else min(workers, cores)
    if fuse and workers == 1:
        return _whole(workflow, {name: fixed.get(name, most) for name in workflow}, splits)
    allotted = _allotted(workflow, named, fixed, workers)
    counts = _counts(workflow, named, fixed, allotted, most)
    stages = build_stages(workflow, counts, named, fuse=fuse)
    workers_of = {n: given for names, given in zip(named, allotted, strict=False) for n in names}
    batches = [
        Batch(
            number,
            counts[names[0]],
            sum(_load(workflow, name, counts[name]) for name in names),
            workers_of.get(names[0], allotted[-1]),
            any(workflow.weight_of(name) is not None for name in names),
        )
        for number, names in enumerate(stages)
    ]
    placed, loads = place(batches, workers)
    units = [
        UnitPlan(number, worker, tuple(_instance(n, index, splits) for n in names))
        for number, names in enumerate(stages)
        for index, worker in enumerate(placed[number])
    ]
    return Plan(
        workflow.name,
        workers,
        counts,
        tuple(units),
        tuple(_channels(workflow, counts, stages)),
        loads=tuple(load / UNIT_LOAD for load in loads),
    )


def _whole(workflow: Workflow, counts: dict[str, int], splits: Mapping[str, list[Key]]) -> Plan:
    everything = tuple(_instance(n, i, splits) for n in workflow.order() for i in range(counts[n]))
    load = sum(_load(workflow, name, count) * count for name, count in counts.items())
    unit = UnitPlan(0, 0, everything)
    return Plan(workflow.name, 1, counts, (unit,), (), is_whole=True, loads=(load / UNIT_LOAD,))


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


def _fixed_counts(workflow: Workflow, splits: Mapping[str, list[Key]]) -> dict[str, int]:
    """Give the instances of those elements whose number is not the planner's to choose."""
    fixed = {}
    for name, part in workflow.elements.items():
        asked = workflow.instances_of(name)
        if name in splits:
            fixed[name] = len(splits[name])
        elif asked is not None or not part._declaration.multiplies:
            fixed[name] = asked or 1
    return fixed


def _allotted(
    workflow: Workflow, partitions: Partitions, fixed: Mapping[str, int], workers: int
) -> list[range]:
    """Give the workers of each partition, and last those of all other elements."""
    named = {name for names in partitions for name in names}
    others = [name for name in workflow if name not in named]
    shares = [
        Share(_weight(workflow, names), next((fixed[n] for n in names if n in fixed), None))
        for names in partitions
    ]
    apart = bool(others) and workers > len(partitions)
    if apart:
        # Each unit of theirs can use a worker.
        most = None if set(others) - set(fixed) else sum(fixed[name] for name in others)
        shares.append(Share(_weight(workflow, others), most))
    allotted = allot(shares, workers)
    return allotted if apart else [*allotted, range(workers)]


def _counts(
    workflow: Workflow,
    partitions: Partitions,
    fixed: Mapping[str, int],
    allotted: Sequence[range],
    most: int,
) -> dict[str, int]:
    others = min(most, len(allotted[-1]))
    counts = {name: fixed.get(name, others) for name in workflow}
    for names, workers in zip(partitions, allotted, strict=False):
        count = partition_count(workflow, names, fixed, min(most, len(workers)))
        counts.update(dict.fromkeys(names, count))
    return counts


def _weight(workflow: Workflow, names: Iterable[str]) -> float:
    return sum(workflow.weight_of(name) or 1.0 for name in names)


def _load(workflow: Workflow, name: str, count: int) -> int:
    """Give the load of one instance; a copy to all is not shared out."""
    is_shared = not workflow.element(name)._declaration.side_only
    return round(UNIT_LOAD * _weight(workflow, [name]) / (count if is_shared else 1))


def _instance(name: str, index: int, splits: Mapping[str, list[Key]]) -> InstancePlan:
    return InstancePlan(name, index, splits[name][index] if name in splits else None)


def _channels(
    workflow: Workflow, counts: Mapping[str, int], stages: Sequence[Sequence[str]]
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
