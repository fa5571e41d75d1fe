"""Whether the cost model holds: ``python -m benchmarks.scaling --mapping multi --out DIR``.

Three tiny graphs give the prices of hops; what elements do themselves is timed
outside the engine. From these the throughput of three other graphs is
predicted, and then measured, with one, two and four workers. Writes
``scaling.json``, ``scaling.md`` and ``scaling.png``; fails if a prediction is
off by more than a quarter. What was measured while other programs used the
machine is shown and not judged; without anything to judge it fails as well.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.hop_costs import HopReport, measure_hop_costs
from benchmarks.quiet import Timing, timed
from benchmarks.scaling_graphs import Graph, graphs
from flowquake import ConfigError, plan, run
from flowquake.costs import predict
from flowquake.scaling import Bend, ScalePoint, find_bend, scale

ALLOWED = 0.25
WORKERS = (1, 2, 4)
RANKS = tuple(2**power for power in range(11))  # to 1 024
TRIES, MOST_TRIES = 5, 12
QUIET = 0.1  # cores that others may use while something is measured
SHORT = 0.25  # the shorter of two runs whose difference is taken
BURN_S = 0.4
BURN = (
    "import sys, time\n"
    "sys.stdin.readline()\n"
    "began, rounds, x = time.perf_counter(), 0, 1\n"
    f"while time.perf_counter() - began < {BURN_S}:\n"
    "    for _ in range(1000): x = (x * 1103515245 + 12345) & 0x7FFFFFFF\n"
    "    rounds += 1\n"
    "print(rounds)\n"
)


@dataclass(frozen=True)
class Outcome:
    """One graph on one number of workers."""

    graph: str
    workers: int
    predicted: float
    measured: float
    bottleneck: str
    bound: str
    others: float  # cores that other programs used while it was measured

    @property
    def error(self) -> float:
        """How far the prediction is off, relative to the measurement."""
        return self.predicted / self.measured - 1

    @property
    def is_quiet(self) -> bool:
        """Whether it was measured while others were quiet."""
        return self.others < QUIET


def cores_here() -> int:
    """Give the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def effective_cores(processes: int) -> float:
    """Give how many times the work of one process several do at once.

    Cores that share a processor's units, or a machine that is busy with
    something else, give less than their number.
    """
    alone = max(_burn(1) for _ in range(TRIES))
    return min(float(processes), max(_burn(processes) for _ in range(TRIES)) / alone)


def _burn(processes: int) -> float:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(processes)
    ]
    for child in children:
        if child.stdin is not None:
            child.stdin.write("\n")
            child.stdin.flush()
    return sum(float(child.communicate()[0]) for child in children)


def throughput(graph: Graph, mapping: str, workers: int, items: int) -> tuple[float, float]:
    """Measure source items per second, without the time that a run needs to begin.

    Returns
    -------
    rate : float
        From the difference of a long run and a short one, each the best of several
        while others were quiet.
    others : float
        Cores that others used all the same.
    """
    few = max(1, int(items * SHORT))
    best = {
        count: _best(lambda n=count: run(graph.make(n), mapping=mapping, workers=workers))  # type: ignore[misc]  # binds the loop's value
        for count in (few, items)
    }
    rate = (items - few) / (best[items].seconds - best[few].seconds)
    return rate, max(timing.others for timing in best.values())


def _best(work: Callable[[], object]) -> Timing:
    """Time until enough tries were quiet, or there were too many."""
    found: list[Timing] = []
    while sum(t.others < QUIET for t in found) < TRIES and len(found) < MOST_TRIES:
        found.append(timed(work))
    quiet = [t for t in found if t.others < QUIET] or [min(found, key=lambda t: t.others)]
    return min(quiet, key=lambda t: t.seconds)


def compare(
    chosen: Sequence[Graph], report: HopReport, mapping: str, cores: float, share: float
) -> list[Outcome]:
    """Predict and measure each graph on each number of workers."""
    found = []
    for graph in (graph for graph in chosen if graph.items):
        workflow = graph.make(1)
        for workers in WORKERS:
            laid_out = plan(workflow, workers)
            costs = graph.table(report.hops)(laid_out)
            expected = predict(laid_out, workflow, costs, cores=min(cores, workers))
            try:
                items = max(20, int(graph.items * share))
                measured, others = throughput(graph, mapping, workers, items)
            except ConfigError as refusal:
                print(f"{graph.name:<14} {workers} workers: {refusal.message}")
                continue
            outcome = Outcome(
                graph.name,
                workers,
                expected.throughput,
                measured,
                expected.bottleneck,
                expected.bound,
                others,
            )
            found.append(outcome)
            print(
                f"{outcome.graph:<14} {workers} workers: predicted {outcome.predicted:>10,.0f} "
                f"items/s, measured {measured:>10,.0f}, {outcome.error:+.1%} "
                f"({outcome.bottleneck}, {outcome.bound}"
                + (f"; others used {others:.2f} cores)" if not outcome.is_quiet else ")"),
                flush=True,
            )
    return found


