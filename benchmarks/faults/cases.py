"""Which faults there are, how one is drawn, and how its run has to end."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

MAPPINGS: Final = ("sequential", "multi", "mpi")
GRAPHS: Final = ("chain", "fan", "keyed")
PES: Final = ("feed", "step", "write")
SILENT_S: Final = 1.0

# kind: (what it is, phases it can strike in); the phases of a signal are moments.
RAISES: Final = ("raises", "input", "memory", "recursion")
DIES: Final = ("sigkill", "sigsegv", "exit")
ODD: Final = ("lambda", "file", "generator", "unreadable", "huge")
DISK: Final = ("file limit", "disk full", "disk full of rejected items")
SILENT: Final = ("sleeps", "holds")
SIGNALS: Final = (
    "SIGINT",
    "SIGINT twice",
    "SIGTERM",
    "SIGHUP",
    "SIGINT to the group",
    "SIGINT twice to the group",
    "SIGKILL",
)
OTHER: Final = ("skip", "splits", "setup", "finish", "watermark", "teardown")
KINDS: Final = (*RAISES, *DIES, *ODD, *DISK, *SILENT, *SIGNALS, *OTHER)
EXIT_SIGNALS: Final = {"sigkill": -9, "sigsegv": -11, "exit": 3}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault: where, when, and of which kind.

    Attributes
    ----------
    number : int
        Of the draw.
    kind : str
        One of `KINDS`.
    mapping : str
        One of `MAPPINGS`.
    workers : int
        How many.
    graph, pe : str
        One of `GRAPHS`, and which element breaks.
    phase : str
        In which method.
    at : int
        At which item.
    early : bool
        Whether a signal comes before the first item.
    delay : float
        Seconds; with a signal after the start, or after the twentieth item.
    instances, parts : int
        How many steps, and splits.
    """

    number: int
    kind: str
    mapping: str
    workers: int
    graph: str
    pe: str
    phase: str
    at: int
    early: bool
    delay: float
    instances: int
    parts: int

    @property
    def is_signal(self) -> bool:
        """Whether it comes from outside."""
        return self.kind in SIGNALS

    @property
    def crosses(self) -> bool:
        """Whether what the element emits has to cross to another process, surely."""
        return False

    def settings(self) -> dict[str, Any]:
        """Give the parameters of the workflow."""
        values: dict[str, Any] = {
            "graph": self.graph,
            "pe": self.pe,
            "phase": self.phase,
            "at": self.at,
            "kind": self.kind,
            "instances": self.instances,
            "parts": self.parts,
        }
        if self.is_signal:
            values |= {"kind": "", "upto": 100_000, "wait": 0.01}
        elif self.kind in ("splits", "setup", "finish", "watermark", "teardown", "skip"):
            values |= {"kind": "raises"}
        elif self.kind == "file limit":
            values |= {"kind": "", "limit": True, "padding": 100}
        elif self.kind == "disk full":
            values |= {"kind": "", "padding": 1000}
        elif self.kind == "disk full of rejected items":
            values |= {"kind": "raises", "padding": 1000}
        return values

    def arguments(self) -> list[str]:
        """Give the options of `flowquake run`."""
        given = ["--mapping", self.mapping]
        if self.mapping != "sequential":
            given += ["-n", str(self.workers)]
        if self.kind in ("skip", "disk full of rejected items"):
            given += ["--on-error", "skip"]
        if self.kind in SILENT:
            given += ["--stall-timeout", str(SILENT_S)]
        return given

    def to_json(self) -> dict[str, Any]:
        """Give it as data."""
        return asdict(self)


def draw(rng: np.random.Generator, number: int, kind: str, mapping: str | None = None) -> Case:
    """Draw a case of a kind."""
    chosen = mapping or str(rng.choice(MAPPINGS, p=(0.2, 0.42, 0.38)))
    pe, phase = str(rng.choice(PES)), "handler"
    if kind == "splits":
        pe, phase = "feed", "splits"
    elif kind in ("setup", "teardown"):
        phase = kind
    elif kind in ("finish", "watermark"):
        pe, phase = str(rng.choice(("step", "write"))), kind
    elif kind in ("skip", "disk full of rejected items"):
        pe = str(rng.choice(("step", "write")))
    elif kind in ODD:
        pe = "feed" if kind == "huge" else str(rng.choice(("feed", "step")))
    elif kind in ("file limit", "disk full"):
        pe = "write"
    early = bool(rng.random() < 0.35)
    return Case(
        number=number,
        kind=kind,
        mapping=chosen,
        workers=1
        if chosen == "sequential"
        else int(rng.integers(1, 5 if chosen == "multi" else 4)),
        graph=str(rng.choice(GRAPHS)),
        pe=pe,
        phase=phase,
        at=int(rng.integers(1, 900)) if kind != "disk full of rejected items" else 1,
        early=early,
        delay=float(rng.uniform(0, 0.8 if early else 0.3)),
        instances=int(rng.integers(1, 4)),
        parts=int(rng.integers(1, 3)),
    )


