"""How processes ended, in words."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass, field
from typing import Any, Final

# How MPICH and Open MPI say which signal ended a rank, and MPICH's banner.
_SIGNAL: Final = re.compile(rb"\(signal (\d+)\)|exited on signal (\d+)")
_PID: Final = re.compile(rb"=\s+PID (\d+) RUNNING")
_CODE: Final = re.compile(rb"=\s+EXIT CODE: (\d+)")


@dataclass
class Ending:
    """How the ranks ended.

    Attributes
    ----------
    exit_code : int or None
        What rank 0 gave, or a rank that failed alone; None if none came so far.
    is_incomplete : bool
        Whether rank 0 could not complete the run's record.
    lost : dict of int to int or None
        The first rank that ended without a farewell, with its process if it
        was on this machine. Where ``mpiexec`` ended others so soon that nobody
        can tell which was the first, these too.
    how : str
        How it ended.
    said : dict
        What rank 0 told about the run.
    stopped : int
        How often the user asked to stop.
    returned : int or None
        What ``mpiexec`` gave.
    """

    exit_code: int | None = None
    is_incomplete: bool = False
    lost: dict[int, int | None] = field(default_factory=dict)
    how: str = ""
    said: dict[str, Any] = field(default_factory=dict)
    stopped: int = 0
    returned: int | None = None


def how_it_ended(status: int) -> str:
    """Say what a wait status means."""
    if os.WIFSIGNALED(status):
        return _by_signal(os.WTERMSIG(status))
    return f"it ended with exit code {os.WEXITSTATUS(status)}"


def _by_signal(number: int) -> str:
    known = number in set(signal.Signals)
    return f"it was ended by {signal.Signals(number).name if known else number}"


def read_banner(ending: Ending, banner: bytes, *, killed: bool) -> None:
    """Say how the lost rank ended, as far as the banner of ``mpiexec`` speaks of it.

    Parameters
    ----------
    ending : Ending
        Gets ``how``, and keeps in ``lost`` only the rank that the banner names.
    banner : bytes
        What ``mpiexec`` printed.
    killed : bool
        Whether this process ended ranks itself.
    """
    ending.how = "it ended without a word"
    pid, found, code = _PID.search(banner), _SIGNAL.search(banner), _CODE.search(banner)
    number = int(found[1] or found[2]) if found else 0
    by_kill = number == signal.SIGKILL  # which is how mpiexec ends the others
    if killed or (by_kill and len(ending.lost) > 1):
        return
    pids = set(ending.lost.values())
    if pid and int(pid[1]) in pids:
        ending.lost = {rank: its for rank, its in ending.lost.items() if its == int(pid[1])}
    elif pid and None not in pids:
        return  # it speaks of another rank
    if found:
        ending.how = _by_signal(number)
    elif code or (ending.returned or 0) > 0:
        ending.how = f"it ended with exit code {int(code[1]) if code else ending.returned}"
