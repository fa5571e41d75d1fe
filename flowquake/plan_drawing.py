"""Drawings of plans: Mermaid, DOT and SVG; workers are frames around their units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flowquake.layout import lay_out
from flowquake.plan_sketch import Cell, Link, Sketch, sketch
from flowquake.svg import BLUE, CHARACTER, ORANGE, Box, curve, document, frame, label, node

if TYPE_CHECKING:
    from flowquake.plans import Plan
    from flowquake.workflow import Workflow

MARGIN = 24.0
HEAD = 24.0  # of a lane, above its boxes
FOOT = 16.0  # of a lane, where lines pass that skip a column
BETWEEN = 12.0


def plan_to_mermaid(plan: Plan, workflow: Workflow) -> str:
    """Draw a plan as a Mermaid flowchart; workers are subgraphs."""
    drawn = sketch(plan, workflow)
    lines = ["flowchart LR"]
    for number, lane in enumerate(drawn.lanes):
        lines.append(f'  subgraph w{number}["{lane.title}"]')
        for cell in drawn.in_lane(number):
            left, right = ("([", "])") if cell.is_source else ("[", "]")
            text = "<br/>".join([*cell.names, *_times(cell)])
            lines.append(f'    {_identity(cell)}{left}"{text}"{right}')
        lines.append("  end")
    for number, link in enumerate(drawn.links):
        sources, targets = drawn.of_stage(link.source), drawn.of_stage(link.target)
        text = "<br/>".join(link.labels)
        if len(sources) == len(targets) == 1:
            lines.append(f'  {_identity(sources[0])} -->|"{text}"| {_identity(targets[0])}')
            continue
        lines.append(f'  x{number}{{{{"{text}"}}}}')
        lines += [f"  {_identity(cell)} --- x{number}" for cell in sources]
        lines += [f"  x{number} --> {_identity(cell)}" for cell in targets]
    return "\n".join(lines) + "\n"


def plan_to_dot(plan: Plan, workflow: Workflow) -> str:
    """Draw a plan in Graphviz's DOT language; workers are clusters."""
    drawn = sketch(plan, workflow)
    lines = [
        f"digraph {_quoted(plan.workflow)} {{",
        "  rankdir=LR;",
        '  node [shape=box, style=rounded, fontname="Helvetica"];',
        '  edge [fontname="Helvetica", fontsize=10];',
    ]
    for number, lane in enumerate(drawn.lanes):
        lines += [f"  subgraph cluster_{number} {{", f"    label={_quoted(lane.title)};"]
        for cell in drawn.in_lane(number):
            text = _quoted("\n".join([*cell.names, *_times(cell)]))
            lines.append(f"    {_identity(cell)} [label={text}];")
        lines.append("  }")
    for number, link in enumerate(drawn.links):
        sources, targets = drawn.of_stage(link.source), drawn.of_stage(link.target)
        text = _quoted("\n".join(link.labels))
        if len(sources) == len(targets) == 1:
            lines.append(f"  {_identity(sources[0])} -> {_identity(targets[0])} [label={text}];")
            continue
        lines.append(f"  x{number} [shape=plaintext, fontsize=10, label={text}];")
        lines += [f"  {_identity(cell)} -> x{number} [arrowhead=none];" for cell in sources]
        lines += [f"  x{number} -> {_identity(cell)};" for cell in targets]
    return "\n".join([*lines, "}"]) + "\n"


def plan_to_svg(plan: Plan, workflow: Workflow) -> str:
    """Draw a plan as SVG: workers are lanes, data flows through them to the right."""
    placed = _Placed(sketch(plan, workflow))
    return document(
        f"{plan.workflow} on {plan.workers} workers",
        placed.width,
        placed.height,
        [*placed.frames(), *placed.lines(), *placed.boxes(), *placed.labels()],
    )


