"""What ``flowquake doctor`` looks at; each check gives one line or several."""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path
from typing import Final

from flowquake._version import __version__
from flowquake.runindex import data_home
from flowquake.threads import VARIABLES

FIRST_PYTHON: Final = (3, 11)
LAST_PYTHON: Final = (3, 14)
LEAST_SHARED_MEMORY: Final = 256 * 1024**2  # bytes
LEAST_DISK: Final = 1024**3  # bytes
RELEASED: Final = datetime(2026, 1, 1, tzinfo=UTC)
USES: Final = {
    "mpi": "clusters",
    "kafka": "live feeds",
    "numba": "faster fits",
    "hdf5": "HDF5 files",
    "logging": "logs of processes that you start yourself",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the doctor.

    Attributes
    ----------
    name : str
        What was looked at.
    ok : bool
        Whether it is as it should be.
    text : str
        What was found.
    fix : str
        What to do if it is not ok.
    required : bool
        Whether flowquake cannot do its main job without it.
    optional : bool
        Whether it is good as it is, for who does not want it.
    """

    name: str
    ok: bool
    text: str
    fix: str = ""
    required: bool = True
    optional: bool = False


def all_checks() -> Iterator[Check]:
    """Look at everything."""
    for check in CHECKS:
        yield from check()


def check_python() -> Iterator[Check]:
    """Look at Python's version."""
    now = sys.version_info[:2]
    first, last = (".".join(map(str, v)) for v in (FIRST_PYTHON, LAST_PYTHON))
    yield Check(
        name="python",
        ok=FIRST_PYTHON <= now <= LAST_PYTHON,
        text=f"{platform.python_version()} at {sys.executable}",
        fix=f"use Python {first} to {last}",
        required=now < FIRST_PYTHON,
    )
    yield Check(name="flowquake", ok=True, text=__version__)


def check_packages() -> Iterator[Check]:
    """Look for the packages that flowquake needs, and those of each extra."""
    core, extras = requirements()
    missing = [name for name in core if installed(name) is None]
    yield Check(
        name="packages",
        ok=not missing,
        text=", ".join(f"{name} {installed(name) or 'missing'}" for name in core),
        fix=f"pip install {' '.join(missing)}",
    )
    for extra, names in extras.items():
        # A system's own MPI does as well as the one that pip brings.
        spared = {"mpich"} if shutil.which("mpiexec") else set()
        missing = [name for name in names if installed(name) is None and name not in spared]
        use = f" for {USES[extra]}" if extra in USES else ""
        yield Check(
            name=f"extra {extra}",
            ok=not missing,
            text=", ".join(f"{name} {installed(name) or 'missing'}" for name in names) + use,
            fix=f'pip install "flowquake[{extra}]"',
            required=False,
            optional=True,
        )


def check_cores() -> Iterator[Check]:
    """Hold cores against the threads that numerical libraries would start."""
    cores = usable_cores()
    values = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    several = [name for name, value in values.items() if value.isdecimal() and int(value) > 1]
    others = [f"{name}={value}" for name, value in values.items() if value != "1"]
    shown = ", ".join(others) or "one thread a worker"
    yield Check(
        name="cores",
        ok=not several,
        text=f"{cores:g} usable, {shown}",
        fix=f"unset {' '.join(several)}: every worker would start so many threads, and results "
        "could differ in their last digits",
        required=False,
    )


def check_shared_memory() -> Iterator[Check]:
    """Look at the size of shared memory."""
    place = Path("/dev/shm")
    if not place.is_dir():
        yield Check(name="shared memory", ok=True, text="no limit of its own on this system")
        return
    size = shutil.disk_usage(place)
    yield Check(
        name="shared memory",
        ok=size.free >= LEAST_SHARED_MEMORY,
        text=f"{show_bytes(size.free)} free of {show_bytes(size.total)}",
        fix="give at least 256 MB; in a container: docker run --shm-size=1g",
        required=False,
    )


def check_disk() -> Iterator[Check]:
    """Say whether runs can be written here, and how much."""
    free = shutil.disk_usage(Path.cwd()).free
    yield Check(
        name="disk",
        ok=free >= LEAST_DISK,
        text=f"{show_bytes(free)} free in {Path.cwd()}",
        fix="make room, or write runs elsewhere with --out",
        required=False,
    )
    try:
        with tempfile.TemporaryFile(dir=Path.cwd()):
            pass
        writable = True
    except OSError:
        writable = False
    yield Check(
        name="run directory",
        ok=writable,
        text=f"{'can' if writable else 'cannot'} write in {Path.cwd()}",
        fix="change to a folder of your own, or give --out",
    )
    home = data_home()
    nearest = next(path for path in (home, *home.parents) if path.exists())
    yield Check(
        name="index of runs",
        ok=os.access(nearest, os.W_OK),
        text=str(home),
        fix="set FLOWQUAKE_HOME to a folder that you can write",
        required=False,
    )


def check_clock() -> Iterator[Check]:
    """Say whether the clock can be right."""
    now = datetime.now(UTC)
    # A file of the present tells a clock that the file system does not share.
    with tempfile.NamedTemporaryFile() as file:
        written = datetime.fromtimestamp(Path(file.name).stat().st_mtime, UTC)
    apart = abs((written - now).total_seconds())
    yield Check(
        name="clock",
        ok=now > RELEASED and apart < 5.0,
        text=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        fix="set the clock, for example with NTP: live feeds depend on it",
        required=False,
    )


def check_terminal() -> Iterator[Check]:
    """Say whether output can be written as it is meant."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    kind = "terminal" if sys.stdout.isatty() else "pipe or file"
    yield Check(
        name="terminal",
        ok=encoding == "utf8",
        text=f"{kind}, {sys.stdout.encoding}",
        fix="export PYTHONUTF8=1, or choose a UTF-8 locale",
        required=False,
    )


def check_broker() -> Iterator[Check]:
    """Say whether a Kafka broker answers."""
    if installed("kafka-python") is None:
        return
    address = os.environ.get("FLOWQUAKE_BOOTSTRAP", "127.0.0.1:9092").split(",")[0]
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=0.5).close()
        answers = True
    except (OSError, ValueError):
        answers = False
    yield Check(
        name="broker",
        ok=answers,
        text=f"{address} {'answers' if answers else 'does not answer'}",
        fix="start a broker, or set FLOWQUAKE_BOOTSTRAP=HOST:PORT, if you want live feeds",
        required=False,
    )


def _check_workers() -> Iterator[Check]:
    from flowquake.cli.worker_checks import check_workers

    yield from check_workers()


def _check_mpi() -> Iterator[Check]:
    from flowquake.cli.worker_checks import check_mpi

    yield from check_mpi()


CHECKS: Final[tuple[Callable[[], Iterator[Check]], ...]] = (
    check_python,
    check_packages,
    check_cores,
    check_shared_memory,
    check_disk,
    check_clock,
    check_terminal,
    _check_workers,
    _check_mpi,
    check_broker,
)


def requirements() -> tuple[list[str], dict[str, list[str]]]:
    """Give the names of the packages that flowquake needs, and of each extra."""
    core: list[str] = []
    extras: dict[str, list[str]] = {}
    for line in metadata("flowquake").get_all("Requires-Dist") or ():
        name = re.split(r"[ <>=!~;\[(]", line, maxsplit=1)[0]
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        if extra is None:
            core.append(name)
        elif name != "flowquake" and extra[1] not in ("all", "dev", "docs", "test"):
            extras.setdefault(extra[1], []).append(name)
    return sorted(core), extras


def installed(package: str) -> str | None:
    """Give the version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def usable_cores() -> float:
    """Give the number of cores that this process may use; a container may have a fraction."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = float(len(affinity(0)) if affinity is not None else os.cpu_count() or 1)
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return cores if quota == "max" else min(cores, int(quota) / int(period))
    except (OSError, ValueError):
        return cores


def show_bytes(size: int) -> str:
    """Write a size.

    Examples
    --------
    >>> show_bytes(3 * 1024**3)
    '3.0 GB'
    """
    return f"{size / 1024**3:.1f} GB" if size >= 1024**3 else f"{size / 1024**2:.0f} MB"
