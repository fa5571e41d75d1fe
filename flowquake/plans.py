"""What a plan is made of: instances, units and channels, as data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowquake.ports import Key

if TYPE_CHECKING:
    from flowquake.workflow import Workflow


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
    loads : tuple of float
        What each worker has to do, in weights; an element that says nothing
        weighs 1, and its instances share that.
    """

    workflow: str
    workers: int
    counts: dict[str, int]
    units: tuple[UnitPlan, ...]
    channels: tuple[ChannelPlan, ...]
    is_whole: bool = False
    loads: tuple[float, ...] = ()

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
            "loads": list(self.loads),
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
        if self.workers > 1:
            mean = sum(self.loads) / self.workers
            lines.append(f"  load: busiest worker {max(self.loads):.3g}, mean {mean:.3g}")
        lines.append(f"  channels between units: {sum(map(len, self.channels))}")
        lines += [
            f"    {_several(c.source, c.senders)} -> {_several(c.target, c.receivers)}"
            for c in self.channels
        ]
        return "\n".join(lines)

    def to_mermaid(self, workflow: Workflow) -> str:
        """Draw the plan of a workflow as a Mermaid flowchart; workers are subgraphs."""
        from flowquake.plan_drawing import plan_to_mermaid

        return plan_to_mermaid(self, workflow)

    def to_dot(self, workflow: Workflow) -> str:
        """Draw the plan of a workflow in Graphviz's DOT language; workers are clusters."""
        from flowquake.plan_drawing import plan_to_dot

        return plan_to_dot(self, workflow)

    def to_svg(self, workflow: Workflow) -> str:
        """Draw the plan of a workflow as SVG; workers are lanes."""
        from flowquake.plan_drawing import plan_to_svg

        return plan_to_svg(self, workflow)


def _several(name: str, count: int) -> str:
    return name if count == 1 else f"{name}[0:{count}]"


def _split_text(split: Key) -> str | None:
    return None if split is None else str(split)
