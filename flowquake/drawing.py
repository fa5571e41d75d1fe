"""Drawings of workflows: Mermaid, DOT and SVG."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from flowquake.layout import lay_out
from flowquake.pe import ProcessingElement, Source
from flowquake.svg import BLUE, ORANGE, Box, curve, document, frame, label, node

if TYPE_CHECKING:
    import networkx

    from flowquake.workflow import Connection, Workflow

MARGIN = 34.0
ROW = 84.0  # height of a row, pixels


def to_networkx(workflow: Workflow) -> networkx.MultiDiGraph[str]:
    """Give the graph as a networkx multigraph; edges carry the ports' names."""
    import networkx

    graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph(name=workflow.name)
    for name, part in workflow.elements.items():
        graph.add_node(name, kind=type(part).__name__)
    for c in workflow.connections:
        graph.add_edge(c.source, c.target, output=c.output, input=c.input)
    return graph


def to_mermaid(workflow: Workflow) -> str:
    """Draw the graph as a Mermaid flowchart; composites are subgraphs."""
    identity = {name: f"n{number}" for number, name in enumerate(workflow)}
    lines = ["flowchart LR"]

    def node(name: str, indent: str) -> str:
        part = workflow.elements[name]
        left, right = ("([", "])") if isinstance(part, Source) else ("[", "]")
        label = f"{name.rpartition('.')[2]}<br/><i>{type(part).__name__}</i>"
        return f'{indent}{identity[name]}{left}"{label}"{right}'

    for number, (group, names) in enumerate(_groups(workflow).items()):
        if group:
            lines.append(f'  subgraph g{number}["{group}"]')
        lines.extend(node(name, "    " if group else "  ") for name in names)
        if group:
            lines.append("  end")
    lines.extend(
        f'  {identity[c.source]} -->|"{_edge_label(workflow, c)}"| {identity[c.target]}'
        for c in workflow.connections
    )
    return "\n".join(lines) + "\n"


def to_dot(workflow: Workflow) -> str:
    """Draw the graph in DOT; composites are clusters."""
    lines = [
        f"digraph {_quoted(workflow.name)} {{",
        "  rankdir=LR;",
        '  node [shape=box, style=rounded, fontname="Helvetica"];',
        '  edge [fontname="Helvetica", fontsize=10];',
    ]
    for number, (group, names) in enumerate(_groups(workflow).items()):
        indent = "    " if group else "  "
        if group:
            lines += [f"  subgraph cluster_{number} {{", f"    label={_quoted(group)};"]
        for name in names:
            kind = type(workflow.elements[name]).__name__
            label = _quoted(f"{name.rpartition('.')[2]}\n{kind}")
            lines.append(f"{indent}{_quoted(name)} [label={label}];")
        if group:
            lines.append("  }")
    lines += [
        f"  {_quoted(c.source)} -> {_quoted(c.target)} [label={_quoted(_edge_label(workflow, c))}];"
        for c in workflow.connections
    ]
    return "\n".join([*lines, "}"]) + "\n"


def to_svg(workflow: Workflow) -> str:
    """Draw the graph as SVG: sources left, data flows to the right.

    Composites are frames around their elements, where no other element is in
    the way. A tooltip gives an element's parameters.
    """
    places, routes, width, height = _places(workflow)
    parts = [
        *_frames(workflow, places),
        *_edges(workflow, places, routes),
        *(_node(name, workflow.element(name), places[name]) for name in workflow),
    ]
    return document(workflow.name, width, height, parts)


class _Drawn(NamedTuple):
    """Boxes of nodes and bends, the bends of each edge, and the drawing's size."""

    places: dict[str, Box]
    routes: dict[tuple[str, str], list[str]]
    width: float
    height: float


