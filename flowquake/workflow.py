"""Workflows: processing elements and the connections between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar, overload

from flowquake.callers import calling_place
from flowquake.chaining import Port, only_port
from flowquake.errors import WorkflowError, suggest
from flowquake.pe import ProcessingElement, snake_case
from flowquake.ports import BoundInput, BoundOutput
from flowquake.sizing import Sizing
from flowquake.topology import topological_order
from flowquake.validation import connection_fault, find_faults

if TYPE_CHECKING:
    import networkx

P = TypeVar("P", bound=ProcessingElement)
C = TypeVar("C", bound="Composite")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Connection:
    """One edge: from an output of one element to an input of another."""

    source: str
    output: str
    target: str
    input: str

    def __str__(self) -> str:
        return f"{self.source}.{self.output} -> {self.target}.{self.input}"


class Workflow:
    """A directed graph of processing elements.

    Parameters
    ----------
    name : str, default "workflow"
        Shown in errors, drawings and runs.

    Examples
    --------
    >>> from flowquake import element
    >>> @element
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> workflow = Workflow("doubling")
    >>> first, second = double(), double()
    >>> _ = workflow.add(first, name="first"), workflow.add(second, name="second")
    >>> workflow.connect(first.out, second.x)
    >>> [str(connection) for connection in workflow.connections]
    ['first.out -> second.x']
    """

    def __init__(self, name: str = "workflow") -> None:
        self.name = name
        self.file = calling_place(__name__)[0]
        self._elements: dict[str, ProcessingElement] = {}
        self._names: dict[int, str] = {}
        self._sizing: dict[str, Sizing] = {}
        self._connections: list[Connection] = []

    def __setstate__(self, state: dict[str, Any]) -> None:
        # The names go by the identity of the elements, which are new ones here.
        self.__dict__.update(state)
        self._names = {id(part): name for name, part in self._elements.items()}

    @property
    def where(self) -> str:
        """Name file and workflow, for error texts."""
        return f"{self.file}, workflow '{self.name}'" if self.file else f"workflow '{self.name}'"

    @property
    def elements(self) -> dict[str, ProcessingElement]:
        """The elements by name, in the order in which they were added."""
        return dict(self._elements)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The connections, in the order in which they were made."""
        return tuple(self._connections)

    def instances_of(self, name: str) -> int | None:
        """Give the number of instances asked for, or None for the planner's choice."""
        return self._sizing.get(name, Sizing()).instances

    def weight_of(self, name: str) -> float | None:
        """Give how much an item costs in an element, relative to others, or None if not said."""
        return self._sizing.get(name, Sizing()).weight

    @overload
    def add(
        self,
        part: P,
        *,
        name: str | None = ...,
        instances: int | None = ...,
        weight: float | None = ...,
    ) -> P: ...
    @overload
    def add(self, part: C, *, name: str | None = ...) -> C: ...
    def add(
        self,
        part: ProcessingElement | Composite,
        *,
        name: str | None = None,
        instances: int | None = None,
        weight: float | None = None,
    ) -> ProcessingElement | Composite:
        """Add an element or a composite.

        Parameters
        ----------
        part : ProcessingElement or Composite
            What to add; the elements of a composite are named
            ``<composite>.<element>``.
        name : str, optional
            Default: the class's name in snake case, or the composite's.
        instances : int, optional
            How many instances to run; default: the planner's choice.
        weight : float, optional
            What an item costs in this element, relative to the others' 1.0;
            the planner spreads the load over workers by it. From 10 on, items
            that come from an element with keys are dealt out to all workers.

        Returns
        -------
        ProcessingElement or Composite
            What was added.

        Raises
        ------
        WorkflowError
            If the name is taken, the element is in the workflow already, or
            it cannot have that many instances.
        ConfigError
            If the weight is no positive number.
        """
        if isinstance(part, Composite):
            self._include(part, name or part.name)
            return part
        if not isinstance(part, ProcessingElement):
            raise WorkflowError(
                f"{part!r:.60} is not a processing element",
                where=self.where,
                fix="add an instance: workflow.add(SelectMagnitude(minimum=2.0))",
            )
        sizing = Sizing(instances, weight)
        self._register(part, name or snake_case(type(part).__name__), sizing)
        return part

    def connect(self, output: BoundOutput[T], input: BoundInput[T]) -> None:  # noqa: A002 - as in the error texts
        """Connect an output to an input; elements not yet added are added.

        Raises
        ------
        WorkflowError
            If the types do not fit, or the two are swapped.
        """
        given: tuple[object, object] = (output, input)
        if not (isinstance(given[0], BoundOutput) and isinstance(given[1], BoundInput)):
            swapped = isinstance(given[0], BoundInput) and isinstance(given[1], BoundOutput)
            raise WorkflowError(
                f"connect({output!r}, {input!r}) needs an output first and then an input",
                where=self.where,
                fix=f"workflow.connect({input!r}, {output!r})"
                if swapped
                else "workflow.connect(reader.catalog, select.events)",
            )
        source, target = self._name_of(output), self._name_of(input)
        connection = Connection(source, output.port.name, target, input.port.name)
        fault = connection_fault(connection, output.port, input.port)
        if fault:
            raise WorkflowError(fault, where=self.where)
        self._connections.append(connection)

    def chain(self, *parts: ProcessingElement | Composite) -> None:
        """Connect elements one after the other, each by its only output and input.

        Raises
        ------
        WorkflowError
            If an element has several ports to choose from, or none.
        """
        for first, second in pairwise(parts):
            output: BoundOutput[Any] = only_port(first, BoundOutput, "output", self.where)
            self.connect(output, only_port(second, BoundInput, "input", self.where))

    def name_of(self, element: ProcessingElement) -> str:
        """Give the name of an element of this workflow.

        Raises
        ------
        WorkflowError
            If it was never added.
        """
        try:
            return self._names[id(element)]
        except KeyError:
            raise WorkflowError(
                f"{type(element).__name__} is not part of the workflow", where=self.where
            ) from None

    def element(self, name: str) -> ProcessingElement:
        """Give the element of a name.

        Raises
        ------
        WorkflowError
            If there is none; with the nearest name.
        """
        try:
            return self._elements[name]
        except KeyError:
            raise WorkflowError(
                f"there is no element '{name}'{suggest(name, self._elements)}", where=self.where
            ) from None

    def successors(self) -> dict[str, list[str]]:
        """Give for each element the elements that its outputs reach."""
        reached: dict[str, list[str]] = {name: [] for name in self._elements}
        for connection in self._connections:
            reached[connection.source].append(connection.target)
        return reached

    def order(self) -> list[str]:
        """Sort the elements topologically."""
        return topological_order(self.successors())

    def faults(self) -> list[str]:
        """List everything that is wrong with the workflow."""
        return find_faults(self)

    def validate(self) -> None:
        """Check the workflow; every fault is reported at once.

        Raises
        ------
        WorkflowError
            If there is any.
        """
        faults = self.faults()
        if len(faults) == 1:
            message, _, fix = faults[0].partition("\n  Fix:   ")
            raise WorkflowError(message, where=self.where, fix=fix or None)
        if faults:
            lines = "\n".join(f"- {fault}" for fault in faults)
            raise WorkflowError(f"{len(faults)} faults:\n{lines}", where=self.where)

    def to_networkx(self) -> networkx.MultiDiGraph[str]:
        """Give the graph as a networkx multigraph."""
        from flowquake.drawing import to_networkx

        return to_networkx(self)

    def to_mermaid(self) -> str:
        """Draw the graph as a Mermaid flowchart."""
        from flowquake.drawing import to_mermaid

        return to_mermaid(self)

    def to_dot(self) -> str:
        """Draw the graph in Graphviz's DOT language; composites are clusters."""
        from flowquake.drawing import to_dot

        return to_dot(self)

    def to_svg(self) -> str:
        """Draw the graph as SVG."""
        from flowquake.drawing import to_svg

        return to_svg(self)

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} '{self.name}': {len(self._elements)} elements, "
            f"{len(self._connections)} connections>"
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._elements)

    def _name_of(self, port: Port) -> str:
        part = port.element
        if id(part) not in self._names:
            if port.through is None:
                self.add(part)
            else:
                self.add(port.through)
        return self._names[id(part)]

    def _register(self, part: ProcessingElement, name: str, sizing: Sizing) -> None:
        if id(part) in self._names:
            raise WorkflowError(
                f"this {type(part).__name__} is in the workflow already, as "
                f"'{self._names[id(part)]}'",
                where=self.where,
                fix="make a second object for a second step",
            )
        if name in self._elements:
            raise WorkflowError(
                f"two elements are called '{name}'",
                where=self.where,
                fix=f"workflow.add({type(part).__name__}(...), name='{name}_2')",
            )
        part._check_types(name, self.where)
        sizing.check(part, name, self.where)
        self._sizing[name] = sizing
        self._elements[name] = part
        self._names[id(part)] = name

    def _include(self, composite: Composite, prefix: str) -> None:
        for name, part in composite._elements.items():
            self._register(part, f"{prefix}.{name}", composite._sizing[name])
        self._connections.extend(
            Connection(f"{prefix}.{c.source}", c.output, f"{prefix}.{c.target}", c.input)
            for c in composite._connections
        )


