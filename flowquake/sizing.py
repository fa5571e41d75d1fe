"""What a workflow says of an element's size: how many instances, how heavy an item is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowquake.errors import ConfigError, WorkflowError

if TYPE_CHECKING:
    from flowquake.pe import ProcessingElement


@dataclass(frozen=True, slots=True)
class Sizing:
    """What was asked for; None leaves the choice to the planner."""

    instances: int | None = None
    weight: float | None = None

    def check(self, part: ProcessingElement, name: str, where: str) -> None:
        """Refuse what the element cannot be given.

        Raises
        ------
        WorkflowError
            If it cannot have that many instances.
        ConfigError
            If the weight is no positive number.
        """
        declared, instances = part._declaration, self.instances
        if instances is not None:
            may = declared.multiplies or declared.side_only
            if instances < 1 or (instances > 1 and not may):
                raise WorkflowError(
                    f"'{name}' ({type(part).__name__}) cannot have {instances} instances",
                    where=where,
                    fix="only an element with a `by` input, without state, watermark handler "
                    "and finish, or with only to='all' inputs can have several",
                )
        given: object = self.weight
        if given is None:
            return
        if not isinstance(given, (int, float)) or not 0 < given < math.inf:
            raise ConfigError(
                f"weight={given!r:.60} of '{name}' must be a positive number",
                where=where,
                fix="weight=2.0 for an element whose items take twice as long as others'",
            )
