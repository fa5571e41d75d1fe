"""The summary that ends a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flowquake.cli.forecasts import summary_of_forecasts
from flowquake.cli.text import clean, clean_lines, table


def closing_summary(record: Mapping[str, Any], directory: Path) -> str:
    """Say what a run did: items, counters, forecasts and files.

    Parameters
    ----------
    record : mapping
        Its ``run.json``.
    directory : Path
        Its directory, as the user gave it.
    """
    parts = [items_table(record["counts"])]
    counters = [
        f"  {clean(name)}: {clean(counter)}: {number:,}"
        for name, count in record["counts"].items()
        for counter, number in count["counters"].items()
    ]
    if counters:
        parts.append("Counted\n" + "\n".join(counters))
    if record["unconnected"]:
        lines = [f"  {clean(port)}: {n:,} items" for port, n in record["unconnected"].items()]
        parts.append("Outputs that nobody takes\n" + "\n".join(lines))
    file = directory / "outputs" / "forecasts.jsonl"
    forecasts = summary_of_forecasts(file)
    if forecasts:
        parts.append(forecasts)
    elif file.exists() and record["status"] == "done":
        parts.append("No forecast: no window has events. What was counted says where they went.")
    parts.append(_ending(record, directory))
    return "\n\n".join(parts)


def items_table(counts: Mapping[str, Any]) -> str:
    """Lay out what each element took and gave."""
    rows = []
    for name, count in counts.items():
        emitted = ", ".join(f"{port} {n:,}" for port, n in count["emitted"].items()) or "-"
        rows.append([name, f"{count['received']:,}", emitted, f"{count['rejected']:,}"])
    return table(["element", "received", "emitted", "rejected"], rows, indent="")


def _ending(record: Mapping[str, Any], directory: Path) -> str:
    lines = []
    if record["warnings"]:
        lines.append(f"{record['warnings']} warnings, see {directory / 'log.jsonl'}")
    if record["rejected"]:
        lines.append(f"{record['rejected']} rejected, see {directory / 'rejected.jsonl'}")
    seconds = f" after {record['seconds']:.1f} s" if record["seconds"] is not None else ""
    lines.append(f"{record['status'].capitalize()}{seconds}: {clean_lines(directory)}")
    if record["status"] == "interrupted":
        lines.append(
            "  Stopped before the end of the data: later results and the figures are missing."
        )
        lines.append("  Fix:   run it again to have them")
    for name in record["files"]:
        lines.append(f"  {clean(name)}")
    return "\n".join(lines)
