"""The example graphs of dispel4py itself, as they were installed, on every mapping.

dispel4py is not imported: what the files import is flowquake's.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.compat.conftest import Flowquake, Result

N = 5
ONCE = [1, 2, 3, 4, 5]

# Mappings of the command line, each with its number of workers.
MAPPINGS = [
    ("sequential", 1),
    ("simulated", 1),
    ("simulated", 3),
    ("multi", 3),
    pytest.param("mpi", 3, marks=pytest.mark.mpi),
]

Items = list[list[Any]]  # of each output that nothing takes, in the order of the graph


def every(*expected: list[Any]) -> Callable[[Items], bool]:
    """Hold the items of the outputs against these, in any order."""
    return lambda items: [sorted(one) for one in items] == [sorted(one) for one in expected]


def counts(least: int, most: int) -> Callable[[Items], bool]:
    """Each word's counts run from 1; so many items in all."""

    def holds(items: Items) -> bool:
        given = [tuple(pair) for one in items for pair in one]
        words = Counter(word for word, _ in given)
        runs = {(word, k) for word, n in words.items() for k in range(1, n + 1)}
        return set(given) == runs and least <= len(given) <= most

    return holds


BLOCKS = [f"{k}:0" for k in ONCE]
EXAMPLES: dict[str, Callable[[Items], bool]] = {
    "group_by": counts(N, N),
    "group_by_stateful": counts(N, N),
    "grouping_alltoone": every(ONCE),
    "grouping_alltoone_stateful": every(ONCE),
    "grouping_onetoall": every(ONCE * 2),
    "grouping_onetoall_stateful": every(ONCE * 2),
    "grouping_split_merge": counts(0, 2 * N),
    "large_teecopy": every(BLOCKS, BLOCKS),
    "parallel_pipeline": every(ONCE, ONCE),
    "partition_parallel_pipeline": every(ONCE, ONCE),
    "pipeline_composite": every([5.0, 7.0, 9.0, 11.0, 13.0]),
    "pipeline_test": every(ONCE),
    "producer_tee": every(ONCE, ONCE),
    "split_merge": every([str(k) for k in ONCE * 2]),
    "teecopy": every(ONCE, ONCE),
    "unconnected_pipeline": every(ONCE, ONCE),
    "word_count": counts(N, N),
    "word_count_filter": counts(0, N),
}
SLOW = {"delayed_pipeline": every([1, 2])}  # which waits a second for each item


def outputs_of(flowquake: Flowquake, reference: object, *arguments: object) -> Items:
    command = ["dispel4py", reference, "--json", *arguments]
    # Ranks write where the program itself writes.
    done = by_itself(command) if "mpi" in arguments else flowquake(*command)
    assert done.code == 0, done.err
    outputs = json.loads(done.out)["outputs"]
    return [items for ports in outputs.values() for items in ports.values()]


def by_itself(arguments: list[object]) -> Result:
    command = [sys.executable, "-m", "flowquake.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(("mapping", "workers"), MAPPINGS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_what_it_should(
    flowquake: Flowquake, d4py_examples: Path, name: str, mapping: str, workers: int
) -> None:
    place = ["-i", N, "--mapping", mapping, "-n", workers]
    assert EXAMPLES[name](outputs_of(flowquake, d4py_examples / f"{name}.py", *place))


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_a_slow_example_gives_what_it_should(
    flowquake: Flowquake, d4py_examples: Path, name: str
) -> None:
    assert SLOW[name](outputs_of(flowquake, d4py_examples / f"{name}.py", "-i", 2))


def test_no_example_is_left_out(d4py_examples: Path) -> None:
    there = {path.stem for path in d4py_examples.glob("*.py")} - {"__init__", "testing_PEs"}
    assert there == set(EXAMPLES) | set(SLOW)


def test_an_example_is_found_as_a_module(d4py_examples: Path, tmp_path: Path) -> None:
    module = "dispel4py.examples.graph_testing.pipeline_test"
    installed = d4py_examples.parents[2]
    code = (
        f"import sys; sys.path.append({str(installed)!r}); from flowquake.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "dispel4py", module, "-i", "5"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.startswith("Done")) == (0, True), done.stderr
    assert done.stdout == "Outputs: {'TestOneInOneOut5': {'output': [1, 2, 3, 4, 5]}}\n"
