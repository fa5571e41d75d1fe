"""``flowquake inspect``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowquake.cli.app import Command
from flowquake.cli.forecasts import show_time
from flowquake.cli.options import json_option
from flowquake.cli.text import clean, print_json, say
from flowquake.errors import FormatError

if TYPE_CHECKING:
    from flowquake.pes.catalogs import ReadReport
    from flowquake.records import EventBatch

ENOUGH_FOR_MC = 50  # events with a magnitude
CORRECTION = 0.2  # what the workflow adds to maximum curvature


@click.command("inspect", cls=Command)
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@click.option("--format", "form", default="auto", show_default=True, help="The file's format.")
@click.option(
    "--columns",
    type=click.Path(path_type=Path, readable=False),
    help="A TOML file that says which column of a delimited file is what.",
)
@json_option
def inspect_command(file: Path, form: str, columns: Path | None, as_json: bool) -> None:
    """Say what a catalog file holds, and how to forecast from it.

    Bad rows are skipped and counted; read = kept + skipped.
    """
    from flowquake.pes.catalogs import ColumnDescription, read_catalog

    described = None if columns is None else ColumnDescription.from_toml(columns)
    chosen, fitting = ("delimited", []) if described is not None else _choose(file, form)
    batch, report = read_catalog(file, format=chosen, policy="skip", columns=described)
    document = describe_catalog(file, batch, report, fitting, columns)
    if as_json:
        print_json(document)
    else:
        say(catalog_text(document))


def describe_catalog(
    file: Path,
    batch: EventBatch,
    report: ReadReport,
    fitting: list[str],
    columns: Path | None = None,
) -> dict[str, Any]:
    """Describe a catalog as plain data."""
    read = report.to_json()
    return {
        "schema": "flowquake/inspect-1",
        "file": str(file),
        "format": report.format,
        "fitting": fitting,
        "sha256": report.sha256,
        "timescale": report.timescale,
        "columns": dict(report.columns),
        "rows": {
            "read": report.read,
            "kept": report.kept,
            "skipped": report.skipped,
            "reasons": dict(report.reasons),
            "duplicates": report.duplicates,
            "out_of_order": report.out_of_order,
        },
        "time": {"first": read["first"], "last": read["last"]},
        "magnitude": {**_range(batch, "magnitude"), "missing": report.missing_magnitude},
        "depth": {**_range(batch, "depth"), "missing": report.missing_depth},
        "latitude": _range(batch, "latitude"),
        "longitude": _range(batch, "longitude"),
        "completeness": _completeness(batch),
        "command": run_line(file, report, columns),
    }


def run_line(file: Path, report: ReadReport, columns: Path | None = None) -> str:
    """Write the command that forecasts from a catalog, quoted for a shell."""
    # The size of an acoustic emission is no magnitude.
    has_magnitudes = report.missing_magnitude < report.kept and report.timescale == "utc"
    parts = ["flowquake", "run", "eruption_forecast"]
    settings = {"catalog": str(file), "format": report.format}
    settings["min_magnitude"] = "maxc" if has_magnitudes else "none"
    settings["model"] = "all"
    if report.skipped:
        settings["policy"] = "skip"
    if columns is not None:
        settings["columns"] = str(columns)
    for name, value in settings.items():
        parts += ["--set", f"{name}={value}"]
    return shlex.join(parts)


def catalog_text(document: dict[str, Any]) -> str:
    """Write what a catalog holds."""
    rows, time = document["rows"], document["time"]
    unit = "minutes" if document["timescale"] == "elapsed" else "days"
    others = [name for name in document["fitting"] if name != document["format"]]
    also = f" (also fits {', '.join(others)})" if others else ""
    lines = [
        f"{clean(document['file'])}: {document['format']}{also}",
        f"  rows        {rows['read']:,} read = {rows['kept']:,} kept "
        f"+ {rows['skipped']:,} skipped",
    ]
    lines += [f"              {n:,} skipped: {clean(why)}" for why, n in rows["reasons"].items()]
    oddities = []
    if rows["duplicates"]:
        oddities.append(f"{rows['duplicates']:,} repeat an earlier row")
    if rows["out_of_order"]:
        oddities.append(f"{rows['out_of_order']:,} steps backward in time; they are sorted")
    lines += [f"              {text}" for text in oddities]
    if time["first"] is not None:
        lines.append(
            f"  time        {show_time(time['first'], unit)} to {show_time(time['last'], unit)}"
        )
    for name, of in (("magnitude", ""), ("depth", " km"), ("latitude", ""), ("longitude", "")):
        lines.append(f"  {name:<11} {_range_text(document[name], of)}")
    if "lab-samples" in others:
        lines.append("  note        each row is taken for one acoustic emission: a time, a size;")
        lines.append("              a file of stress or strain looks the same, and is no catalog")
    mc = document["completeness"]
    if mc["mc"] is not None:
        lines.append(
            f"  complete    from about M {mc['mc']:.1f}: maximum curvature "
            f"{mc['mc_uncorrected']:.1f} + {mc['correction']:.1f}, "
            f"{mc['events_above']:,} events at or above"
        )
        lines.append(
            "              a hint for the whole catalog; it may change with time and place"
        )
    columns = [f"{name} <- {source}" for name, source in document["columns"].items()]
    lines.append("  columns     " + "\n              ".join(clean(text) for text in columns))
    lines += ["", "Forecast from it:", f"  {document['command']}"]
    return "\n".join(lines)


def _choose(file: Path, form: str) -> tuple[str, list[str]]:
    """Give the format to read with, and all that fit."""
    from flowquake.pes.catalogs import CATALOG_FORMATS, recognise

    fitting = list(recognise(file))
    catalogs = [name for name in fitting if name in CATALOG_FORMATS]
    if form != "auto" or not catalogs:
        return form, fitting
    if len(catalogs) == 1:
        return catalogs[0], fitting
    raise FormatError(
        f"{len(catalogs)} formats fit: {', '.join(catalogs)}",
        file=str(file),
        fix=f"choose one: flowquake inspect {shlex.quote(str(file))} --format {catalogs[0]}",
    )


def _range(batch: EventBatch, name: str) -> dict[str, float | None]:
    import numpy as np

    values = np.asarray(batch.column(name), dtype=np.float64)
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return {"least": None, "greatest": None}
    return {"least": float(known.min()), "greatest": float(known.max())}


def _range_text(given: dict[str, Any], unit: str) -> str:
    if given["least"] is None:
        return "none"
    text = f"{given['least']:g} to {given['greatest']:g}{unit}"
    return text + (f", {given['missing']:,} without" if given.get("missing") else "")


def _completeness(batch: EventBatch) -> dict[str, Any]:
    import numpy as np

    from flowquake.pes.magnitudes import maximum_curvature

    magnitudes = np.asarray(batch.magnitude)
    if batch.timescale != "utc" or int(np.isfinite(magnitudes).sum()) < ENOUGH_FOR_MC:
        return {"mc": None, "mc_uncorrected": None, "correction": CORRECTION, "events_above": 0}
    found = maximum_curvature(magnitudes, correction=CORRECTION)
    return {
        "mc": found.mc,
        "mc_uncorrected": found.mc_uncorrected,
        "correction": found.correction,
        "events_above": found.events_above,
    }
