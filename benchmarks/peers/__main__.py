"""flowquake beside its peer: ``python -m benchmarks.peers --peer-python PATH [--out DIR]``.

Each measurement is a fresh process. The measurements of one sitting are made
in turn, round after round, so that what else the machine does falls on all of
them alike; what is compared are medians over the rounds.
"""

from __future__ import annotations

import argparse
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.cases import SITTINGS, Case, Measurement
from benchmarks.peers.measuring import MeasurementError, Outcome, measure, missing
from benchmarks.peers.report import Row, row_of, shown, write

PEER = "stream-d4py"


def main() -> None:
    """Read the command line, measure, print and write; fail below what is asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers")
    parser.add_argument("sittings", nargs="*", help=f"default: all of {', '.join(SITTINGS)}")
    parser.add_argument("--peer-python", type=Path, required=True, help="of the peer's environment")
    parser.add_argument("--repeat", type=int, default=5, help="rounds of each sitting")
    parser.add_argument("--out", type=Path, help="write peers.json, peers.md and peers.png here")
    asked = parser.parse_args()
    unknown = set(asked.sittings) - set(SITTINGS)
    if unknown:
        parser.error(f"there is no sitting {', '.join(sorted(unknown))}")

    peer = f"{PEER} {version_of(asked.peer_python)}"
    rows: list[Row] = []
    outcomes: dict[Measurement, list[Outcome]] = defaultdict(list)
    remarks: dict[Measurement, str] = {}
    for name, cases in SITTINGS.items():
        if not asked.sittings or name in asked.sittings:
            print(f"{name}:", flush=True)
            sit(cases, asked.repeat, asked.peer_python.absolute(), outcomes, remarks)
            rows += [row_of(case, outcomes, remarks) for case in cases]
    print()
    for row in rows:
        show(row)
    if asked.out is not None:
        write(rows, outcomes, asked.out, asked.repeat, peer)
    raise SystemExit(any(row.passed is False for row in rows))


def sit(
    cases: Sequence[Case],
    repeat: int,
    peer_python: Path,
    outcomes: dict[Measurement, list[Outcome]],
    remarks: dict[Measurement, str],
) -> None:
    """Make the measurements of some cases in turn, round after round."""
    chosen = list(dict.fromkeys(m for case in cases for m in case.measurements()))
    for measurement in chosen:
        lacking = missing(measurement)
        if lacking is not None:
            remarks[measurement] = f"skipped: {lacking}"
            print(f"  {measurement.label}: skipped, {lacking}", flush=True)
    for _ in range(repeat):
        for measurement in chosen:
            if measurement in remarks:
                continue
            try:
                outcome = measure(measurement, peer_python)
            except MeasurementError as error:
                remarks[measurement] = f"failed: {error}"
                outcomes.pop(measurement, None)
                print(f"  {measurement.label}: {error}", flush=True)
                continue
            outcomes[measurement].append(outcome)
            print(
                f"  {measurement.label}, {measurement.items:,} items: {outcome.seconds:.3f} s, "
                f"{outcome.cpu_seconds:.3f} CPU s",
                flush=True,
            )


def show(row: Row) -> None:
    """Print one line of the report."""
    print(
        f"{row.name:<48} {shown(row.ours, row.unit):>20} {shown(row.peer, row.unit):>18} "
        f"{row.shown_ratio:>8} {row.bar:>10}  {row.verdict}"
    )
    if row.ours_per_cpu_s is not None and row.peer_per_cpu_s is not None:
        unit = row.unit.removesuffix("/s")
        print(
            f"{'  a CPU second':<48} {row.ours_per_cpu_s:>18,.0f} {unit} "
            f"{row.peer_per_cpu_s:>12,.0f} {unit} {row.ours_per_cpu_s / row.peer_per_cpu_s:>6.3g} ×"
        )


def version_of(peer_python: Path) -> str:
    """Give the version of the peer that is installed."""
    program = f"from importlib.metadata import version; print(version({PEER!r}))"
    done = subprocess.run([peer_python, "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
