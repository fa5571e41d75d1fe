"""What is known of an experiment besides its samples."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from flowquake.errors import FormatError
from flowquake.pes.catalogs.cells import number
from flowquake.pes.catalogs.files import decode, read_bytes, source_name

_UNITS = {"seconds": 1e9, "secs": 1e9, "minutes": 60e9, "mins": 60e9}


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """The times of a creep experiment, nanoseconds on its own clock.

    Parameters
    ----------
    source : str
        Its name.
    start : int
        Of the clock.
    creep_start : int
        When the load is held.
    failure : int
        When the sample fails.
    """

    source: str
    start: int
    creep_start: int
    failure: int


def read_experiment(path: str | os.PathLike[str], *, source: str | None = None) -> Experiment:
    """Read the file that gives the times of an experiment.

    Either one line of three numbers, in minutes, or a line of names with
    ``t0``, ``t1``, ``tf`` and ``datetime_format`` and a line of values, with
    tabs.

    Parameters
    ----------
    path : path
        The file.
    source : str, optional
        Name of the experiment; default the file's stem without ``_meta``.

    Raises
    ------
    InputError
        If the file cannot be read.
    FormatError
        If it is neither, or the times are out of order.
    """
    file = read_bytes(path)
    lines = [line.strip() for line in decode(file).split("\n") if line.strip()]
    scale = 60e9
    if len(lines) == 1:
        cells = lines[0].split()
    else:
        values = dict(zip(lines[0].split("\t"), lines[1].split("\t"), strict=False))
        cells = [values.get(name, "") for name in ("t0", "t1", "tf")]
        unit = values.get("datetime_format", "")
        if unit not in _UNITS:
            raise FormatError(
                f"datetime_format is {unit!r}", file=file.name, line=2,
                fix=f"one of {', '.join(_UNITS)}",
            )  # fmt: skip
        scale = _UNITS[unit]
    try:
        start, creep_start, failure = (round(number(cell) * scale) for cell in cells)
    except ValueError as cause:
        raise FormatError(
            f"the file does not give three times: {cause}", file=file.name, line=len(lines),
            fix="give start, start of creep and failure, in minutes",
        ) from cause  # fmt: skip
    if not start <= creep_start <= failure:
        raise FormatError("start, start of creep and failure are out of order", file=file.name)
    return Experiment(
        source=source_name(source, Path(file.name).stem.removesuffix("_meta")),
        start=start,
        creep_start=creep_start,
        failure=failure,
    )
