"""Drawings of workflows: Mermaid, DOT and SVG."""

from __future__ import annotations

import io
from collections import defaultdict
from typing import TYPE_CHECKING

from flowquake.pe import Source
from flowquake.topology import topological_order

if TYPE_CHECKING:
    import networkx

    from flowquake.workflow import Connection, Workflow


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
    """Draw the graph as SVG: sources left, data flows to the right."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    places = _places(workflow)
    columns = max((x for x, _ in places.values()), default=0) + 1
    rows = max((y for _, y in places.values()), default=0) + 1
    figure = Figure(figsize=(2.6 * columns, 1.15 * rows + 0.5))
    FigureCanvasSVG(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(rows - 0.4, -0.6)
    axes.axis("off")
    for c in workflow.connections:
        (x0, y0), (x1, y1) = places[c.source], places[c.target]
        axes.add_patch(
            FancyArrowPatch(
                (x0 + 0.36, y0),
                (x1 - 0.36, y1),
                arrowstyle="-|>",
                mutation_scale=11,
                color="#66788a",
                linewidth=1.1,
                connectionstyle="arc3,rad=0.0" if x1 - x0 <= 1 else "arc3,rad=-0.12",
            )
        )
    for name, (x, y) in places.items():
        part = workflow.elements[name]
        color = "#fde8d0" if isinstance(part, Source) else "#e3eef8"
        axes.add_patch(
            FancyBboxPatch(
                (x - 0.34, y - 0.24),
                0.68,
                0.48,
                boxstyle="round,pad=0.02",
                facecolor=color,
                edgecolor="#345",
                linewidth=0.9,
            )
        )
        axes.text(x, y - 0.06, _short(name), ha="center", va="center", fontsize=8.5)
        axes.text(
            x, y + 0.12, type(part).__name__, ha="center", va="center", fontsize=6.5, color="#567"
        )
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def _places(workflow: Workflow) -> dict[str, tuple[int, int]]:
    """Put each element one column after the last of those before it."""
    successors = workflow.successors()
    # A drawing of a faulty graph is still wanted: nodes on a cycle go first.
    order = topological_order(successors)
    column = dict.fromkeys(successors, 0)
    for name in order:
        for target in successors[name]:
            column[target] = max(column[target], column[name] + 1)
    filled: dict[int, int] = defaultdict(int)
    places = {}
    for name in [*order, *(n for n in successors if n not in order)]:
        places[name] = (column[name], filled[column[name]])
        filled[column[name]] += 1
    return places


def _groups(workflow: Workflow) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in workflow:
        groups[name.rpartition(".")[0]].append(name)
    return groups


def _edge_label(workflow: Workflow, connection: Connection) -> str:
    port = workflow.elements[connection.target]._declaration.inputs[connection.input]
    grouping = port.describe()
    ports = (
        connection.output
        if connection.output == connection.input
        else f"{connection.output} to {connection.input}"
    )
    return f"{ports} ({grouping})" if grouping else ports


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _short(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:18]}…"
