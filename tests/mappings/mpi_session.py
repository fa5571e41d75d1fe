"""What the tests ask of one number of MPI ranks, all of it in one start of ``mpiexec``.

Every rank runs ``python -m tests.mappings.mpi_session FOLDER``; rank 0 writes
the outcome of each case as soon as it is there. `Session`, in the tests'
process, starts it and reads them.
"""

from __future__ import annotations

import faulthandler
import inspect
import itertools
import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from flowquake import Workflow, run
from flowquake.mappings.mpi import MPI
from flowquake.mappings.mpifound import find_launcher
from flowquake.ports import BoundOutput
from tests.mappings import ways
from tests.mappings.graphs import CUTS, GRAPHS, failure_of, outcome_of, places_of, recut
from tests.mappings.item_graphs import FAILING_GRAPHS, HEAVY_GRAPHS, ITEM_GRAPHS
from tests.mappings.random_graphs import Drawn, answer, draw_graphs

CASE_LIMIT_S: Final = 40.0  # a case that takes longer hangs
SESSION_LIMIT_S: Final = 600.0
REPOSITORY: Final = Path(__file__).parents[2]

MPI_GRAPHS: Final = int(os.environ.get("FLOWQUAKE_MPI_GRAPHS", "20"))
MPI_GRAPHS_SEED: Final = 1

Collected = Callable[[Workflow, BoundOutput[Any]], list[Any]]
Case = Callable[[], object]


# On every rank.


def cases(ranks: int) -> Iterator[tuple[str, Case]]:
    """Name all that is run on so many ranks, in the same order on each."""
    for way in (way for way in ways.MPI_WAYS if way.ranks == ranks):
        mapping = MPI(channel_items=1 if way.workers == 3 else None)
        how: dict[str, Any] = {"mapping": mapping, "workers": way.workers, "fuse": way.fuse}
        for make in (*GRAPHS, *ITEM_GRAPHS):
            yield f"{way.text} {make.__name__}", partial(outcome_of, make, **how)
        for make in FAILING_GRAPHS:
            yield f"{way.text} {make.__name__}", partial(failure_of, make, **how)
        yield f"{way.text} places", partial(places_of, **how)
        for cut in CUTS:
            yield f"{way.text} {cut}", partial(recut, **how, **cut)
        for name, behaviour in behaviours():
            yield f"{way.text} {name}", partial(recorded, behaviour, **how)
        if way in ways.ONCE_WAYS:
            for make in HEAVY_GRAPHS:
                yield f"{way.text} {make.__name__}", partial(outcome_of, make, **how)
    if ranks == 4:
        for number, drawn in enumerate(draw_graphs(MPI_GRAPHS, MPI_GRAPHS_SEED)):
            yield f"drawn {number}", partial(drawn_answer, drawn, number)


def drawn_answer(drawn: Drawn, number: int) -> tuple[Drawn, dict[str, object]]:
    """Run a drawn graph with some number of workers; give it with its answer."""
    mapping = MPI(channel_items=(1, 2, None)[number % 3])
    given = answer(drawn, mapping, workers=1 + number % 4, fuse=number % 2 == 0)
    return drawn, given


def behaviours() -> Iterator[tuple[str, Callable[[Collected], None]]]:
    """Give each test of a behaviour, with each choice of its parameters."""
    from tests.mappings import test_behaviours

    for name, test in vars(test_behaviours).items():
        if name.startswith("test_") and "collect" in inspect.signature(test).parameters:
            marks = [m for m in getattr(test, "pytestmark", ()) if m.name == "parametrize"]
            for chosen in itertools.product(*(_choices(*mark.args) for mark in marks)):
                parameters = {key: value for part in chosen for key, value in part.items()}
                yield behaviour_name(name, parameters), partial(test, **parameters)


def _choices(names: Any, values: Any) -> list[dict[str, object]]:  # as pytest takes them
    if isinstance(names, str):
        return [{names: value} for value in values]
    return [dict(zip(names, chosen, strict=True)) for chosen in values]


def behaviour_name(test: str, parameters: dict[str, object]) -> str:
    return f"{test} {sorted(parameters.items())}"


def recorded(
    behaviour: Callable[[Collected], None], *, mapping: MPI, workers: int, fuse: bool
) -> list[list[Any]]:
    """Run a behaviour's graphs; give what each gave, whether it is right or not."""
    answers: list[list[Any]] = []

    def collect(workflow: Workflow, output: BoundOutput[Any]) -> list[Any]:
        result = run(workflow, mapping=mapping, workers=workers, fuse=fuse, collect=[output])
        answers.append(mapping.share(result[output]))
        return answers[-1]

    try:
        behaviour(collect)
    except AssertionError:  # the tests' own process judges
        assert answers
    return answers