class Composite(Workflow):
    """A workflow with ports, to be added to others as one step.

    Examples
    --------
    >>> from flowquake import element
    >>> @element
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> inner = double()
    >>> twice = Composite("twice")
    >>> _ = twice.add(inner)
    >>> twice.expose(number=inner.x, doubled=inner.out)
    >>> outer = Workflow("outer")
    >>> _ = outer.add(twice)
    >>> list(outer)
    ['twice.double']
    """

    def __init__(self, name: str = "composite") -> None:
        super().__init__(name)
        self._ports: dict[str, Port] = {}

    def expose(self, **ports: Port) -> None:
        """Give inner ports names on the outside.

        Raises
        ------
        WorkflowError
            If a port belongs to no element of the composite, or a name is
            taken.
        """
        for name, port in ports.items():
            self.name_of(port.element)
            if name in self._ports or hasattr(type(self), name) or name in vars(self):
                raise WorkflowError(
                    f"composite '{self.name}' cannot call a port '{name}': the name is taken",
                    where=self.where,
                    fix=f"expose({name}_port=...)",
                )
            # Seen from outside, the port brings the whole composite along.
            self._ports[name] = type(port)(port.element, port.port, through=self)  # type: ignore[arg-type]  # of one kind

    # Typed as Any: an exposed port may be an input or an output of any type.
    def __getattr__(self, name: str) -> Any:
        ports: dict[str, Any] = self.__dict__.get("_ports", {})
        if name in ports:
            return ports[name]
        raise AttributeError(
            f"composite '{self.__dict__.get('name', '')}' has no port '{name}'"
            + suggest(name, ports)
        )
