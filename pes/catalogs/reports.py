"""What a reader says about the file it read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np

from flowquake.errors import ConfigError, FormatError, suggest
from flowquake.records import EventBatch, FrozenDict, Strings, Timescale, json_time

Policy = Literal["strict", "skip", "quarantine"]
POLICIES: Final[tuple[str, ...]] = get_args(Policy)


def shorten(text: str, most: int = 300) -> str:
    """Leave out the middle of a long text, so that an error can be read.

    Examples
    --------
    >>> shorten("0123456789", most=7)
    '01234 … 89'
    """
    if len(text) <= most:
        return text
    tail = most // 3
    return f"{text[: most - tail]} … {text[-tail:]}"


def check_policy(policy: str) -> None:
    """Raise a ConfigError if there is no such policy."""
    if policy not in POLICIES:
        raise ConfigError(
            f"there is no policy {policy!r}{suggest(str(policy), POLICIES)}",
            fix=f"use one of {', '.join(POLICIES)}",
        )


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used.

    Parameters
    ----------
    line : int or None
        From 1; None in a file that is not made of lines.
    sequence : int
        Its place among the rows of data, from 0.
    text : str
        As it stands in the file.
    kind : str
        The same for all rows with the same fault.
    reason : str
        What is wrong in this row.
    """

    line: int | None
    sequence: int
    text: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    """What was read from a file; ``read == kept + skipped``.

    Parameters
    ----------
    file, format, sha256 : str
        The file's path, the format it was read as, and the hash of its bytes.
    read, kept, skipped : int
        Rows of data; blank lines and header lines are not rows.
    reasons : mapping of str to int
        Skipped rows by the kind of their fault.
    duplicates : int
        Kept rows that repeat an earlier one in all but the id.
    out_of_order : int
        Steps backward in time from one kept row to the next.
    missing_magnitude, missing_depth : int
        Kept rows without one.
    first, last : int or None
        Least and greatest time, nanoseconds.
    magnitude_min, magnitude_max : float or None
        Least and greatest magnitude.
    columns : mapping of str to str
        What each column of the batch was taken from.
    bad_rows : tuple of BadRow
        The skipped rows, with the policy ``quarantine``.
    timescale : {"utc", "elapsed"}
        What the times count from.
    """

    file: str
    format: str
    sha256: str
    read: int
    kept: int
    skipped: int
    reasons: Mapping[str, int] = field(default_factory=FrozenDict)
    duplicates: int = 0
    out_of_order: int = 0
    missing_magnitude: int = 0
    missing_depth: int = 0
    first: int | None = None
    last: int | None = None
    magnitude_min: float | None = None
    magnitude_max: float | None = None
    columns: Mapping[str, str] = field(default_factory=FrozenDict)
    bad_rows: tuple[BadRow, ...] = ()
    timescale: Timescale = "utc"

    def to_json(self) -> dict[str, object]:
        """Give the report as JSON values, without the bad rows."""
        out: dict[str, object] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            if name in ("first", "last") and value is not None:
                value = json_time(value, self.timescale)
            if name != "bad_rows":
                out[name] = dict(value) if isinstance(value, Mapping) else value
        return out


def refuse(bad: Sequence[BadRow], *, file: str, policy: str, fix: str | None = None) -> None:
    """Raise for the first bad row if the policy is strict."""
    if bad and policy == "strict":
        first = min(bad, key=lambda row: row.sequence)
        raise FormatError(
            first.reason if first.line is not None else f"event {first.sequence}: {first.reason}",
            file=file,
            line=first.line,
            fix=fix or "correct the row, or read with policy=skip or policy=quarantine",
        )


def report_on(
    batch: EventBatch,
    bad: Sequence[BadRow],
    *,
    file: str,
    format: str,  # noqa: A002  (the word of the field)
    sha256: str,
    policy: str,
    columns: Mapping[str, str],
) -> ReadReport:
    """Account for a batch that is in the order of its file."""
    known = batch.magnitude[~np.isnan(batch.magnitude)]
    n = len(batch)
    return ReadReport(
        file=file,
        format=format,
        sha256=sha256,
        read=n + len(bad),
        kept=n,
        skipped=len(bad),
        reasons=FrozenDict(sorted(Counter(row.kind for row in bad).items())),
        duplicates=count_duplicates(batch),
        out_of_order=int((batch.time[1:] < batch.time[:-1]).sum()),
        missing_magnitude=n - len(known),
        missing_depth=int(np.isnan(batch.depth).sum()),
        first=int(batch.time.min()) if n else None,
        last=int(batch.time.max()) if n else None,
        magnitude_min=float(known.min()) if len(known) else None,
        magnitude_max=float(known.max()) if len(known) else None,
        columns=FrozenDict(columns),
        bad_rows=tuple(bad) if policy == "quarantine" else (),
        timescale=batch.timescale,
    )


def count_duplicates(batch: EventBatch) -> int:
    """Count the rows that repeat an earlier one in everything but id and place."""
    columns = []
    for name in batch.columns:
        if name in ("sequence", "event_id"):
            continue
        column = batch.extra.get(name, getattr(batch, name, None))
        array = column.codes if isinstance(column, Strings) else np.asarray(column)
        # 0.0 and -0.0 are equal, and so is what is missing.
        columns.append(np.nan_to_num(array + 0.0, nan=-1e300) if array.dtype.kind == "f" else array)
    mixed = np.zeros(len(batch), dtype=np.uint64)
    for array in columns:
        mixed ^= array.astype(np.float64 if array.dtype.kind == "f" else np.int64).view(np.uint64)
        mixed *= np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    # Only rows that share their hash are compared in full.
    order = np.argsort(mixed, kind="stable")
    same = mixed[order][1:] == mixed[order][:-1]
    near = np.zeros(len(order), dtype=np.bool_)
    near[1:] |= same
    near[:-1] |= same
    rows = order[near]
    lists = [array[rows].tolist() for array in columns]
    return len(rows) - len(set(zip(*lists, strict=True)))