def _places(workflow: Workflow) -> _Drawn:
    layout = lay_out(workflow.successors())
    labels: dict[str, int] = defaultdict(int)  # of the edges out of an element
    for c in workflow.connections:
        labels[c.source] = max(labels[c.source], *map(len, _edge_lines(workflow, c)))
    elements = workflow.elements
    rows = max(map(len, layout.layers), default=1)
    places: dict[str, Box] = {}
    left = float(MARGIN)
    right = left
    for names in layout.layers:
        inside = [name for name in names if name in elements]
        widths = {name: _node_width(name, workflow.element(name)) for name in inside}
        widest = max(widths.values(), default=0.0)
        top = MARGIN + ROW * (rows - len(names)) / 2 + ROW / 2
        for number, name in enumerate(names):
            box = Box(left + widest / 2, top + ROW * number, widths.get(name, widest))
            places[name] = box
        right = left + widest
        longest = max((labels[name] for name in names), default=0)
        left = right + max(60.0, 5.6 * longest + 30.0)
    return _Drawn(places, layout.routes, right + MARGIN, 2 * MARGIN + ROW * rows)


def _node_width(name: str, part: ProcessingElement) -> float:
    longest = max(len(_short(name)) * 7.4, len(_short(type(part).__name__)) * 5.8)
    return max(90.0, longest + 24.0)


def _node(name: str, part: ProcessingElement, box: Box) -> str:
    settings = "\n".join(f"{key} = {value!r:.60}" for key, value in part.parameters().items())
    return node(
        box,
        [(_short(name), True), (_short(type(part).__name__), False)],
        colours=ORANGE if isinstance(part, Source) else BLUE,
        tooltip=f"{name}: {type(part).__name__}\n{settings}".strip(),
    )


def _edges(
    workflow: Workflow, places: dict[str, Box], routes: dict[tuple[str, str], list[str]]
) -> Iterator[str]:
    labels: dict[tuple[str, str], list[str]] = defaultdict(list)
    for c in workflow.connections:
        labels[c.source, c.target] += _edge_lines(workflow, c)
    for (source, target), names in labels.items():
        first, last = places[source], places[target]
        stops = [first, *(places[bend] for bend in routes[source, target]), last]
        yield curve(stops)
        end = stops[1].left - (4 if stops[1] is last else 0)
        x, y = (first.right + end) / 2, (first.y + stops[1].y) / 2
        lines = list(dict.fromkeys(names))
        for number, text in enumerate(lines):
            times = f" ×{names.count(text)}" if names.count(text) > 1 else ""
            below = 11 * (number - (len(lines) > 1))
            yield label(x, y - 4 + below, text + times)


def _frames(workflow: Workflow, places: dict[str, Box]) -> Iterator[str]:
    for group, names in _groups(workflow).items():
        inside = [name for name in workflow if group and name.startswith(f"{group}.")]
        if not inside or not names:
            continue
        depth = 10 * max(0, max(name.count(".") for name in inside) - group.count(".") - 1)
        left = min(places[name].left for name in inside) - 12 - depth
        right = max(places[name].right for name in inside) + 12 + depth
        top = min(places[name].y for name in inside) - 40 - depth
        bottom = max(places[name].y for name in inside) + 30 + depth
        foreign = (places[name] for name in workflow if name not in inside)
        if any(
            box.right > left and box.left < right and top < box.y + 20 and box.y - 20 < bottom
            for box in foreign
        ):
            continue
        yield frame(left, top, right, bottom, group)


def _groups(workflow: Workflow) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in workflow:
        groups[name.rpartition(".")[0]].append(name)
    return groups


def _edge_lines(workflow: Workflow, connection: Connection) -> list[str]:
    """Say which ports an edge joins, and how the input groups."""
    port = workflow.element(connection.target)._declaration.inputs[connection.input]
    grouping = port.describe()
    same = connection.output == connection.input
    ports = connection.output if same else f"{connection.output} to {connection.input}"
    return [ports, f"({grouping})"] if grouping else [ports]


def _edge_label(workflow: Workflow, connection: Connection) -> str:
    return " ".join(_edge_lines(workflow, connection))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _short(name: str) -> str:
    name = name.rpartition(".")[2]
    return name if len(name) <= 32 else f"{name[:20]}…{name[-11:]}"