def main() -> None:
    """Measure, predict, compare, write; fail where the model is off."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling")
    parser.add_argument("--mapping", default="multi")
    parser.add_argument("--cores", type=float, help="default: measured")
    parser.add_argument("--share", type=float, default=1.0, help="of the items, for a short run")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()

    one_process = asked.mapping in ("sequential", "simulated")
    cores = asked.cores or (1.0 if one_process else effective_cores(cores_here()))
    print(f"{cores_here()} cores that do the work of {cores:.2f}")
    report = measure_hop_costs(asked.mapping)
    for name, seconds in prices(report).items():
        print(f"{name:<15} {seconds * 1e6:10.5f} µs")
    chosen = graphs(report.source_s)
    found = compare(chosen, report, asked.mapping, cores, asked.share)
    # Without the prices of hops nothing can be said of many workers.
    curves = {
        graph.name: scale(graph.make(1), graph.table(report.hops), RANKS)
        for graph in chosen
        if report.between
    }
    bends = {name: find_bend(points) for name, points in curves.items()}
    for name, bend in bends.items():
        print(f"{name}: {said(bend)}")
    if asked.out is not None:
        write(found, curves, bends, report, asked.mapping, cores, asked.out)
    raise SystemExit(verdict(found))


def verdict(found: Sequence[Outcome]) -> str | None:
    """Say what is wrong with the outcomes, or None."""
    judged = [outcome for outcome in found if outcome.is_quiet]
    print(f"{len(judged)} of {len(found)} were measured while others were quiet")
    if not judged:
        return "nothing can be judged: others use this machine; run it again"
    worst = max(judged, key=lambda outcome: abs(outcome.error))
    print(f"the worst is off by {worst.error:+.1%}: {worst.graph}, {worst.workers} workers")
    return f"off by more than {ALLOWED:.0%}" if abs(worst.error) > ALLOWED else None


def prices(report: HopReport) -> dict[str, float]:
    """Give the prices that were measured: not those of queues, paid once in a run."""
    measured = asdict(report.hops)
    del measured["queue_s"]
    if report.between:
        return measured
    return {name: measured[name] for name in ("call_s", "keyed_s")}


def said(bend: Bend | None) -> str:
    """Write where a curve bends, and why."""
    if bend is None:
        return f"does not bend up to {RANKS[-1]:,} workers"
    why = {
        "source": "the source cannot make more",
        "gather": "one instance takes everything",
        "channels": "signals on all the queues",
        "work": "its busiest instance cannot do more",
        "cores": "there are no more cores",
    }[bend.bound]
    return f"bends at {bend.workers:,} workers, at {bend.element}: {why}"


def write(
    found: Sequence[Outcome],
    curves: dict[str, list[ScalePoint]],
    bends: dict[str, Bend | None],
    report: HopReport,
    mapping: str,
    cores: float,
    out: Path,
) -> None:
    """Write the numbers, a page and the figure."""
    out.mkdir(parents=True, exist_ok=True)
    document = {
        "mapping": mapping,
        "machine": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "system": platform.system(),
            "cores": cores_here(),
            "effective_cores": cores,
        },
        "source_s": report.source_s,
        "hops": prices(report),
        "outcomes": [{**asdict(outcome), "error": outcome.error} for outcome in found],
        "curves": {
            name: [
                {
                    "workers": point.workers,
                    "queues": point.queues,
                    "throughput": point.prediction.throughput,
                    "bottleneck": point.prediction.bottleneck,
                    "bound": point.prediction.bound,
                }
                for point in points
            ]
            for name, points in curves.items()
        },
        "bends": {name: None if bend is None else asdict(bend) for name, bend in bends.items()},
    }
    (out / "scaling.json").write_text(json.dumps(document, indent=2) + "\n")
    (out / "scaling.md").write_text(as_page(found, bends, report, mapping, cores))
    draw(found, curves, bends, mapping, out / "scaling.png")


def as_page(
    found: Sequence[Outcome],
    bends: dict[str, Bend | None],
    report: HopReport,
    mapping: str,
    cores: float,
) -> str:
    """Lay the numbers out as a page."""
    lines = [
        "---\norphan: true\n---\n\n# Scaling\n",
        f"Written by `make scaling` on the mapping {mapping} with Python "
        f"{platform.python_version()}, on {cores_here()} cores that did the work of {cores:.2f}.\n",
        "| a small item | µs |\n| --- | --- |",
    ]
    names = {
        "call_s": "handled",
        "keyed_s": "more, by key",
        "local_s": "more, from another unit of the worker",
        "send_s": "more, sent to another worker",
        "receive_s": "more, received from there",
        "tell_s": "a watermark told to one queue",
        "hear_s": "a watermark heard from one queue",
    }
    measured = prices(report)
    lines += [f"| {names[n]} | {price * 1e6:.2f} |" for n, price in measured.items() if n in names]
    megabytes = {"sent": "send_byte_s", "received": "receive_byte_s"}
    lines += [
        f"| a megabyte {word} | {measured[name] * 1e12:.0f} |"
        for word, name in megabytes.items()
        if name in measured
    ]
    lines += [
        "",
        "| graph | workers | predicted, items/s | measured, items/s | off by | bottleneck "
        "| cores that others used |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {o.graph} | {o.workers} | {o.predicted:,.0f} | {o.measured:,.0f} | {o.error:+.1%} "
        f"| {o.bottleneck} | {'' if o.is_quiet else f'{o.others:.1f}'} |"
        for o in found
    ]
    lines += ["", "With a core for each worker, the model says:", ""] if bends else []
    lines += [f"- {name}: {said(bend)}." for name, bend in bends.items()]
    return "\n".join(lines) + "\n"


def draw(
    found: Sequence[Outcome],
    curves: dict[str, list[ScalePoint]],
    bends: dict[str, Bend | None],
    mapping: str,
    path: Path,
) -> None:
    """Draw predictions beside measurements, and the curves to many workers."""
    from matplotlib.figure import Figure

    names = dict.fromkeys([*(outcome.graph for outcome in found), *curves])
    colours = dict(zip(names, ("#0072b2", "#d55e00", "#009e73", "#cc79a7"), strict=False))
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, colour in colours.items():
        mine = [outcome for outcome in found if outcome.graph == name]
        for outcome in mine:
            filled = colour if outcome.is_quiet else "none"
            label = name if outcome is mine[0] else None
            where = outcome.predicted, outcome.measured
            left.plot(*where, "o", color=colour, mfc=filled, label=label)
            left.annotate(
                f" {outcome.workers}", (outcome.predicted, outcome.measured), fontsize=8, va="top"
            )
    ends = [value for o in found for value in (o.predicted, o.measured)] or [1.0, 10.0]
    line = [min(ends) / 1.3, max(ends) * 1.3]
    left.plot(line, line, color="#888888", lw=1)
    left.fill_between(
        line,
        [value / (1 + ALLOWED) for value in line],
        [value / (1 - ALLOWED) for value in line],
        color="#bbbbbb",
        alpha=0.35,
        lw=0,
        label=f"within {ALLOWED:.0%}",
    )
    left.set(xscale="log", yscale="log", xlabel="predicted, items/s", ylabel="measured, items/s")
    hollow = "" if all(o.is_quiet for o in found) else "; hollow: others used the machine"
    left.set_title(f"mapping {mapping}; numbers are workers{hollow}", fontsize=10)
    left.legend(fontsize=8)
    for name, points in curves.items():
        workers = [point.workers for point in points]
        rates = [point.prediction.throughput for point in points]
        right.plot(workers, rates, "-", color=colours[name], label=name)
        right.plot(workers, [rates[0] * n for n in workers], ":", color=colours[name], lw=1)
        mine = [outcome for outcome in found if outcome.graph == name]
        right.plot([o.workers for o in mine], [o.measured for o in mine], "o", color=colours[name])
        bend = bends[name]
        if bend is not None:
            at = rates[workers.index(bend.workers)]
            right.plot([bend.workers], [at], "x", color=colours[name], ms=9, mew=2)
            right.annotate(
                f"{bend.element}: {bend.bound}",
                (bend.workers, at),
                xytext=(0, -14),
                textcoords="offset points",
                fontsize=8,
                color=colours[name],
                ha="right" if bend.workers > RANKS[-3] else "center",
            )
    right.set(xscale="log", yscale="log", xlabel="workers, each on a core", ylabel="items/s")
    right.set_xscale("log", base=2)
    right.set_title("predicted (lines), measured here (dots), ideal (dotted)", fontsize=10)
    if curves:
        right.legend(fontsize=8, loc="upper left")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
