"""A graph of dispel4py as a workflow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowquake.compat.dispel4py.core import GROUPING, GenericPE
from flowquake.compat.dispel4py.elements import Root, Step, element_class, shape_of
from flowquake.compat.dispel4py.grouping import ALL, GLOBAL, GroupBy, Grouping, read_grouping
from flowquake.compat.dispel4py.inputs import Given, assign_inputs
from flowquake.compat.dispel4py.statelessness import ends, keeps_nothing
from flowquake.compat.dispel4py.workflow_graph import Edge, FlatGraph, WorkflowGraph, flatten
from flowquake.errors import WorkflowError, suggest
from flowquake.workflow import Workflow

if TYPE_CHECKING:
    from flowquake.ports import BoundOutput

# The inputs of a run are of any type: hence Any.


@dataclass(frozen=True)
class Translation:
    """A workflow, and where its outputs are in the graph that it comes from.

    Attributes
    ----------
    workflow : Workflow
        To be run by any mapping.
    outputs : dict of (str, str) to BoundOutput
        By the id of the PE and the name of the output.
    open : list of (str, str)
        The outputs that nothing takes, in the order of the graph.
    """

    workflow: Workflow
    outputs: dict[tuple[str, str], BoundOutput[Any]]
    open: list[tuple[str, str]]


def translate(
    graph: WorkflowGraph,
    inputs: Mapping[Any, Any] | None = None,
    *,
    name: str = "dispel4py",
) -> Translation:
    """Make a workflow of a graph; the graph and its PEs stay as they are.

    Parameters
    ----------
    graph : WorkflowGraph
        With or without composites.
    inputs : mapping, optional
        For PEs that nothing feeds: a number of iterations, or a list of what
        each call of ``process`` takes; by the PE, its name or its id. A PE
        without inputs that is not named is called once.
    name : str, default "dispel4py"
        The workflow's.

    Returns
    -------
    Translation
        The workflow has one element for each PE, called by its id.

    Raises
    ------
    WorkflowError
        If a connection names an output or input that is not there.
    ConfigError
        If the inputs do not fit the graph.
    """
    flat = flatten(graph)
    _check(flat, graph)
    fed = {edge.target for edge in flat.edges}
    given = assign_inputs(flat.pes, fed, inputs or {})
    workflow = Workflow(name)
    workflow.file = graph.file
    groupings = {pe: _groupings(pe) for pe in flat.pes}
    shared = _shared(flat.edges, groupings)
    elements: dict[GenericPE, Any] = {}
    for pe, prefix in flat.pes.items():
        element, instances = _element(
            pe, graph, given.get(pe) if pe not in fed else None, groupings[pe], shared[pe]
        )
        elements[pe] = workflow.add(
            element, name=_free(f"{prefix}{pe.id}", workflow), instances=instances
        )
    for edge in flat.edges:
        workflow.connect(_output(elements, edge), _input(elements, edge))
    outputs = {
        (pe.id, port.name): getattr(element, port.port)
        for pe, element in elements.items()
        for port in element.shape.outputs
    }
    taken = {(edge.source.id, edge.output) for edge in flat.edges}
    return Translation(workflow, outputs, [place for place in outputs if place not in taken])


def to_workflow(graph: WorkflowGraph, inputs: Mapping[Any, Any] | None = None) -> Workflow:
    """Make a workflow of a graph, for `flowquake.run`; see `translate`."""
    return translate(graph, inputs).workflow


def _element(
    pe: GenericPE,
    graph: WorkflowGraph,
    given: Given | None,
    groupings: dict[Any, Grouping],
    shared: frozenset[Any],
) -> tuple[Step | Root, int | None]:
    """Make the element of a PE, and say how many instances it has."""
    if given is not None:
        made: Root = element_class(Root, shape_of(pe, None))(
            pe=pe, origin=graph.origin, given=given
        )
        return made, None
    shape = shape_of(pe, groupings)
    ports = frozenset(port.port for port in shape.inputs if port.name in shared)
    step: Step = element_class(Step, shape)(pe=pe, origin=graph.origin, shared=ports)
    return step, _instances(pe, list(groupings.values()))


def _instances(pe: GenericPE, groupings: list[Grouping]) -> int | None:
    """Say how many instances a PE has: None lets the planner make one for each worker."""
    if GLOBAL in groupings:
        return None  # of which the planner makes one
    wanted: object = pe.numprocesses
    if not isinstance(wanted, int) or wanted < 0:
        raise WorkflowError(
            f"numprocesses={wanted!r} of PE '{pe.name}' is not a whole number, 0 or more",
            fix=f"{pe.name}.numprocesses = 2",
        )
    if getattr(pe, "single", False):
        return 1
    if wanted > 1:
        return wanted
    if groupings and all(grouping == ALL for grouping in groupings):
        return 1
    # A PE that groups by keys keeps what belongs to its keys, and no more.
    by_key = any(isinstance(grouping, GroupBy) for grouping in groupings)
    return None if (by_key and not ends(pe)) or keeps_nothing(pe) else 1


def _groupings(pe: GenericPE) -> dict[Any, Grouping]:
    return {
        name: read_grouping(about.get(GROUPING), pe=pe.name, port=str(name))
        for name, about in pe.inputconnections.items()
    }


def _shared(
    edges: Iterable[Edge], groupings: Mapping[GenericPE, Mapping[Any, Grouping]]
) -> defaultdict[GenericPE, frozenset[Any]]:
    """Find the inputs whose items somebody else gets as well."""
    receivers = Counter((edge.source, edge.output) for edge in edges)
    shared: defaultdict[GenericPE, frozenset[Any]] = defaultdict(frozenset)
    for edge in edges:
        to_all = groupings[edge.target].get(edge.input) == ALL
        if to_all or receivers[edge.source, edge.output] > 1:
            shared[edge.target] |= {edge.input}
    return shared


def _check(flat: FlatGraph, graph: WorkflowGraph) -> None:
    if not flat.pes:
        raise WorkflowError(
            "the graph has no PEs", where=graph.file, fix="graph.connect(a, 'output', b, 'input')"
        )
    for edge in flat.edges:
        ends_ = (
            ("output", edge.output, edge.source, edge.source.outputconnections),
            ("input", edge.input, edge.target, edge.target.inputconnections),
        )
        for kind, name, pe, known in ends_:
            if name not in known:
                names = list(map(str, known))
                raise WorkflowError(
                    f"PE '{pe.name}' has no {kind} '{name}'{suggest(str(name), names)}",
                    where=edge.where,
                    fix=f"its {kind}s are: {', '.join(names) or 'none'}",
                )
    for part in vars(graph).get("partitions", ()):
        for pe in part:
            if pe not in flat.pes and not isinstance(pe, WorkflowGraph):
                raise WorkflowError(
                    f"graph.partitions names {getattr(pe, 'name', pe)!r}, which the graph lacks",
                    where=graph.file,
                    fix="name PEs of the graph, or leave the partitions out",
                )


def _free(name: str, workflow: Workflow) -> str:
    """Give a name that no other element has; ids of other processes may be alike."""
    free, number = name, 2
    while free in workflow.elements:
        free, number = f"{name}_{number}", number + 1
    return free


def _output(elements: Mapping[GenericPE, Any], edge: Edge) -> Any:  # of items of any type
    element = elements[edge.source]
    return getattr(element, element.ports[edge.output])


def _input(elements: Mapping[GenericPE, Any], edge: Edge) -> Any:  # of items of any type
    element = elements[edge.target]
    port = next(port.port for port in element.shape.inputs if port.name == edge.input)
    return getattr(element, port)
