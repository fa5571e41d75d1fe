"""The faults as JSON and as a figure."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.faults.cases import KINDS, MAPPINGS
from benchmarks.faults.trial import Trial

COLOURS = {"sequential": "#999999", "multi": "#0072b2", "mpi": "#009e73"}


def write(
    trials: Sequence[Trial], orders: Counter[tuple[str, int, bool]], out: Path, *, seed: int
) -> None:
    """Write what came of all runs."""
    out.mkdir(parents=True, exist_ok=True)
    report = {
        "seed": seed,
        "faults": len(trials),
        "wrong": sum(bool(trial.faults) for trial in trials),
        "by_mapping": dict(Counter(trial.case.mapping for trial in trials)),
        "worst_seconds": {
            mapping: round(_worst([t for t in trials if t.case.mapping == mapping]), 2)
            for mapping in MAPPINGS
        },
        "by_kind": _by_kind(trials),
        "trials": [trial.to_json() for trial in trials],
        "orders": [
            {"case": name, "workers": workers, "same": same, "runs": count}
            for (name, workers, same), count in sorted(orders.items())
        ],
    }
    (out / "faults.json").write_text(json.dumps(report, indent=1) + "\n")
    _draw(trials, out / "faults.png")


def _by_kind(trials: Sequence[Trial]) -> dict[str, dict[str, Any]]:
    found: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        found[trial.case.kind].append(trial)
    return {
        kind: {
            "runs": len(found[kind]),
            "wrong": sum(bool(trial.faults) for trial in found[kind]),
            "exit_codes": sorted({t.code for t in found[kind] if t.code is not None}),
            "worst_seconds": round(_worst(found[kind]), 2),
        }
        for kind in KINDS
        if found[kind]
    }


def _worst(trials: Sequence[Trial]) -> float:
    return max((trial.seconds or 0.0 for trial in trials), default=0.0)


def _draw(trials: Sequence[Trial], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 8), layout="constrained")
    axes = figure.add_subplot()
    kinds = [kind for kind in KINDS if any(trial.case.kind == kind for trial in trials)]
    for shift, mapping in enumerate(MAPPINGS):
        for wrong, marker in ((False, "o"), (True, "x")):
            chosen = [t for t in trials if t.case.mapping == mapping and bool(t.faults) == wrong]
            if not chosen:
                continue
            axes.plot(
                [trial.seconds or 0.0 for trial in chosen],
                [kinds.index(trial.case.kind) + 0.25 * (shift - 1) for trial in chosen],
                marker,
                color=COLOURS[mapping],
                alpha=0.7,
                label=f"{mapping}, {'wrong' if wrong else 'ended as it has to'}",
            )
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_xlim(left=0)
    axes.set_xlabel("from the fault to the end of every process, seconds")
    axes.invert_yaxis()
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=120)
