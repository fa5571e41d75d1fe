"""How many small items a second pass through the sequential engine.

``python -m benchmarks.bench_throughput`` prints items per second, the best and
the median of several runs; producer → identity → identity → sink.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable

from flowquake import (
    Emissions,
    Input,
    Output,
    ProcessingElement,
    Production,
    Source,
    Workflow,
    element,
    run,
)

TARGET = 600_000


class Producer(Source):
    """Small ints."""

    number = Output(int)

    items: int = 100_000

    def produce(self, split: object) -> Production:
        """Yield 0, 1, 2, ..."""
        for number in range(self.items):
            yield self.number(number)


class Identity(ProcessingElement):
    """Hands on what it takes."""

    number = Input(int)
    same = Output(int)

    def on_number(self, number: int) -> Emissions:
        """Hand on a number."""
        yield self.same(number)


class ByLastDigit(ProcessingElement):
    """The same, for one key."""

    number = Input(int, by=lambda number: number % 10)
    same = Output(int)

    def on_number(self, number: int) -> Emissions:
        """Hand on a number."""
        yield self.same(number)


class Sink(ProcessingElement):
    """Takes what comes."""

    number = Input(int)

    def on_number(self, number: int) -> None:
        """Take a number."""


@element
def identity(number: int) -> int:
    """Hand on a number."""
    return number


def chain(items: int, make: Callable[[], ProcessingElement] = Identity) -> Workflow:
    """Build producer → two elements → sink."""
    workflow = Workflow("throughput")
    first, second = make(), make()
    workflow.add(first, name="first")
    workflow.add(second, name="second")
    workflow.chain(Producer(items=items), first, second, Sink())
    return workflow


KINDS: dict[str, Callable[[], ProcessingElement]] = {
    "class": Identity,
    "function": identity,
    "keyed": ByLastDigit,
}


def rate(items: int, kind: str = "class") -> float:
    """Run once; give items per second of wall time."""
    workflow = chain(items, KINDS[kind])
    began = time.perf_counter()
    run(workflow)
    return items / (time.perf_counter() - began)


class Throughput:
    """Items per second through two elements of one kind."""

    params = (list(KINDS),)
    param_names = ("kind",)
    items = 200_000

    def time_chain(self, kind: str) -> None:
        run(chain(self.items, KINDS[kind]))

    def track_items_per_second(self, kind: str) -> float:
        return max(rate(self.items, kind) for _ in range(5))

    track_items_per_second.unit = "items/s"  # type: ignore[attr-defined]  # as asv reads it


class Memory:
    """What a long stream takes at its largest, beyond what a short one does."""

    def track_growth(self) -> float:
        return float(peak(200_000) - peak(2_000))

    track_growth.unit = "bytes"  # type: ignore[attr-defined]  # as asv reads it


def peak(items: int) -> int:
    """Give the most memory that a run held, bytes."""
    workflow = chain(items)
    tracemalloc.start()
    run(workflow)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def main() -> None:
    """Print the rates of each kind, and fail below the target."""
    rates = {kind: [rate(500_000, kind) for _ in range(7)] for kind in KINDS}
    for kind, found in rates.items():
        print(
            f"{kind:<9} best {max(found):>11,.0f} items/s   "
            f"median {statistics.median(found):>11,.0f} items/s"
        )
    print(f"memory    {Memory().track_growth():>+11,.0f} bytes for 100 times the items")
    raise SystemExit(max(rates["class"]) < TARGET)


if __name__ == "__main__":
    main()
