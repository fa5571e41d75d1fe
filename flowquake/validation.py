"""The rules that a workflow must keep."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flowquake.declaration import handler_faults
from flowquake.pe import Source
from flowquake.ports import Input, Output, fits
from flowquake.topology import find_cycle

if TYPE_CHECKING:
    from flowquake.workflow import Connection, Workflow


def connection_fault(connection: Connection, output: Output[Any], port: Input[Any]) -> str | None:
    """Say why an output may not enter an input, or None."""
    if fits(output.type, port.type) or output.type is object:
        return None
    return (
        f"{connection}: the output carries {output.type.__name__}, "
        f"the input takes {port.type.__name__}"
    )


def find_faults(workflow: Workflow) -> list[str]:
    """List every fault of a workflow, each with its fix."""
    elements = workflow.elements
    if not elements:
        return ["the workflow has no elements\n  Fix:   workflow.add(...)"]
    faults = _unconnected_inputs(workflow)
    cycle = find_cycle(workflow.successors())
    if cycle:
        faults.append(
            f"the workflow has a cycle: {' -> '.join(cycle)}\n"
            "  Fix:   remove one of these connections; data flows one way"
        )
    faults += [
        f"{connection} is there {count} times and the receiver keeps state\n  Fix:   connect once"
        for connection, count in Counter(workflow.connections).items()
        if count > 1 and elements[connection.target]._declaration.state is not None
    ]
    faults += _unordered_inputs(workflow)
    for name, part in elements.items():
        faults += [f"'{name}': {fault}" for fault in handler_faults(type(part), part._declaration)]
        if not part._declaration.inputs and not part._declaration.is_source:
            faults.append(
                f"'{name}' ({type(part).__name__}) has no input and is not a Source\n"
                "  Fix:   declare an Input, or derive it from Source"
            )
    return faults


def _unconnected_inputs(workflow: Workflow) -> list[str]:
    connected = {(c.target, c.input) for c in workflow.connections}
    faults = []
    for name, part in workflow.elements.items():
        inputs = part._declaration.inputs
        none_connected = not any((name, port_name) in connected for port_name in inputs)
        for port_name, port in inputs.items():
            if (name, port_name) in connected or (port.optional and not none_connected):
                continue
            faults.append(
                f"input '{port_name}' of PE '{name}' is not connected.\n"
                f"  Fix:   workflow.connect({_possible_source(workflow, name, port)}, "
                f"{name}.{port_name})"
            )
    return faults


def _possible_source(workflow: Workflow, target: str, port: Input[Any]) -> str:
    for name, part in workflow.elements.items():
        for output_name, output in part._declaration.outputs.items():
            if name != target and fits(output.type, port.type):
                return f"{name}.{output_name}"
    return "source.port"


def _unordered_inputs(workflow: Workflow) -> list[str]:
    """Find stateful elements whose result would depend on the order of arrival."""
    faults = []
    arriving: dict[str, list[Connection]] = {}
    for connection in workflow.connections:
        arriving.setdefault(connection.target, []).append(connection)
    for name, part in workflow.elements.items():
        declared = part._declaration
        if declared.state is None:
            continue
        channels = arriving.get(name, [])
        several = len(channels) > 1 or any(
            workflow.elements[c.source]._declaration.multiplies or _has_splits(workflow, c.source)
            for c in channels
        )
        if not several:
            continue
        for port_name, port in declared.inputs.items():
            if port.order is None:
                faults.append(
                    f"input '{port_name}' of PE '{name}' is reached by several channels and "
                    f"{type(part).__name__} keeps state\n"
                    f"  Fix:   Input(..., order='time'), or order='any' if its result does not "
                    "depend on the order"
                )
    return faults


def _has_splits(workflow: Workflow, name: str) -> bool:
    part = workflow.elements[name]
    return isinstance(part, Source) and type(part).splits is not Source.splits
