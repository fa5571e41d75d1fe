"""Stages: which elements run in one unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from flowquake.topology import topological_order

if TYPE_CHECKING:
    from flowquake.workflow import Connection, Workflow


HEAVY: Final = 10.0  # the weight from which an exchange costs less than an idle worker


def build_stages(
    workflow: Workflow,
    counts: Mapping[str, int],
    partitions: Sequence[Sequence[str]] = (),
    *,
    fuse: bool = True,
) -> list[list[str]]:
    """Put elements together between which nothing has to be exchanged.

    Parameters
    ----------
    workflow : Workflow
        A valid workflow.
    counts : mapping of str to int
        Instances of each element.
    partitions : sequence of sequences of str
        Elements that are to be a stage; data does not go round between these.
    fuse : bool, default True
        Whether other elements are fused at all.

    Returns
    -------
    list of list of str
        In an order in which data flows; so are the elements of each.
    """
    incoming: dict[str, list[Connection]] = defaultdict(list)
    for connection in workflow.connections:
        incoming[connection.target].append(connection)
    place = {name: number for number, name in enumerate(workflow.order())}
    members = {names[0]: sorted(names, key=place.__getitem__) for names in partitions}
    growing = _Stages(workflow, counts)
    for node in topological_order(contracted(workflow, partitions)):
        names = members.get(node, [node])
        inside = set(names)
        arriving = [c for name in names for c in incoming[name] if c.source not in inside]
        stage = growing.to_join(node, arriving) if fuse and node not in members else None
        if stage is None:
            growing.open(names, arriving, closed=node in members)
        else:
            growing.join(node, stage)
    return growing.sorted()


def contracted(workflow: Workflow, partitions: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """Give each element's successors, each partition being its first element."""
    node_of = {name: names[0] for names in partitions for name in names}
    reached: dict[str, list[str]] = {node_of.get(name, name): [] for name in workflow}
    for c in workflow.connections:
        source, target = node_of.get(c.source, c.source), node_of.get(c.target, c.target)
        if source != target:
            reached[source].append(target)
    return reached


def exchange_reason(
    workflow: Workflow, connection: Connection, counts: Mapping[str, int]
) -> str | None:
    """Say why items of a connection must be exchanged between instances; None if they need not."""
    source, target = connection.source, connection.target
    if counts[source] != counts[target]:
        return f"'{source}' has {_instances(counts[source])} and '{target}' {counts[target]}"
    if counts[target] == 1:
        return None
    port = workflow.element(target)._declaration.inputs[connection.input]
    if port.by is None and port.to is None:
        return None
    return f"{connection} ({port.describe()}) leads from each instance to any of the others"


class _Stages:
    """Stages that grow; every channel goes from a lower level to a higher.

    So the stages form no cycle, and a full channel cannot deadlock.
    """

    def __init__(self, workflow: Workflow, counts: Mapping[str, int]) -> None:
        self._workflow = workflow
        self._counts = counts
        self._stages: list[list[str]] = []
        self._levels: list[int] = []
        self._closed: set[int] = set()
        self._stage_of: dict[str, int] = {}

    def to_join(self, name: str, arriving: Sequence[Connection]) -> int | None:
        """Give the stage that an element can join: the only one of the highest level."""
        origins = {self._stage_of[c.source] for c in arriving}
        if not origins:
            return None
        stage = max(origins, key=self._levels.__getitem__)
        level = self._levels[stage]
        is_only = all(self._levels[o] < level for o in origins if o != stage)
        near = (c for c in arriving if self._stage_of[c.source] == stage)
        if not is_only or stage in self._closed:
            return None
        if any(exchange_reason(self._workflow, c, self._counts) for c in near):
            return None
        return None if self._is_worth_dealing(name, stage) else stage

    def _is_worth_dealing(self, name: str, stage: int) -> bool:
        """Whether an element is so heavy that its items are dealt out anew.

        Behind an element that keeps keys together, one key may hold all items,
        and without an exchange one worker would have all the work.
        """
        if (self._workflow.weight_of(name) or 0.0) < HEAVY or self._counts[name] == 1:
            return False
        elements = self._workflow.elements
        return any(elements[other]._declaration.keyed for other in self._stages[stage])

    def join(self, name: str, stage: int) -> None:
        """Put an element into a stage."""
        self._stages[stage].append(name)
        self._stage_of[name] = stage

    def open(self, names: list[str], arriving: Sequence[Connection], *, closed: bool) -> None:
        """Make a stage; others may join if it is not closed."""
        stage = len(self._stages)
        origins = {self._stage_of[c.source] for c in arriving}
        self._levels.append(1 + max((self._levels[o] for o in origins), default=-1))
        self._stages.append(list(names))
        self._stage_of.update(dict.fromkeys(names, stage))
        if closed:
            self._closed.add(stage)

    def sorted(self) -> list[list[str]]:
        """Give the stages, lower levels first."""
        order = sorted(range(len(self._stages)), key=self._levels.__getitem__)
        return [self._stages[number] for number in order]


def _instances(count: int) -> str:
    return "1 instance" if count == 1 else f"{count} instances"
