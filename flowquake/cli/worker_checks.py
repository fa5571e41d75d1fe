"""What ``flowquake doctor`` finds out about workers: it starts two, as processes and as ranks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flowquake import Production, Source
from flowquake.errors import FlowquakeError

if TYPE_CHECKING:
    from flowquake.cli.checks import Check
    from flowquake.mappings.mpifound import Launcher, Library

PATIENCE_S: Final = 8.0  # for two ranks that only greet each other


class Nothing(Source):
    """Give nothing: a worker has started once it is done."""

    def produce(self, split: object) -> Production:
        """Give nothing."""
        yield from ()


def check_workers() -> Iterator[Check]:
    """Start two workers of the mapping multi."""
    from flowquake import Workflow, run
    from flowquake.cli.checks import Check, usable_cores
    from flowquake.mappings.multi import Multi
    from flowquake.mappings.processes import is_single_threaded

    say = partial(Check, name="multi", required=False)
    workflow = Workflow("nothing")
    for name in ("one", "other"):
        workflow.add(Nothing(), name=name)
    alone, mapping = is_single_threaded(), Multi()
    began = time.perf_counter()
    try:
        run(workflow, mapping=mapping, workers=2, stall_timeout=0)
    except (FlowquakeError, OSError) as cause:
        yield say(
            ok=False,
            text=f"two workers cannot be started: {cause}",
            fix="run sequentially, and report this if the machine allows processes",
        )
        return
    seconds = time.perf_counter() - began
    if sys.platform != "linux":
        how = "spawned: this is not Linux"
    elif mapping.spawned:
        how = "spawned: this process has more than one thread"
    else:
        how = "forked: Linux, one thread" if alone else "forked"
    yield say(
        ok=True,
        text=f"2 workers start and end in {seconds:.2f} s, {how}; {usable_cores():g} cores usable",
    )


def check_mpi() -> Iterator[Check]:
    """Start two MPI ranks, and say which MPI they find."""
    from flowquake.cli.checks import Check, installed
    from flowquake.mappings.mpiexec import is_under_mpi, rank_in_environment
    from flowquake.mappings.mpifound import find_launcher, loaded_library

    if installed("mpi4py") is None:
        return
    say = partial(Check, name="mpi", required=False)
    if is_under_mpi():
        yield say(
            ok=False,
            text=f"this is rank {rank_in_environment()} of a run already",
            fix="run doctor without mpiexec or srun: it starts ranks itself",
        )
        return
    try:
        launcher = find_launcher()
    except FlowquakeError as error:
        yield say(ok=False, text=error.message, fix=error.fix or "")
        return
    place = "beside this Python" if launcher.is_beside_python else "on the PATH"
    yield Check(
        name="mpiexec", ok=True, text=f"{launcher.of}, {place}: {launcher.path}", required=False
    )
    found, printed = _start_two(launcher)
    library = _library_of(found) if found else loaded_library()
    if library is None:
        yield say(
            ok=False,
            text=f"mpi4py {installed('mpi4py')} finds no MPI library",
            fix=_no_library_fix(),
        )
    elif launcher.of.differs_from(library) or any(one["size"] != 2 for one in found):
        yield say(
            ok=False,
            text=f"mpi4py loads {library}, mpiexec is of {launcher.of}: "
            "each rank would be alone, a run of size 1",
            fix=f"put the mpiexec of {library.name} on the PATH, or name {launcher.of.name}'s "
            "library in MPI4PY_LIBMPI",
        )
    elif not found:
        yield say(
            ok=False,
            text=f"2 ranks do not start: {printed}",
            fix=f"see what `{' '.join(launcher.command(2, ['hostname']))}` prints",
        )
    else:
        (one,) = found
        yield say(
            ok=True,
            text=f"{library} by mpi4py {one['mpi4py']}; 2 ranks start in {one['start_s']:.2f} s, "
            f"a message there and back takes {one['round_trip_s'] * 1e6:.1f} \N{MICRO SIGN}s",
        )


def _no_library_fix() -> str:
    names = [name for name in ("MPI4PY_MPIABI", "MPI4PY_LIBMPI") if name in os.environ]
    if names:
        return f"unset {' '.join(names)}, or load the MPI module that they mean"
    return 'pip install "flowquake[mpi]", or load your cluster\'s MPI module'


def _library_of(found: list[dict[str, Any]]) -> Library:
    from flowquake.mappings.mpifound import Library

    return Library.read(found[0]["library"])


def _start_two(launcher: Launcher) -> tuple[list[dict[str, Any]], str]:
    """Start two ranks; give what they found, and the last line that was printed otherwise."""
    program = [sys.executable, "-m", "flowquake.cli.rank_probe", repr(time.time())]
    try:
        process = subprocess.Popen(
            launcher.command(2, program),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as cause:
        return [], str(cause)
    try:
        printed, _ = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        _end(process)
        return [], f"nothing within {PATIENCE_S:g} s"
    found, others = [], [f"exit code {process.returncode}"]
    for line in printed.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            others += [line.strip()] if any(map(str.isalpha, line)) else []
    return [one for one in found if isinstance(one, dict) and "size" in one], others[-1]


def _end(process: subprocess.Popen[str]) -> None:
    """End an mpiexec with all that it started, as far as it lets itself be asked."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=1.0)
            return
