"""What the registry knows of one element, workflow or mapping: pure data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PortEntry:
    """An input or output port.

    Attributes
    ----------
    name, type : str
        As declared.
    grouping : str
        Of an input, for example ``by source, order time``; empty if items
        are dealt out.
    """

    name: str
    type: str
    grouping: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterEntry:
    """A parameter of an element or workflow, as its source text says it."""

    name: str
    type: str
    default: str | None = None
    help: str = ""

    @property
    def required(self) -> bool:
        """Whether it has to be given."""
        return self.default is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementEntry:
    """A processing element.

    Attributes
    ----------
    name : str
        The class.
    module : str
        Where it is imported from.
    subject : str
        The name of its entry point, for example ``catalogs``.
    package, version : str
        The distribution that brings it.
    kind : str
        ``source``, ``element``, ``sink`` or ``composite``.
    """

    name: str
    module: str
    subject: str
    package: str
    version: str
    kind: str
    summary: str = ""
    description: str = ""
    inputs: tuple[PortEntry, ...] = ()
    outputs: tuple[PortEntry, ...] = ()
    state: str | None = None
    parameters: tuple[ParameterEntry, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the entry as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowEntry:
    """An installed workflow."""

    name: str
    module: str
    package: str
    version: str
    summary: str = ""
    parameters: tuple[ParameterEntry, ...] = ()

    @property
    def reference(self) -> str:
        """How to name exactly this version on the command line."""
        return f"registry:{self.name}@{self.version}"

    def to_json(self) -> dict[str, Any]:
        """Give the entry as plain data."""
        return {**asdict(self), "reference": self.reference}


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingEntry:
    """An installed way of running a graph."""

    name: str
    module: str
    package: str
    version: str
    summary: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the entry as plain data."""
        return asdict(self)


Entry = ElementEntry | WorkflowEntry | MappingEntry
