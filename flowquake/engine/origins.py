"""Which sources an instance's channels bring news of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from flowquake.plans import Plan
from flowquake.signals import Origin

if TYPE_CHECKING:
    from flowquake.workflow import Workflow


class Carried(NamedTuple):
    """The sources whose signals an instance passes on.

    Parameters
    ----------
    sources : mapping of str to bool
        Each source element; whether all of its instances, or only the one
        with the instance's own number.
    number : int
        The instance's number.
    """

    sources: Mapping[str, bool]
    number: int

    def has(self, origin: Origin) -> bool:
        """Whether a source is among them."""
        every = self.sources.get(origin.element)
        return every is not None and (every or origin.number == self.number)


def sources_of(workflow: Workflow, plan: Plan) -> dict[str, dict[str, bool]]:
    """Give the `Carried.sources` of the instances of each element."""
    # Other than directly, everything comes from every instance.
    crossing = {channel.connection for channel in plan.channels}
    inputs: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for number, connection in enumerate(workflow.connections):
        every = plan.is_whole or number in crossing
        inputs[connection.target].append((connection.source, every))
    found: dict[str, dict[str, bool]] = {}
    for name in workflow.order():
        mine = found[name] = {}
        if workflow.element(name)._declaration.is_source:
            mine[name] = False
        for sender, every in inputs[name]:
            for source, of_all in found[sender].items():
                mine[source] = mine.get(source, False) or every or of_all
    return found
