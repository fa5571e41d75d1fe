"""One item through one element: what `flowquake run` itself takes."""

from __future__ import annotations

from flowquake import Input, Output, ProcessingElement, Production, Source, Workflow


class OneNumber(Source):
    """One number."""

    number = Output(int)

    def produce(self, split: object) -> Production:
        """Yield it."""
        yield self.number(1)


class TakeNumber(ProcessingElement):
    """Takes what comes."""

    number = Input(int)

    def on_number(self, number: int) -> None:
        """Take a number."""


workflow = Workflow("one_item")
workflow.chain(OneNumber(), TakeNumber())
