"""How much others use the machine while something is measured."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Timing:
    """One timed call.

    Attributes
    ----------
    seconds : float
        On the wall.
    others : float
        Cores that other programs used meanwhile, on average; 0 where that is
        not known.
    """

    seconds: float
    others: float


def timed(work: Callable[[], object]) -> Timing:
    """Call and time."""
    began, all_before, own_before = time.perf_counter(), _all_busy(), _own_busy()
    work()
    seconds = time.perf_counter() - began
    others = (_all_busy() - all_before) - (_own_busy() - own_before)
    return Timing(seconds, max(0.0, others) / seconds)


def _own_busy() -> float:
    """Give the processor time of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in used)


def _all_busy() -> float:
    """Give the processor time of everything on this machine."""
    if not STAT.exists():
        return 0.0
    user, nice, system, _, _, irq, soft, steal = map(int, STAT.read_text().split()[1:9])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")