class _Placed:
    """A sketch with places for everything."""

    def __init__(self, drawn: Sketch) -> None:
        self.drawn = drawn
        self.columns = _columns(drawn)
        self.column_of = {s: number for number, at in enumerate(self.columns) for s in at}
        gap_of: dict[int, list[int]] = defaultdict(list)  # links right of a column
        for number, link in enumerate(drawn.links):
            gap_of[self.column_of[link.source]].append(number)
        self.gap_of = dict(gap_of)
        self.lefts: list[float] = []
        self.widths: list[float] = []
        right = self._place_columns()
        self.places: dict[tuple[int, int], Box] = {}
        self.bands: list[tuple[float, float]] = []  # top and bottom of each lane
        bottom = self._place_cells()
        self.hubs = dict(self._hubs())
        lowest = max((hub.bottom for hub in self.hubs.values()), default=0.0)
        self.width = right + MARGIN
        self.height = max(bottom, lowest) + MARGIN

    def _place_columns(self) -> float:
        left = 2 * MARGIN
        for number, stages in enumerate(self.columns):
            cells = [cell for stage in stages for cell in self.drawn.of_stage(stage)]
            self.lefts.append(left)
            self.widths.append(max((_width(cell) for cell in cells), default=0.0))
            labels = [self.drawn.links[link].labels for link in self.gap_of.get(number, ())]
            longest = max((len(text) for lines in labels for text in lines), default=0)
            is_last = number == len(self.columns) - 1
            gap = 0.0 if is_last else 90.0 + 9.5 * CHARACTER * longest
            left += self.widths[-1] + gap
        titles = max(len(lane.title) for lane in self.drawn.lanes) * 10 * CHARACTER + 20
        return max(left, MARGIN + titles) + MARGIN

    def _place_cells(self) -> float:
        top = MARGIN
        for lane in range(len(self.drawn.lanes)):
            stacks: list[list[Cell]] = [[] for _ in self.columns]
            for cell in self.drawn.in_lane(lane):
                stacks[self.column_of[cell.stage]].append(cell)
            heights = [sum(_height(c) + BETWEEN for c in stack) - BETWEEN for stack in stacks]
            tallest = max([20.0, *heights])
            for number, (stack, height) in enumerate(zip(stacks, heights, strict=True)):
                y = top + HEAD + (tallest - height) / 2
                x = self.lefts[number] + self.widths[number] / 2
                for cell in stack:
                    box = Box(x, y + _height(cell) / 2, self.widths[number], _height(cell))
                    self.places[cell.lane, cell.stage] = box
                    y += _height(cell) + BETWEEN
            bottom = top + HEAD + tallest + FOOT
            self.bands.append((top, bottom))
            top = bottom + BETWEEN
        return top - BETWEEN

    def _hubs(self) -> Iterator[tuple[int, Box]]:
        """Give each connection a place for its label, in the middle of what it joins."""
        for column, links in self.gap_of.items():
            x = (self.lefts[column] + self.widths[column] + self.lefts[column + 1]) / 2
            wanted = sorted((self._middle(self.drawn.links[n]), n) for n in links)
            free = MARGIN + 4
            for y, number in wanted:
                labels = self.drawn.links[number].labels
                height = 11.0 * len(labels) + 10
                wide = 9.5 * CHARACTER * max(map(len, labels)) + 6
                y = max(y, free + height / 2)
                free = y + height / 2
                yield number, Box(x, y, wide, height)

    def _middle(self, link: Link) -> float:
        cells = self.drawn.of_stage(link.source) + self.drawn.of_stage(link.target)
        rows = [self.places[cell.lane, cell.stage].y for cell in cells]
        return (min(rows) + max(rows)) / 2

    def frames(self) -> Iterator[str]:
        for lane, (top, bottom) in zip(self.drawn.lanes, self.bands, strict=True):
            yield frame(MARGIN, top, self.width - MARGIN, bottom, lane.title)

    def boxes(self) -> Iterator[str]:
        for cell in self.drawn.cells:
            lines = [(name, True) for name in cell.names]
            yield node(
                self.places[cell.lane, cell.stage],
                lines + [(text, False) for text in _times(cell)],
                colours=ORANGE if cell.is_source else BLUE,
                tooltip=f"stage {cell.stage}: {', '.join(cell.names)}",
            )

    def lines(self) -> Iterator[str]:
        for number, link in enumerate(self.drawn.links):
            hub = self.hubs[number]
            for cell in self.drawn.of_stage(link.source):
                yield curve([self.places[cell.lane, cell.stage], hub], tip=False)
            for cell in self.drawn.of_stage(link.target):
                yield curve([hub, *self._way(link, cell, number), self._place(cell)])

    def _way(self, link: Link, cell: Cell, number: int) -> list[Box]:
        """Lead a line below the boxes of the columns that it skips."""
        first, last = self.column_of[link.source] + 1, self.column_of[link.target]
        if first == last:
            return []
        left, right = self.lefts[first], self.lefts[last - 1] + self.widths[last - 1]
        y = self.bands[cell.lane][1] - FOOT + 4 + 3 * (number % 4)
        return [Box((left + right) / 2, y, right - left)]

    def labels(self) -> Iterator[str]:
        for number, hub in self.hubs.items():
            for row, text in enumerate(self.drawn.links[number].labels):
                yield label(hub.x, hub.top + 14 + 11 * row, text)

    def _place(self, cell: Cell) -> Box:
        return self.places[cell.lane, cell.stage]


def _columns(drawn: Sketch) -> list[list[int]]:
    """Put each stage right of all that send to it."""
    reached: dict[str, list[str]] = {str(cell.stage): [] for cell in drawn.cells}
    for link in drawn.links:
        reached[str(link.source)].append(str(link.target))
    layers = lay_out(reached).layers
    return [sorted(int(name) for name in layer if name in reached) for layer in layers]


def _width(cell: Cell) -> float:
    large = max(map(len, cell.names)) * 13 * CHARACTER
    return max(90.0, large + 24.0)


def _height(cell: Cell) -> float:
    return 10.0 + 15.0 * (len(cell.names) + len(_times(cell)))


def _times(cell: Cell) -> list[str]:
    return [f"{cell.units:,} units"] if cell.units > 1 else []


def _identity(cell: Cell) -> str:
    return f"u{cell.lane}_{cell.stage}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
