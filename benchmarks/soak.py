"""A long run takes no more memory than a short one: ``python -m benchmarks.soak --out DIR``.

Small batches of several sources flow through keyed, time-ordered windows for
some minutes; the process's memory is written down every second.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from datetime import timedelta
from pathlib import Path

import numpy as np

from flowquake import Output, Production, Source, Watermark, Workflow, stream
from flowquake.pes.windows import SlidingWindows
from flowquake.records import EventBatch

HOUR = 3_600_000_000_000
ALLOWED_MB = 20.0


class Endless(Source):
    """An hour of events of one of five sources after the other, until the time is over."""

    events = Output(EventBatch)

    seconds: float = 60.0

    def produce(self, split: object) -> Production:
        """Yield batches, each with its watermark."""
        rng = np.random.default_rng(1)
        until = time.monotonic() + self.seconds
        hour = 0
        while time.monotonic() < until:
            times = hour * HOUR + np.sort(rng.integers(0, HOUR, size=50))
            yield self.events(EventBatch(source=f"source {hour % 5}", time=times))
            hour += 1
            yield Watermark(hour * HOUR)


def memory_mb() -> float:
    """Give the memory that this process holds now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this needs Linux: there is no VmRSS in /proc/self/status")


def main() -> None:
    """Run, write the curve, and fail if memory grows in the second half."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()

    workflow = Workflow("soak")
    feed = workflow.add(Endless(seconds=asked.seconds))
    windows = workflow.add(SlidingWindows(length=timedelta(days=2), step=timedelta(hours=6)))
    workflow.connect(feed.events, windows.events)

    began, curve, count = time.monotonic(), [(0.0, memory_mb())], 0
    for _ in stream(workflow, windows.window):
        count += 1
        elapsed = time.monotonic() - began
        if elapsed - curve[-1][0] >= 1.0:
            gc.collect()
            curve.append((elapsed, memory_mb()))
    half = len(curve) // 2
    grown = max(mb for _, mb in curve[half:]) - max(mb for _, mb in curve[: half + 1])
    write(curve, count, asked.out)
    print(
        f"{count:,} windows in {asked.seconds:g} s; memory grew by {grown:.1f} MB in the 2nd half"
    )
    raise SystemExit(grown > ALLOWED_MB or count == 0)


def write(curve: list[tuple[float, float]], count: int, out: Path) -> None:
    """Write the curve as JSON and as a figure."""
    from matplotlib.figure import Figure

    out.mkdir(parents=True, exist_ok=True)
    report = {
        "windows": count,
        "seconds": [s for s, _ in curve],
        "memory_mb": [m for _, m in curve],
    }
    (out / "soak.json").write_text(json.dumps(report) + "\n")
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([s for s, _ in curve], [mb for _, mb in curve], color="#0072b2")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("seconds")
    axes.set_ylabel("memory of the process, MB")
    axes.set_title(f"{count:,} windows")
    figure.savefig(out / "soak.png", dpi=120)


if __name__ == "__main__":
    main()
