"""The one port by which a step of a chain is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from flowquake.errors import WorkflowError
from flowquake.pe import ProcessingElement
from flowquake.ports import BoundInput, BoundOutput

if TYPE_CHECKING:
    from flowquake.workflow import Composite

B = TypeVar("B")
Port: TypeAlias = "BoundInput[Any] | BoundOutput[Any]"  # of items of every type


def only_port(part: ProcessingElement | Composite, kind: type[B], word: str, where: str) -> B:
    """Give the only input, or the only output, of an element or a composite.

    Parameters
    ----------
    part : ProcessingElement or Composite
        The step.
    kind : type
        BoundInput or BoundOutput.
    word : str
        What that is called.
    where : str
        The workflow, for the error's text.

    Raises
    ------
    WorkflowError
        If there are several to choose from, or none.
    """
    ports = {name: port for name, port in _ports(part).items() if isinstance(port, kind)}
    if len(ports) != 1:
        raise WorkflowError(
            f"chain: {_kind(part)} has {len(ports)} {word}s"
            + (f" ({', '.join(ports)})" if ports else "")
            + ", and a chain needs exactly one",
            where=where,
            fix="connect this step with workflow.connect(a.port, b.port)",
        )
    return next(iter(ports.values()))


def _ports(part: ProcessingElement | Composite) -> dict[str, Port]:
    if not isinstance(part, ProcessingElement):
        return dict(part._ports)
    declared = part._declaration
    return {name: getattr(part, name) for name in (*declared.inputs, *declared.outputs)}


def _kind(part: ProcessingElement | Composite) -> str:
    if not isinstance(part, ProcessingElement):
        return f"composite '{part.name}'"
    return type(part).__name__
