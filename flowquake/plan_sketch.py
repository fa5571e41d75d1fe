"""What a drawing of a plan shows: lanes of workers, units in them, channels between."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from flowquake.pe import Source
from flowquake.plans import Plan

if TYPE_CHECKING:
    from flowquake.workflow import Workflow

MOST_LANES = 8  # more workers than these are drawn as one lane where they are alike
MOST_NAMES = 7  # of elements in one box
MOST_INDICES = 4


@dataclass(frozen=True)
class Lane:
    """One worker, or several in a row that hold the same."""

    first: int
    last: int
    load: float

    @property
    def title(self) -> str:
        """Say which workers, and what each has to do."""
        several = self.last > self.first
        who = f"workers {self.first} to {self.last}" if several else f"worker {self.first}"
        return f"{who}, load {self.load:.3g}{' each' if several else ''}"


@dataclass(frozen=True)
class Cell:
    """The units of one stage in one lane."""

    lane: int
    stage: int
    names: tuple[str, ...]
    is_source: bool
    units: int


@dataclass(frozen=True)
class Link:
    """The channels of one connection between two stages."""

    source: int
    target: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Sketch:
    """A plan as it is drawn.

    Attributes
    ----------
    lanes : list of Lane
        From top to bottom.
    cells : list of Cell
        In the order of the stages.
    links : list of Link
        One for each connection that leaves a stage.
    """

    lanes: list[Lane]
    cells: list[Cell]
    links: list[Link]

    def of_stage(self, stage: int) -> list[Cell]:
        """Give the cells of a stage, from top to bottom."""
        return self._by_stage[stage]

    def in_lane(self, lane: int) -> list[Cell]:
        """Give the cells of a lane, in the order of the stages."""
        return self._by_lane[lane]

    @cached_property
    def _by_stage(self) -> dict[int, list[Cell]]:
        return _gathered((cell.stage, cell) for cell in self.cells)

    @cached_property
    def _by_lane(self) -> dict[int, list[Cell]]:
        return _gathered((cell.lane, cell) for cell in self.cells)


def sketch(plan: Plan, workflow: Workflow) -> Sketch:
    """Gather what a drawing of a plan shows."""
    held: list[Counter[int]] = [Counter() for _ in range(plan.workers)]
    names_of: dict[int, tuple[str, ...]] = {}
    for unit in plan.units:
        held[unit.worker][unit.stage] += 1
        if unit.stage not in names_of:
            names_of[unit.stage] = tuple(dict.fromkeys(i.element for i in unit.instances))
    lanes = _lanes(plan, held)
    lane_of = {w: number for number, lane in enumerate(lanes) for w in _workers(lane)}
    indices: dict[tuple[int, int, str], list[int]] = defaultdict(list)
    units: Counter[tuple[int, int]] = Counter()
    for unit in plan.units:
        units[unit.stage, lane_of[unit.worker]] += 1
        for instance in unit.instances:
            place = (unit.stage, lane_of[unit.worker], instance.element)
            indices[place].append(instance.index)
    cells = [
        Cell(
            lane,
            stage,
            _shown([_with(n, indices[stage, lane, n], plan.counts[n]) for n in names_of[stage]]),
            any(isinstance(workflow.element(n), Source) for n in names_of[stage]),
            count,
        )
        for (stage, lane), count in sorted(units.items())
    ]
    stage_of = {name: stage for stage, names in names_of.items() for name in names}
    links = []
    for channel in plan.channels:
        c = workflow.connections[channel.connection]
        grouping = workflow.element(c.target)._declaration.inputs[c.input].describe()
        ports = c.output if c.output == c.input else f"{c.output} to {c.input}"
        queues = f"{len(channel):,} queue{'' if len(channel) == 1 else 's'}"
        labels = (ports, f"({grouping})", queues) if grouping else (ports, queues)
        links.append(Link(stage_of[c.source], stage_of[c.target], labels))
    return Sketch(lanes, cells, links)


def _gathered(pairs: Iterable[tuple[int, Cell]]) -> dict[int, list[Cell]]:
    gathered: dict[int, list[Cell]] = defaultdict(list)
    for number, cell in pairs:
        gathered[number].append(cell)
    return gathered


def _lanes(plan: Plan, held: Sequence[Counter[int]]) -> list[Lane]:
    def kind(worker: int) -> object:
        alike = plan.workers > MOST_LANES
        return (held[worker], round(plan.loads[worker], 9)) if alike else worker

    grouped = [list(group) for _, group in groupby(range(plan.workers), key=kind)]
    return [Lane(group[0], group[-1], plan.loads[group[0]]) for group in grouped]


def _workers(lane: Lane) -> range:
    return range(lane.first, lane.last + 1)


def _shown(names: list[str]) -> tuple[str, ...]:
    if len(names) <= MOST_NAMES:
        return tuple(names)
    left_out = len(names) - MOST_NAMES + 1
    half = (MOST_NAMES - 1) // 2
    return (*names[:half], f"… {left_out:,} more …", *names[len(names) - half :])


def _with(name: str, indices: list[int], count: int) -> str:
    """Write an element with the numbers of its instances.

    Examples
    --------
    >>> _with("fit", [0], 1), _with("fit", [0, 1, 2], 5), _with("fit", [0, 2], 4)
    ('fit', 'fit[0:3]', 'fit[0, 2]')
    """
    if count == 1:
        return name
    indices = sorted(indices)
    if len(indices) > 1 and indices[-1] - indices[0] + 1 == len(indices):
        return f"{name}[{indices[0]}:{indices[-1] + 1}]"
    if len(indices) <= MOST_INDICES:
        return f"{name}[{', '.join(map(str, indices))}]"
    return f"{name}[{indices[0]}, {indices[1]}, … {indices[-1]}] ×{len(indices)}"
