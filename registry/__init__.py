"""What processing elements, workflows and mappings exist, found without importing them.

Packages announce themselves by the entry-point groups ``flowquake.pes``,
``flowquake.workflows`` and ``flowquake.mappings``. Their source text is read,
so a package whose dependencies are missing is listed all the same.
"""

from flowquake.registry.entries import (
    ElementEntry,
    Entry,
    MappingEntry,
    ParameterEntry,
    PortEntry,
    WorkflowEntry,
)
from flowquake.registry.finding import (
    find_element,
    find_elements,
    find_mappings,
    find_workflows,
    resolve,
    search,
)

__all__ = [
    "ElementEntry",
    "Entry",
    "MappingEntry",
    "ParameterEntry",
    "PortEntry",
    "WorkflowEntry",
    "find_element",
    "find_elements",
    "find_mappings",
    "find_workflows",
    "resolve",
    "search",
]
