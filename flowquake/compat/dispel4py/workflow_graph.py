"""dispel4py's graph of processing elements."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowquake.callers import calling_place
from flowquake.compat.dispel4py.core import GenericPE
from flowquake.errors import ConfigError, WorkflowError, suggest

if TYPE_CHECKING:
    from flowquake.compat.dispel4py.loading import Origin

_PACKAGE = __name__.rpartition(".")[0]


class WorkflowNode:
    """A PE or composite of a graph; a PE gets its id here.

    Raises
    ------
    WorkflowError
        If it is neither.
    """

    WORKFLOW_NODE_PE = 0
    WORKFLOW_NODE_FN = 1
    WORKFLOW_NODE_CP = 2
    node_counter = 0

    def __init__(self, obj: Any) -> None:
        if isinstance(obj, GenericPE):
            obj.id = f"{obj.name}{WorkflowNode.node_counter}"
            WorkflowNode.node_counter += 1
            self.nodeType = self.WORKFLOW_NODE_PE
        elif isinstance(obj, WorkflowGraph):
            self.nodeType = self.WORKFLOW_NODE_CP
        else:
            what = f"the class {obj.__name__}" if isinstance(obj, type) else f"{obj!r:.60}"
            raise WorkflowError(
                f"{what} is neither a PE nor a composite",
                where=calling_line(),
                fix="connect objects: graph.connect(Producer(), 'output', Consumer(), 'input')",
            )
        self.obj = obj

    def get_contained_object(self) -> Any:
        """Give the PE or composite."""
        return self.obj

    getContainedObject = get_contained_object


@dataclass(frozen=True, slots=True)
class Edge:
    """One connection, as it was made; its ends may be composites."""

    source: Any
    output: str
    target: Any
    input: str
    where: str | None = None


class Graph:
    """What there is to see of a graph's nodes and connections."""

    def __init__(self) -> None:
        self._nodes: list[WorkflowNode] = []
        self._edges: list[tuple[WorkflowNode, WorkflowNode, dict[str, Any]]] = []

    def nodes(self) -> list[WorkflowNode]:
        """List the nodes, in the order in which they were added."""
        return list(self._nodes)

    def edges(self, data: bool = False) -> list[tuple[Any, ...]]:
        """List the connections as pairs of nodes, with what they connect if `data`."""
        return [edge if data else edge[:2] for edge in self._edges]

    def number_of_nodes(self) -> int:
        """Count the nodes."""
        return len(self._nodes)

    def number_of_edges(self) -> int:
        """Count the connections."""
        return len(self._edges)

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[WorkflowNode]:
        return iter(self._nodes)


class WorkflowGraph:
    """A graph of PEs and composites, connected by the names of outputs and inputs.

    A composite is a graph that has ``inputmappings`` and ``outputmappings``.
    ``partitions`` may say what should run together; the planner decides that
    itself, and the results are the same.
    """

    inputmappings: dict[str, tuple[Any, str]]
    outputmappings: dict[str, tuple[Any, str]]
    partitions: list[list[Any]]
    name: str

    def __init__(self) -> None:
        self.graph = Graph()
        self.objToNode: dict[Any, WorkflowNode] = {}
        self.edges: list[Edge] = []
        self.file = calling_place(_PACKAGE)[0]
        self.origin: Origin | None = None

    def add(self, n: Any) -> WorkflowNode:
        """Add a PE or a composite; give its node."""
        if n in self.objToNode:
            return self.objToNode[n]
        node = WorkflowNode(n)
        self.graph._nodes.append(node)
        self.objToNode[n] = node
        return node

    def connect(
        self, from_node: Any, from_connection: str, to_node: Any, to_connection: str
    ) -> None:
        """Connect an output to an input; what is not in the graph is added."""
        source, target = self.add(from_node), self.add(to_node)
        edge = Edge(from_node, from_connection, to_node, to_connection, calling_line())
        self.edges.append(edge)
        seen = {
            "FROM_CONNECTION": from_connection,
            "TO_CONNECTION": to_connection,
            "DIRECTION": (from_node, to_node),
            "ALL_CONNECTIONS": [(from_connection, to_connection)],
        }
        self.graph._edges.append((source, target, seen))

    def get_contained_objects(self) -> list[Any]:
        """List the PEs and composites."""
        return [node.obj for node in self.graph]

    def propagate_types(self) -> None:
        """Tell each PE the types of what it takes, from the sources on.

        Raises
        ------
        KeyError
            If a connected output has no type.
        """
        flat = flatten(self)
        arriving: dict[Any, list[Edge]] = {}
        for edge in flat.edges:
            arriving.setdefault(edge.target, []).append(edge)
        waiting = list(flat.pes)
        done: set[Any] = set()
        while waiting:
            ready = [p for p in waiting if all(e.source in done for e in arriving.get(p, ()))]
            if not ready:
                raise WorkflowError("the graph has a cycle", fix="data flows one way")
            for pe in ready:
                edges = arriving.get(pe, ())
                pe.set_input_types({e.input: e.source.get_output_types()[e.output] for e in edges})
            done.update(ready)
            waiting = [p for p in waiting if p not in done]

    def flatten(self) -> None:
        """Replace the composites by what is in them."""
        flat = flatten(self)
        self.__dict__.update(graph=Graph(), edges=[])
        nodes, self.objToNode = self.objToNode, {}
        for pe in flat.pes:
            identity = pe.id
            node = nodes.get(pe) or WorkflowNode(pe)
            pe.id = identity
            self.objToNode[pe] = node
            self.graph._nodes.append(node)
        for edge in flat.edges:
            self.connect(edge.source, edge.output, edge.target, edge.input)

    getContainedObjects = get_contained_objects
    propagateTypes = propagate_types


