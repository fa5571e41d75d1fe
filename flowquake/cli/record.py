"""What ``run.json`` says: enough to repeat a run, and how it ended."""

from __future__ import annotations

import os
import platform
import shlex
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowquake._version import __version__
from flowquake.rundir import SCHEMA, RunDirectory, describe_inputs, file_hash

if TYPE_CHECKING:
    from flowquake.loading import LoadedWorkflow
    from flowquake.running import PECounts, RunResult

LIBRARIES = ("numpy", "scipy", "obspy", "networkx", "matplotlib", "numba", "click", "rich")


def begin_record(
    directory: RunDirectory,
    loaded: LoadedWorkflow,
    *,
    settings: Mapping[str, str],
    values: Mapping[str, object],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Make the record of a run that starts now.

    Parameters
    ----------
    directory : RunDirectory
        Where it writes.
    loaded : LoadedWorkflow
        What it runs.
    settings : mapping of str to str
        The parameters as they were given; secrets are references here.
    values : mapping of str to object
        The same, read; only paths are looked at.
    options : mapping
        mapping, workers, seed, on_error and the like.
    """
    paths = {name: value for name, value in values.items() if _may_be_path(value)}
    return {
        "schema": SCHEMA,
        "id": directory.id,
        "directory": str(directory.path.resolve()),
        "status": "started",
        "exit_code": None,
        "error": None,
        "started": utc_now(),
        "ended": None,
        "seconds": None,
        "workflow": {
            "name": loaded.name,
            "reference": loaded.reference,
            "file": str(loaded.path.resolve()) if loaded.path else None,
            "sha256": file_hash(loaded.path) if loaded.path else None,
            "package": loaded.package,
            "version": loaded.version,
        },
        "parameters": dict(settings),
        "defaults": {
            p.name: str(p.to_json()["default"])
            for p in loaded.parameters
            if not p.required and p.name not in settings
        },
        "options": dict(options),
        "inputs": describe_inputs(paths),
        "versions": versions(loaded.package),
        "host": {
            "name": socket.gethostname(),
            "pid": os.getpid(),
            "system": platform.platform(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
        },
        "working_directory": str(Path.cwd()),
        "counts": {},
        "loads": {},
        "unconnected": {},
        "rejected": 0,
        "warnings": 0,
        "files": [],
    }


def end_record(
    record: dict[str, Any],
    directory: RunDirectory,
    *,
    status: str,
    exit_code: int,
    error: str | None = None,
    result: RunResult | None = None,
    counts: Mapping[str, PECounts] | None = None,
    loads: Mapping[str, Any] | None = None,
    warnings: int = 0,
) -> None:
    """Complete the record of a run and write it."""
    known = result.counts if result is not None else counts or {}
    record.update(
        status=status,
        exit_code=exit_code,
        error=error,
        ended=utc_now(),
        seconds=round(seconds_between(record["started"], utc_now()), 3)
        if result is None
        else round(result.seconds, 3),
        counts=counts_json(known),
        loads=dict(loads or {}),
        unconnected=dict(result.unconnected) if result is not None else {},
        rejected=sum(count.rejected for count in known.values()),
        warnings=warnings,
        files=directory.files(),
    )
    directory.write(record)


def counts_json(counts: Mapping[str, PECounts]) -> dict[str, Any]:
    """Give the counts of a run as plain data."""
    return {
        name: {
            "received": count.received,
            "emitted": dict(count.emitted),
            "rejected": count.rejected,
            "counters": dict(count.counters),
        }
        for name, count in counts.items()
    }


def versions(package: str = "") -> dict[str, str]:
    """Give the versions of flowquake, Python and the libraries that are installed."""
    found = {"flowquake": __version__, "python": platform.python_version()}
    for name in (*LIBRARIES, package):
        try:
            found.setdefault(name, version(name)) if name else None
        except PackageNotFoundError:
            continue
    return found


def repeat_line(record: Mapping[str, Any]) -> str:
    """Write the command that repeats a run, quoted for a shell."""
    workflow, options = record["workflow"], record["options"]
    parts = ["flowquake", "run", str(workflow["reference"])]
    for name, value in record["parameters"].items():
        parts += ["--set", f"{name}={value}"]
    usual = {"mapping": "sequential", "workers": 1, "seed": 0, "on_error": "stop", "restarts": 0}
    usual |= {"stall_timeout": 60.0}
    if not options.get("fuse", True):
        parts.append("--no-fuse")
    for name, default in usual.items():
        if options.get(name, default) != default:
            parts += [f"--{name.replace('_', '-')}", str(options[name])]
    return shlex.join(parts)


def utc_now() -> str:
    """Give the present as ISO 8601 UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_between(first: str, second: str) -> float:
    """Give the seconds from one ISO time to another."""
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds()


def _may_be_path(value: object) -> bool:
    return isinstance(value, (Path, list, tuple))
