"""Every order of deliveries gives the same answer.

A graph with keys, event-time order and state runs under the sequential
mapping, and then under the simulated one, with many orders of turns and
deliveries, with one to six workers, with channels of one item, and with a
handler that fails. Each run has to give the same items, or the same error.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from flowquake import (
    ConfigError,
    Emissions,
    Input,
    Output,
    PEError,
    ProcessingElement,
    Production,
    Source,
    State,
    Watermark,
    Workflow,
    run,
)
from flowquake.mappings.simulated import Simulated
from flowquake.records import EventBatch

KEYS = ("etna", "kilauea", "hierro")


class Feed(Source):
    """Batches of three sources in turn, their times out of order within a batch."""

    events = Output(EventBatch)

    batches: int = 40

    def produce(self, split: object) -> Production:
        """Yield batches, and a watermark after every fifth."""
        rng = np.random.default_rng(7)
        for number in range(self.batches):
            time = number * 1000 + rng.integers(0, 3000, size=7)
            source = KEYS[number % len(KEYS)]
            sequence = np.arange(7, dtype=np.int64) + 7 * number
            yield self.events(EventBatch(source=source, time=time, sequence=sequence))
            if number % 5 == 4:
                yield Watermark(number * 1000)
        yield Watermark(self.batches * 1000 + 3000)


@dataclass
class Trail:
    """How many events came, and a number that depends on their order."""

    events: int = 0
    mixed: int = 0
    version: int = 1


class Follow(ProcessingElement):
    """Fold events in the order of time into a number that shows any change of the order."""

    events = Input(EventBatch, by="source", order="time")
    total = Output(tuple)
    state = State(Trail)

    fail_at: int | None = None

    def on_events(self, batch: EventBatch) -> None:
        """Fold a batch."""
        for time in batch.time.tolist():
            self.state.events += 1
            self.state.mixed = (self.state.mixed * 31 + time) % 1_000_000_007
            if self.state.events == self.fail_at:
                raise ValueError(f"event {self.fail_at} of {self.key!r}")

    def finish(self) -> Emissions:
        """Give the number of each key."""
        yield self.total((self.key, self.state.events, self.state.mixed))


def outcome(mapping: Simulated | str, workers: int, fail_at: int | None) -> str:
    """Run once and say what came of it."""
    workflow = Workflow("faults")
    feed = workflow.add(Feed())
    follow = workflow.add(Follow(fail_at=fail_at))
    workflow.connect(feed.events, follow.events)
    try:
        result = run(workflow, mapping=mapping, workers=workers, collect=[follow.total])
    except PEError as error:
        return f"PEError from {'follow' if 'follow' in error.message else 'elsewhere'}"
    except ConfigError as error:
        return f"refused: {error.message}"
    return str(sorted(result[follow.total]))


def run_orders(orders: int) -> Counter[tuple[str, int, bool]]:
    """Count, by case and workers, how many runs gave what the sequential mapping gives."""
    counts: Counter[tuple[str, int, bool]] = Counter()
    for fail_at in (None, 3, 50):
        expected = outcome("sequential", 1, fail_at)
        name = "no fault" if fail_at is None else f"a handler fails at event {fail_at}"
        for order in range(orders):
            workers = 1 + order % 6
            mapping = Simulated(order=order, channel_items=1 + order % 3, fuse=order % 2 == 0)
            counts[name, workers, outcome(mapping, workers, fail_at) == expected] += 1
    return counts
