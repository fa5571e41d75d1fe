"""Which MPI there is: the ``mpiexec``, and the library that mpi4py loads."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowquake.errors import ConfigError

PATIENCE_S: Final = 5.0  # for a program that only says its version
_SIZES: Final = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
_NUMBER: Final = re.compile(r"\d+\.\d+(\.\d+)?")
# What each prints of itself. Ranks with one family's library can be started by
# the mpiexec of any of that family.
_MARKS: Final = {
    "Open MPI": ("OPEN MPI", "OPENRTE", "OPEN-MPI", "PRRTE", "PRTE"),
    "Intel MPI": ("INTEL(R) MPI",),
    "MPICH": ("MPICH", "HYDRA"),
}
_FAMILIES: Final = {"Open MPI": "Open MPI", "Intel MPI": "MPICH", "MPICH": "MPICH"}
_ASK: Final = (
    "import mpi4py; mpi4py.rc.initialize = False; "
    "from mpi4py import MPI; print(MPI.Get_library_version())"
)


@dataclass(frozen=True)
class Library:
    """An MPI library.

    Attributes
    ----------
    name : str
        ``"MPICH"``, ``"Intel MPI"``, ``"Open MPI"``, else the first line that it prints.
    version : str
        As it says.
    """

    name: str
    version: str

    @classmethod
    def read(cls, printed: str) -> Library:
        """Find out from what a library or its ``mpiexec`` prints of itself.

        Examples
        --------
        >>> Library.read("Open MPI v4.1.4, package: Debian OpenMPI")
        Library(name='Open MPI', version='4.1.4')
        """
        number = _NUMBER.search(printed)
        version = number[0] if number else ""
        for name, marks in _MARKS.items():
            if any(mark in printed.upper() for mark in marks):
                return cls(name, version)
        lines = printed.strip().splitlines()
        return cls(lines[0].strip() if lines else "unknown", version)

    def differs_from(self, other: Library) -> bool:
        """Whether ranks of one surely cannot be started by the ``mpiexec`` of the other."""
        families = {_FAMILIES.get(library.name) for library in (self, other)}
        return None not in families and len(families) > 1

    def __str__(self) -> str:
        return f"{self.name} {self.version}" if self.name in _FAMILIES else self.name


@dataclass(frozen=True)
class Launcher:
    """An ``mpiexec`` that was found.

    Attributes
    ----------
    path : str
        Where.
    library : str
        ``"MPICH"``, ``"Intel MPI"``, ``"Open MPI"``, else the first line that it prints.
    version : str
        As it says.
    """

    path: str
    library: str
    version: str

    @property
    def of(self) -> Library:
        """The library that it belongs to."""
        return Library(self.library, self.version)

    @property
    def is_beside_python(self) -> bool:
        """Whether it is in this Python's own environment."""
        return Path(self.path).parent == Path(sys.executable).parent

    def command(self, ranks: int, program: Sequence[str]) -> list[str]:
        """Write the command that starts a program on so many ranks of this machine."""
        options = ["-n", str(ranks)]
        if self.library == "Open MPI":
            options += ["--oversubscribe"]
            if hasattr(os, "geteuid") and os.geteuid() == 0:
                options += ["--allow-run-as-root"]
        return [self.path, *options, *program]


def find_launcher() -> Launcher:
    """Find ``mpiexec``: beside this Python, where pip puts it, or on the path.

    Where there are several, of different libraries, it is one of the library
    that mpi4py loads: ranks that are started by another do not find each other.

    Raises
    ------
    ConfigError
        If there is none, or it does not say what it is.
    """
    places = [str(Path(sys.executable).parent), *os.get_exec_path()]
    paths: list[str] = []
    for path in (os.path.join(place, "mpiexec") for place in places):
        if os.path.isfile(path) and os.access(path, os.X_OK):
            paths += [] if any(os.path.samefile(path, other) for other in paths) else [path]
    if not paths:
        raise ConfigError(
            "there is no mpiexec",
            fix='pip install "flowquake[mpi]", or load your cluster\'s MPI module',
        )
    first = _look_at(paths[0])
    with contextlib.suppress(ConfigError):  # the first may still do
        others = [
            other for path in paths[1:] if (other := _look_at(path)).of.differs_from(first.of)
        ]
        loaded = loaded_library() if others else None
        if loaded is not None and loaded.differs_from(first.of):
            return others[0]
    return first


def _look_at(path: str) -> Launcher:
    try:
        said = subprocess.run(
            [path, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as cause:
        late = isinstance(cause, subprocess.TimeoutExpired)
        raise ConfigError(
            f"{path} does not {'answer' if late else 'start'}: {cause}",
            fix="put a working mpiexec first on the PATH",
        ) from cause
    library = Library.read(said.stdout or said.stderr)
    return Launcher(path, library.name, library.version)


def loaded_library() -> Library | None:
    """Ask which library mpi4py loads, in a process of its own; None if it loads none."""
    try:
        said = subprocess.run(
            [sys.executable, "-c", _ASK],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Library.read(said.stdout) if said.stdout.strip() else None


def ranks_in_environment() -> int:
    """Give how many processes were started with this one, as their launcher says."""
    return next((int(os.environ[name]) for name in _SIZES if name in os.environ), 1)