@dataclass(frozen=True)
class FlatGraph:
    """A graph without composites.

    Attributes
    ----------
    pes : dict of GenericPE to str
        Each with what to write before its id: the composites it is in.
    edges : list of Edge
        Between PEs.
    """

    pes: dict[Any, str]
    edges: list[Edge]


def flatten(graph: WorkflowGraph) -> FlatGraph:
    """Look into all composites; the graph itself stays as it is.

    Raises
    ------
    WorkflowError
        If a connection names a port that a composite does not have.
    """
    pes: dict[Any, str] = {}
    edges: list[Edge] = []
    numbers = itertools.count()
    # No recursion: composites may be nested as deeply as anybody likes.
    waiting: list[tuple[WorkflowGraph, str]] = [(graph, "")]
    seen: set[int] = set()
    while waiting:
        inner, prefix = waiting.pop()
        if id(inner) in seen:
            continue
        seen.add(id(inner))
        mapped = (*vars(inner).get("inputmappings", {}).values(),)
        mapped += (*vars(inner).get("outputmappings", {}).values(),)
        for obj in (*inner.objToNode, *(end for end, _ in mapped)):
            if isinstance(obj, WorkflowGraph):
                name = getattr(obj, "name", "composite")
                waiting.append((obj, f"{prefix}{name}{next(numbers)}."))
            elif obj not in pes:
                pes[obj] = prefix
        for edge in inner.edges:
            source, output = _inside(edge.source, edge.output, "output", edge.where)
            target, taken = _inside(edge.target, edge.input, "input", edge.where)
            edges.append(Edge(source, output, target, taken, edge.where))
    return FlatGraph(pes, edges)


def _inside(end: Any, name: str, kind: str, where: str | None) -> tuple[Any, str]:
    """Follow a port of a composite to the PE that has it."""
    while isinstance(end, WorkflowGraph):
        ports: dict[str, tuple[Any, str]] = vars(end).get(f"{kind}mappings", {})
        if name not in ports:
            who = getattr(end, "name", type(end).__name__)
            raise WorkflowError(
                f"composite '{who}' has no {kind} '{name}'{suggest(str(name), ports)}",
                where=where,
                fix=f"its {kind}s are: {', '.join(ports)}"
                if ports
                else f"self._map_{kind}('{name}', pe, '{kind}')",
            )
        end, name = ports[name]
    return end, name


def draw(graph: WorkflowGraph) -> str:
    """Draw a graph in Graphviz's DOT language; composites are clusters."""
    from flowquake.compat.dispel4py.translation import translate

    return translate(graph).workflow.to_dot()


def drawDot(graph: WorkflowGraph, img_type: str = "png") -> bytes:
    """Draw a graph as an image; SVG without further ado, others by the program ``dot``.

    Raises
    ------
    ConfigError
        If there is no such program.
    """
    from flowquake.compat.dispel4py.translation import translate

    workflow = translate(graph).workflow
    if img_type == "svg":
        return workflow.to_svg().encode("utf-8")
    program = shutil.which("dot")
    if program is None:
        raise ConfigError(
            f"an image of type {img_type} needs the program dot of Graphviz",
            fix="install Graphviz, or ask for 'svg'",
        )
    drawn = subprocess.run(
        [program, "-T", img_type],
        input=workflow.to_dot().encode("utf-8"),
        capture_output=True,
        check=True,
    )
    return drawn.stdout


def write_image(graph: WorkflowGraph, filename: str, img_type: str = "png") -> None:
    """Draw a graph into a file, as `drawDot` does."""
    Path(filename).write_bytes(drawDot(graph, img_type))


def calling_line() -> str | None:
    """Name the line of the user's that called, for error texts."""
    file, line = calling_place(_PACKAGE)
    return None if file is None else f"{file}, line {line}"