def draw_all(seed: int, count: int, *, least_mpi: int = 50) -> list[Case]:
    """Draw so many cases: every kind about equally often, and enough under MPI."""
    rng = np.random.default_rng(seed)
    rounds = -(-count // len(KINDS))
    kinds = [str(kind) for _ in range(rounds) for kind in rng.permutation(KINDS)][:count]
    cases = [draw(rng, number, kind) for number, kind in enumerate(kinds)]
    for case in cases:
        if sum(c.mapping == "mpi" for c in cases) >= least_mpi:
            break
        if case.mapping != "mpi":
            cases[case.number] = draw(rng, case.number, case.kind, "mpi")
    return cases


@dataclass(frozen=True, kw_only=True)
class Expected:
    """How a run has to end.

    Attributes
    ----------
    codes : tuple of int
        The exit codes that are right.
    texts : tuple of str
        Patterns that have to be found on standard error.
    status : str
        Of its record.
    """

    codes: tuple[int, ...]
    texts: tuple[str, ...] = ()
    status: str = "failed"


_FIX = r"Fix: +\S"


def expected(case: Case) -> Expected:
    """Say how the run of a case has to end."""
    who = re.escape(f"PE '{case.pe}'")
    many = case.mapping != "sequential" and case.workers > 1
    place = (r"worker \d",) if many else ()
    if case.kind in DIES:
        return _of_death(case)
    if case.kind in SIGNALS or case.kind in SILENT:
        return _of_signal(case)
    if case.kind == "skip":
        return Expected(codes=(5,), status="done")
    if case.kind == "huge":
        return Expected(codes=(0,), status="done")
    if case.kind == "splits":
        return Expected(codes=(1,), texts=(who, r"splits\(\)", "broken on purpose", _FIX))
    if case.kind in DISK:
        return _of_disk(case, who)
    if case.kind in ODD:
        # Within one process it goes as far as the file, where it is no JSON.
        if case.mapping == "sequential" or case.workers == 1:
            return Expected(codes=(3,), texts=("PE 'write'", "cannot be written as JSON"))
        either = "cannot be read by" if case.kind == "unreadable" else "cannot be sent"
        return Expected(
            codes=(1, 3),
            texts=("PE '(feed|step|write)'", f"{either}|cannot be written as JSON", *place),
        )
    phase = {"watermark": "on_watermark"}.get(case.phase, case.phase)
    if case.phase == "handler":
        phase = "produce" if case.pe == "feed" else r"on item \d+"
        if case.graph == "keyed" and case.pe == "step":
            phase += r".*key 'key \d'"
    cause = {
        "input": "the data is broken on purpose",
        "memory": "MemoryError: memory is short on purpose",
        "recursion": "RecursionError",
    }.get(case.kind, "ValueError: broken on purpose")
    code = 3 if case.kind == "input" else 1
    return Expected(codes=(code,), texts=(who, phase, cause, *place, _FIX))


def _of_death(case: Case) -> Expected:
    if case.mapping == "sequential":  # there is nobody else to say anything
        return Expected(codes=(EXIT_SIGNALS[case.kind],), status="started")
    how = {"sigkill": "SIGKILL", "sigsegv": "SIGSEGV", "exit": "exit code 3"}[case.kind]
    texts = (
        rf"worker \d of {case.workers} is lost: it (was ended by|ended with) {how}",
        rf"it ran .*{case.pe}",
        _FIX,
    )
    return Expected(codes=(4,), texts=texts)


def _of_signal(case: Case) -> Expected:
    if case.kind == "SIGKILL":
        return Expected(codes=(-9,), status="started")
    if case.kind == "holds" and case.mapping == "sequential":
        return Expected(codes=(-3,), status="started")  # by Ctrl-\
    return Expected(codes=(130,), status="interrupted")


def _of_disk(case: Case, who: str) -> Expected:
    if case.kind == "disk full of rejected items":
        # Where another branch writes as well, it may be the first to find the disk full.
        texts = ("cannot write the rejected items|rows cannot be written", "No space", _FIX)
        return Expected(codes=(1, 3) if case.graph == "fan" else (3,), texts=texts)
    cause = "No space left" if case.kind == "disk full" else "File too large"
    return Expected(codes=(1,), texts=(who, cause, _FIX))