def main(folder: Path) -> None:
    """Run all cases; rank 0 writes the outcomes."""
    from mpi4py import MPI as library

    ranks = library.COMM_WORLD
    with (
        open(folder / "outcomes", "ab") as outcomes,
        open(folder / f"stack-{ranks.rank}.txt", "w", encoding="utf-8") as stack,
    ):
        for name, case in cases(ranks.size):
            faulthandler.dump_traceback_later(CASE_LIMIT_S, file=stack)
            if ranks.rank == 0:
                (folder / "running").write_text(name, encoding="utf-8")
            gave, failure = None, ""
            try:
                gave = case()
            except Exception:  # noqa: BLE001 - told to the tests' own process
                failure = f"rank {ranks.rank}: {traceback.format_exc()}"
            failures = [text for text in ranks.allgather(failure) if text]
            if ranks.rank == 0:
                pickle.dump((name, gave, "\n".join(failures)), outcomes)
                outcomes.flush()
        faulthandler.cancel_dump_traceback_later()


# In the tests' process.


class Session:
    """The outcomes of one number of ranks.

    Parameters
    ----------
    ranks : int
        How many.
    folder : Path
        An empty folder for what they write.
    """

    def __init__(self, ranks: int, folder: Path) -> None:
        self._ranks = ranks
        self._folder = folder
        began = time.monotonic()
        self._ending = self._run()
        self.seconds = time.monotonic() - began
        self._outcomes = dict(self._read())

    def answer(self, name: str) -> Any:  # whatever the case gives
        """Give what a case gave.

        Raises
        ------
        AssertionError
            If it raised, or never ended; says what the ranks said.
        """
        if name not in self._outcomes:
            raise AssertionError(f"{name!r} has no outcome: {self._ending}")
        gave, failure = self._outcomes[name]
        if failure:
            raise AssertionError(f"on {self._ranks} ranks, {name!r} raised\n{failure}")
        return gave

    def _read(self) -> Iterator[tuple[str, tuple[Any, str]]]:
        with open(self._folder / "outcomes", "ab+") as file:
            file.seek(0)
            while True:
                try:
                    name, gave, failure = pickle.load(file)
                except (EOFError, pickle.UnpicklingError):  # the last may be cut
                    return
                yield name, (gave, failure)

    def _run(self) -> str:
        program = [sys.executable, "-m", __name__, str(self._folder)]
        with open(self._folder / "output", "wb") as output:
            process = subprocess.Popen(
                find_launcher().command(self._ranks, program),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                cut = self._watch(process)
            finally:
                end_all(process)
        if not cut and process.returncode == 0:
            return "the session ended without it"
        running = self._text("running")
        said = [f"the session {cut or f'ended with {process.returncode}'} in {running!r}"]
        said += [f"{p.name}:\n{p.read_text()}" for p in sorted(self._folder.glob("stack-*"))]
        return "\n".join([*said, self._text("output")[-4000:]])

    def _watch(self, process: subprocess.Popen[bytes]) -> str:
        """Wait for the end; say why the session is cut if it does not come."""
        last, since, began = "", time.monotonic(), time.monotonic()
        while True:
            try:
                process.wait(0.2)
                return ""
            except subprocess.TimeoutExpired:
                running, now = self._text("running"), time.monotonic()
            if running != last:
                last, since = running, now
            if now - since > CASE_LIMIT_S + 5 or now - began > SESSION_LIMIT_S:
                return f"was cut after {now - began:.0f} s"

    def _text(self, name: str) -> str:
        path = self._folder / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def end_all(process: subprocess.Popen[bytes]) -> None:
    """End mpiexec and all that it started; each rank may be in a session of its own."""
    if process.poll() is None:
        started = descendants(process.pid)
        for pid in (process.pid, *started):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    process.wait()


def descendants(pid: int) -> list[int]:
    """Name the children of a process, their children, and so on."""
    found = []
    with subprocess.Popen(
        ["ps", "-e", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True
    ) as listing:
        pairs = [map(int, line.split()) for line in listing.communicate()[0].splitlines()]
    parents = {child: parent for child, parent in pairs if child != listing.pid}
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
        found += sorted(more)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
