"""A PE with a stopwatch."""

from __future__ import annotations

import time
from typing import Any

from flowquake.compat.dispel4py.core import GenericPE

# Another PE's items and attributes are of any type: hence Any.


class ProcessTimingPE(GenericPE):
    """Another PE, whose average time for an item is logged at its end.

    Parameters
    ----------
    baseObject : GenericPE
        The other.
    """

    def __init__(self, baseObject: GenericPE) -> None:
        super().__init__(baseObject.numprocesses)
        self.baseObject = baseObject
        self.name = baseObject.name
        self.inputconnections = baseObject.inputconnections
        self.outputconnections = baseObject.outputconnections
        self.times_total = 0.0
        self.times_count = 0

    def preprocess(self) -> None:
        """Begin."""
        self.baseObject.preprocess()

    def process(self, inputs: dict[str, Any]) -> Any:
        """Let the other take an item, and take the time."""
        start = time.perf_counter()
        result = self.baseObject.process(inputs)
        self.times_total += time.perf_counter() - start
        self.times_count += 1
        return result

    def postprocess(self) -> None:
        """End, and log the average."""
        self.baseObject.postprocess()
        if self.times_count:
            self.log(f"Average processing time: {self.times_total / self.times_count}")

    def _attach(self, outbox: list[tuple[str, Any]], rank: int) -> None:
        super()._attach(outbox, rank)
        self.baseObject.id = self.id
        self.baseObject._attach(outbox, rank)
