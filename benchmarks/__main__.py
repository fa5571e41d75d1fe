"""Run the benchmarks: ``python -m benchmarks [--smallest] [--out DIR] [NAME ...]``.

They are in the form that asv gave: classes in ``bench_*.py`` with ``params``,
``param_names`` and ``setup``; methods ``time_*`` (seconds, the best of several),
``peakmem_*`` (bytes of the process at its largest) and ``track_*`` (whatever they
return, in their ``unit``).
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import itertools
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PREFIXES = {"time_": "s", "peakmem_": "bytes", "track_": ""}


@dataclass(frozen=True)
class Case:
    """One method of one class with one choice of parameters."""

    module: str
    group: str
    method: str
    parameters: tuple[tuple[str, object], ...]

    @property
    def name(self) -> str:
        """The case's name, without its parameters."""
        return f"{self.module.removeprefix('benchmarks.')}.{self.group}.{self.method}"

    @property
    def label(self) -> str:
        """The case's name, with its parameters."""
        chosen = ", ".join(f"{name}={value}" for name, value in self.parameters)
        return f"{self.name}({chosen})"


@dataclass(frozen=True)
class Result:
    """What a case gave."""

    name: str
    label: str
    value: float
    unit: str


def cases() -> Iterator[Case]:
    """List every case, the smallest parameters of a class first."""
    for path in sorted(FOLDER.glob("bench_*.py")):
        module = importlib.import_module(f"benchmarks.{path.stem}")
        for group, cls in inspect.getmembers(module, inspect.isclass):
            if cls.__module__ != module.__name__ or group.startswith("_"):
                continue
            params = list(getattr(cls, "params", []))
            if params and not isinstance(params[0], (list, tuple)):
                params = [params]
            names = list(getattr(cls, "param_names", [])) or [f"p{i}" for i in range(len(params))]
            for method, _ in inspect.getmembers(cls, inspect.isfunction):
                if method.startswith(tuple(PREFIXES)):
                    for values in itertools.product(*params):
                        chosen = tuple(zip(names, values, strict=True))
                        yield Case(module.__name__, group, method, chosen)


def measure(case: Case, repeat: int) -> float | None:
    """Run one case in this process; None if its setup says that it does not apply."""
    owner = getattr(importlib.import_module(case.module), case.group)()
    values = [value for _, value in case.parameters]
    try:
        getattr(owner, "setup", lambda *_: None)(*values)
    except NotImplementedError:
        return None
    method: Callable[..., object] = getattr(owner, case.method)
    try:
        if case.method.startswith("time_"):
            return min(seconds(method, values) for _ in range(repeat))
        given = method(*values)
        if case.method.startswith("peakmem_"):
            scale = 1 if sys.platform == "darwin" else 1024
            return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale)
        return float(given)  # type: ignore[arg-type]  # track_ methods give a number
    finally:
        getattr(owner, "teardown", lambda *_: None)(*values)


def seconds(method: Callable[..., object], values: Sequence[object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    method(*values)
    return time.perf_counter() - began


def measure_apart(index: int) -> float | None:
    """Run one case in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "benchmarks", "--case", str(index)]
    printed = subprocess.run(
        command, cwd=FOLDER.parent, check=True, capture_output=True, text=True
    ).stdout
    value: float | None = json.loads(printed)
    return value


def unit_of(case: Case) -> str:
    """Give the unit of a case's value."""
    cls = getattr(importlib.import_module(case.module), case.group)
    own = getattr(getattr(cls, case.method), "unit", getattr(cls, "unit", ""))
    return next((u for prefix, u in PREFIXES.items() if case.method.startswith(prefix) and u), own)


def choose(found: Sequence[Case], names: Sequence[str], smallest: bool) -> list[int]:
    """Pick cases by part of their name; with `smallest` the first of each method."""
    chosen, seen = [], set()
    for index, case in enumerate(found):
        if names and not any(name in case.name for name in names):
            continue
        if not (smallest and case.name in seen):
            chosen.append(index)
        seen.add(case.name)
    return chosen


def write(results: Sequence[Result], out: Path) -> None:
    """Write the results, what they ran on, and a table."""
    out.mkdir(parents=True, exist_ok=True)
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
    }
    report = {"machine": machine, "results": [asdict(result) for result in results]}
    (out / "results.json").write_text(json.dumps(report, indent=2) + "\n")

    lines = [
        "---\norphan: true\n---\n\n# Benchmarks\n",
        f"Written by `make bench` on {machine['cores']} cores with Python {machine['python']}. "
        "Times are the best of several.\n",
        "| benchmark | value |\n| --- | --- |",
    ]
    lines += [f"| {result.label} | {shown(result)} |" for result in results]
    (out / "results.md").write_text("\n".join(lines) + "\n")


def shown(result: Result) -> str:
    """Write a value with a unit that suits its size.

    Examples
    --------
    >>> shown(Result("a", "a", 0.00025, "s"))
    '250 µs'
    """
    if result.unit == "s":
        for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if result.value >= scale:
                return f"{result.value / scale:.3g} {unit}"
    if result.unit == "bytes":
        return f"{result.value / 1e6:.3g} MB"
    return f"{result.value:,.0f} {result.unit}"


def main() -> None:
    """Read the command line, run, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run benchmarks.")
    parser.add_argument("names", nargs="*", help="parts of names; default: all")
    parser.add_argument("--smallest", action="store_true", help="once, smallest sizes only")
    parser.add_argument("--repeat", type=int, default=9, help="timings take the best of so many")
    parser.add_argument("--out", type=Path, help="write results.json and results.md here")
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()

    found = list(cases())
    if asked.case is not None:
        print(json.dumps(measure(found[asked.case], 1)))
        return
    repeat = 1 if asked.smallest else asked.repeat
    results = []
    for index in choose(found, asked.names, asked.smallest):
        case = found[index]
        alone = case.method.startswith("peakmem_")
        value = measure_apart(index) if alone else measure(case, repeat)
        if value is None:
            print(f"{case.label:<70} does not apply", flush=True)
            continue
        results.append(Result(case.name, case.label, value, unit_of(case)))
        print(f"{case.label:<70} {value:>14,.6g} {results[-1].unit}", flush=True)
    if asked.out is not None and results:
        write(results, asked.out)


if __name__ == "__main__":
    main()
