"""``flowquake run --mapping mpi``: starts itself under mpiexec, and stays its parent."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowquake.cli.text import note
from flowquake.errors import ConfigError, FlowquakeError, TransportError

if TYPE_CHECKING:
    from flowquake.mappings.endings import Ending

INTERRUPTED, LOST = 130, 4


def run_under_mpi(arguments: Sequence[str], workers: int | None) -> int:
    """Run this command line on ranks.

    Parameters
    ----------
    arguments : sequence of str
        Those of this process.
    workers : int, optional
        How many; default: one for each core.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    ConfigError
        If there is no mpiexec or mpi4py, or ``srun`` started this without MPI.
    TransportError
        If a rank is lost.
    """
    from flowquake.extras import require
    from flowquake.mappings.mpiexec import supervise
    from flowquake.mappings.mpifound import find_launcher, ranks_in_environment
    from flowquake.mappings.multi import cores

    together = ranks_in_environment()
    if together > 1:
        raise ConfigError(
            f"this is one of {together} processes that were started together, and no MPI rank",
            fix="srun --mpi=pmi2 for MPICH, --mpi=pmix for Open MPI; `srun --mpi=list` shows "
            "what your cluster has",
        )
    require("mpi4py", extra="mpi", needed_by="the mapping 'mpi'")
    ranks = workers or cores()
    program = [sys.executable, "-m", "flowquake.cli", *arguments]
    ending = supervise(find_launcher(), ranks, program, silent=_say_silent)
    if ending.stopped > 1:
        _complete(ending, "interrupted", INTERRUPTED, None)
        note("Interrupted.")
        return INTERRUPTED
    if ending.exit_code is not None:
        if ending.is_incomplete:
            _complete(ending, "failed", ending.exit_code, None)
        return ending.exit_code
    if ending.stopped:
        _complete(ending, "interrupted", INTERRUPTED, None)
        note("Interrupted.")
        return INTERRUPTED
    error = _lost(ending, ranks)
    _complete(ending, "failed", LOST, error)
    raise error


def _lost(ending: Ending, ranks: int) -> TransportError:
    lost = sorted(ending.lost)
    who = f"worker {' or '.join(map(str, lost))} of {ranks}" if lost else "a rank"
    elements = ending.said.get("elements", {})
    ran = [
        f"{'it' if len(lost) == 1 else f'worker {n}'} ran {elements[str(n)]}"
        for n in lost
        if str(n) in elements
    ]
    return TransportError(
        f"{who} is lost: {ending.how}",
        where="; ".join(ran) or None,
        fix="see what it printed above; if the machine was short of memory, use fewer workers "
        "or smaller items; run it again",
    )


def _say_silent(ending: Ending, stack: str) -> None:
    """Write in the run's log that rank 0, which writes it otherwise, is silent."""
    from flowquake.cli.record import utc_now
    from flowquake.rundir import RunDirectory

    if "directory" not in ending.said:
        return
    runs = ending.said.get("elements", {}).get("0", "nothing")
    entry = {
        "time": utc_now(),
        "level": "warning",
        "logger": "flowquake.cli.supervising",
        "message": f"worker 0 is alive but silent: it runs {runs}",
        "worker": 0,
        "stack": stack,
    }
    with contextlib.suppress(OSError):  # the disk is full: what silences it comes first
        RunDirectory(Path(ending.said["directory"]), ending.said["id"]).append("log.jsonl", entry)


def _complete(ending: Ending, status: str, code: int, error: FlowquakeError | None) -> None:
    """Write in the run's record how it ended, as nobody else can any more."""
    from flowquake.cli.record import utc_now
    from flowquake.rundir import RECORD, RunDirectory

    if "directory" not in ending.said:
        return
    directory = RunDirectory(Path(ending.said["directory"]), ending.said["id"])
    try:
        record: dict[str, Any] = json.loads((directory.path / RECORD).read_text(encoding="utf-8"))
        record.update(
            status=status,
            exit_code=code,
            error=None if error is None else str(error),
            ended=utc_now(),
            files=directory.files(),
        )
        directory.write(record)
    except (OSError, ValueError, FlowquakeError) as cause:
        note(f"the record of the run cannot be completed: {cause}")
