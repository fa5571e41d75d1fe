"""Every order of deliveries gives the same answer: ``python -m benchmarks.faults --out DIR``.

A graph with keys, event-time order and state runs under the sequential
mapping, and then under the simulated one, with many orders of turns and
deliveries, with one to six workers, with channels of one item, and with a
handler that fails. Each run has to give the same items, or the same error.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

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


def main() -> None:
    """Run all orders, print a table, write it and a figure; fail if any differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    counts: Counter[tuple[str, int, bool]] = Counter()
    for fail_at in (None, 3, 50):
        expected = outcome("sequential", 1, fail_at)
        name = "no fault" if fail_at is None else f"a handler fails at event {fail_at}"
        for order in range(asked.orders):
            workers = 1 + order % 6
            mapping = Simulated(order=order, channel_items=1 + order % 3, fuse=order % 2 == 0)
            counts[name, workers, outcome(mapping, workers, fail_at) == expected] += 1
    write(counts, asked.out)
    different = sum(count for (_, _, same), count in counts.items() if not same)
    print(f"{counts.total()} runs, {different} differ from the sequential mapping")
    raise SystemExit(different > 0)


def write(counts: Counter[tuple[str, int, bool]], out: Path) -> None:
    """Write the counts as JSON and as a figure."""
    from matplotlib.figure import Figure

    out.mkdir(parents=True, exist_ok=True)
    rows = [
        {"case": name, "workers": workers, "same": same, "runs": count}
        for (name, workers, same), count in sorted(counts.items())
    ]
    (out / "faults.json").write_text(json.dumps(rows, indent=2) + "\n")
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    names = sorted({name for name, _, _ in counts})
    for place, name in enumerate(names):
        for same, colour in ((True, "#0072b2"), (False, "#d55e00")):
            heights = [counts[name, workers, same] for workers in range(1, 7)]
            at = np.arange(1, 7) + 0.25 * (place - 1)
            label = f"{name}: {'same' if same else 'different'}" if any(heights) else None
            axes.bar(at, heights, width=0.22, color=colour, alpha=1 - 0.3 * place, label=label)
    axes.set_xlabel("workers")
    axes.set_ylabel("runs with another order of deliveries")
    axes.margins(y=0.35)
    axes.legend()
    figure.savefig(out / "faults.png", dpi=120)


if __name__ == "__main__":
    main()
