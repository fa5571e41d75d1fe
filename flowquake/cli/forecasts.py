"""Forecasts for people: the last one of each model, in words and UTC."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flowquake.cli.text import clean, table

STATUS_WORDS = {
    "too_few_events": "too few events",
    "no_acceleration": "no acceleration",
    "no_failure_time": "accelerates, no failure time",
    "at_window_end": "failure at the window's end",
    "not_adequate": "does not fit the events",
    "forecast": "points to failure",
}
MOST_SHOWN = 8

Record = Mapping[str, Any]


def read_forecasts(path: Path) -> list[dict[str, Any]]:
    """Read forecasts; of each id the highest revision, and no line that is not one."""
    latest: dict[str, dict[str, Any]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if not isinstance(record, dict) or "model" not in record or "status" not in record:
            continue
        identity = str(record.get("id"))
        before = latest.get(identity)
        if before is None or record.get("revision", 0) >= before.get("revision", 0):
            latest[identity] = record
    return list(latest.values())


def last_forecasts(records: Iterable[Record]) -> list[list[Record]]:
    """Give for each source and key the forecasts that were issued last, best first."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        groups.setdefault((str(record["source"]), str(record["key"])), []).append(record)
    last = []
    for _, group in sorted(groups.items()):
        at = max(order_of(record["issued"]) for record in group)
        chosen = [record for record in group if order_of(record["issued"]) == at]
        last.append(sorted(chosen, key=lambda record: (_aic(record), str(record["model"]))))
    return last


def order_of(time: object) -> float:
    """Give a number by which the times of records sort: seconds."""
    if isinstance(time, (int, float)):
        return float(time)
    return datetime.fromisoformat(str(time)).timestamp() if time else -math.inf


def forecast_table(group: Sequence[Record]) -> str:
    """Lay out the forecasts of one window, with a line on the window above."""
    first = group[0]
    unit = str(first.get("time_unit", "days"))
    name = clean(first["source"]) + (f", {clean(first['key'])}" if first.get("key") else "")
    since = show_time(first["window_start"], unit)
    about = f"Forecast for {name} at {show_time(first['issued'], unit)}"
    given = (first.get("settings") or {}).get("failure_time")
    if given is not None:
        about = f"Fit of {name} to a given failure at {show_time(given, unit)}, no forecast"
    lines = [f"{about}, from the events since {since}{_cutoff(first)}"]
    rows = []
    level = next((r["interval"]["level"] for r in group if r.get("interval")), 0.9)
    least = min((_aic(record) for record in group), default=math.inf)
    for record in group:
        rows.append(
            [
                record["model"],
                record["events"],
                status_words(record),
                show_time(record["failure_time"], unit)
                if record["failure_time"] is not None
                else "-",
                show_interval(record, unit),
                _aic_text(record, least),
                _mark(record, group),
            ]
        )
    header = ["model", "events", "status", "failure time", f"{level:.0%} interval", "ΔAIC", ""]
    lines.append(table(header, rows))
    if any(record["status"] == "not_adequate" for record in group):
        lines.append(
            "  'does not fit the events': the times of the events are not those of the fitted "
            "model; read its failure time with doubt."
        )
    if any(record.get("completeness_warning") for record in group):
        lines.append("  The events may be incomplete at the magnitude that was used.")
    return "\n".join(lines)


def status_words(record: Record) -> str:
    """Say a status in words."""
    status = str(record["status"])
    return STATUS_WORDS.get(status, status.replace("_", " "))


def show_time(time: object, unit: str = "days") -> str:
    """Show a time of a record: UTC to the minute, or seconds or minutes of an experiment.

    Examples
    --------
    >>> show_time("2013-05-04T23:53:40.1Z")
    '2013-05-04 23:54 UTC'
    >>> show_time(8274.1735, "minutes")
    '137.903 min'
    """
    if time is None:
        return "-"
    if isinstance(time, (int, float)):
        return f"{time / 60:.3f} min" if unit == "minutes" else f"{time:.3f} s"
    moment = datetime.fromisoformat(str(time)).astimezone(UTC)
    return f"{moment + timedelta(seconds=30):%Y-%m-%d %H:%M} UTC"


def show_interval(record: Record, unit: str = "days") -> str:
    """Show the interval of a failure time; an open end is said."""
    interval = record.get("interval")
    if not interval:
        return "-"
    lower = show_time(interval["lower"], unit).removesuffix(" UTC")
    upper = show_time(interval["upper"], unit).removesuffix(" UTC")
    if interval["lower"] is None:
        lower = "window's end"
    if interval["upper"] is None:
        upper = "open"
    return f"{lower} to {upper}"


def summary_of_forecasts(path: Path) -> str:
    """Write the tables of a file of forecasts; empty if it has none."""
    groups = last_forecasts(read_forecasts(path))
    text = "\n\n".join(forecast_table(group) for group in groups[:MOST_SHOWN])
    more = len(groups) - MOST_SHOWN
    return text + (f"\n\n... and {more} more sources in {path}" if more > 0 else "")


def _aic(record: Record) -> float:
    aic = record.get("aic")
    return float(aic) if isinstance(aic, (int, float)) else math.inf


def _aic_text(record: Record, least: float) -> str:
    aic = _aic(record)
    return f"{aic - least:.2f}" if math.isfinite(aic) else "-"


def _cutoff(record: Record) -> str:
    magnitude = record.get("completeness_magnitude")
    return "" if magnitude is None else f" with M >= {magnitude:g}"


def _mark(record: Record, group: Sequence[Record]) -> str:
    from flowquake.pes.forecasting import not_separable

    finite = [other for other in group if math.isfinite(_aic(other))]
    if not math.isfinite(_aic(record)) or len(finite) < 2:
        return ""
    near = not_separable({str(other["model"]): _aic(other) for other in finite})
    best = bool(record.get("best_aic")) or (
        record is finite[0] and not any(other.get("best_aic") for other in group)
    )
    if best:
        return "best; not separable from those below 2" if len(near) > 1 else "best"
    return "not separable from the best" if record["model"] in near else ""
