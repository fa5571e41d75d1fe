"""No run hangs: ``python -m benchmarks.faults --out DIR``."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.faults.cases import draw_all
from benchmarks.faults.orders import run_orders
from benchmarks.faults.report import write
from benchmarks.faults.trial import run_case


def main() -> None:
    """Run all faults and all orders of delivery, and write what came of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the draw")
    parser.add_argument("--kind", action="append", help="only these kinds")
    parser.add_argument("--mapping", help="only this one")
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    print(f"seed {asked.seed}")
    trials = []
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        for case in draw_all(asked.seed, asked.faults):
            if asked.only and case.number not in asked.only:
                continue
            if (asked.kind and case.kind not in asked.kind) or asked.mapping not in (
                None,
                case.mapping,
            ):
                continue
            trial = run_case(case, Path(scratch) / f"case-{case.number}")
            trials.append(trial)
            said = "; ".join(trial.faults) or "right"
            print(
                f"{case.number:4d} {case.mapping} -n {case.workers}, {case.graph}, {case.pe}, "
                f"{case.kind}, {case.phase} {case.at}"
                f"{' early' if case.is_signal and case.early else ''}: exit {trial.code} "
                f"after {trial.seconds or 0:.2f} s, {said}",
                flush=True,
            )
            if trial.faults:
                print("       | " + "\n       | ".join(trial.stderr.splitlines()[-12:]), flush=True)
    orders = run_orders(asked.orders)
    write(trials, orders, asked.out, seed=asked.seed)
    wrong = sum(bool(trial.faults) for trial in trials)
    different = sum(count for (_, _, same), count in orders.items() if not same)
    print(f"{len(trials)} faults, {wrong} not as they have to be; ", end="")
    print(f"{orders.total()} orders of delivery, {different} differ from the sequential mapping")
    raise SystemExit(wrong + different > 0)


if __name__ == "__main__":
    main()
