"""``flowquake demo``."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowquake.cli.app import Command
from flowquake.cli.options import json_option, load, out_option, overwrite_option
from flowquake.cli.text import print_json, say, table
from flowquake.errors import UsageError

if TYPE_CHECKING:
    from flowquake.records import EventBatch

DAYS = 95.0  # of data
FAILURE_DAY = 100.0
STEP = 10.0  # days from one forecast to the next
MODEL = "hyperbolic"  # the one that the sequence is drawn from
COLUMNS = ("time", "latitude", "longitude", "depth", "magnitude", "event_id", "magnitude_type")


@click.command("demo", cls=Command)
@out_option
@overwrite_option
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the simulated catalog there as CSV, for `flowquake inspect` and `run`.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the simulation."
)
@json_option
def demo_command(
    out: Path | None, overwrite: bool, save: Path | None, seed: int, as_json: bool
) -> int:
    """Simulate a sequence of earthquakes and forecast its failure.

    Needs no file and no network. The catalog is that of a volcano which is
    not there; each forecast sees only its past.
    """
    import numpy as np

    from flowquake.cli.executing import RunOptions, execute, shows_progress
    from flowquake.cli.forecasts import order_of, read_forecasts
    from flowquake.pes.forecasting.demonstration import BEGIN, simulate_catalog
    from flowquake.rundir import RunDirectory

    events = simulate_catalog(
        rng=np.random.default_rng(seed), start=BEGIN, days=DAYS, failure_day=FAILURE_DAY
    )
    failure = BEGIN + timedelta(days=FAILURE_DAY)
    directory = RunDirectory.create("demo", out=out, overwrite=overwrite)
    catalog = save if save is not None else directory.path / "outputs" / "catalog.csv"
    write_catalog(catalog, events)
    settings = {
        "catalog": str(catalog),
        "format": "delimited",
        "source": "demo",
        "start": f"{BEGIN:%Y-%m-%d}",
        "end": f"{BEGIN + timedelta(days=DAYS):%Y-%m-%d}",
        "step": f"{STEP:g}",
        "model": "all",
        "observed_failure": f"{failure:%Y-%m-%dT%H:%M:%S}",
    }
    outcome = execute(
        load("eruption_forecast"),
        settings,
        RunOptions(seed=seed),
        directory=directory,
        progress=shows_progress(quiet=as_json),
    )
    if outcome.error is not None:
        raise outcome.error
    forecasts = read_forecasts(outcome.directory / "outputs" / "forecasts.jsonl")
    forecasts.sort(key=lambda record: (order_of(record["issued"]), str(record["model"])))
    if as_json:
        print_json(
            {
                "schema": "flowquake/demo-1",
                "failure_time": f"{failure:%Y-%m-%dT%H:%M:%SZ}",
                "seed": seed,
                "events": len(events),
                "catalog": str(catalog),
                "forecasts": forecasts,
                "run": outcome.record,
            }
        )
        return outcome.exit_code
    say(f"{len(events):,} simulated earthquakes of a volcano that is not there,")
    say(f"drawn to fail on {failure:%Y-%m-%d %H:%M} UTC. Each forecast sees only its past.\n")
    say(f"The {MODEL} model, and which model describes the events best:")
    say(forecast_history(forecasts, failure))
    say()
    say(where_things_are(outcome.directory, catalog, outcome.record["files"]))
    return outcome.exit_code


def write_catalog(path: Path, events: EventBatch) -> None:
    """Write a catalog as CSV with a header; every number reads back as it is.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    from flowquake.records import format_time

    columns = [events.column(name) for name in COLUMNS]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for time, *values in zip(*columns, strict=True):
                writer.writerow([format_time(int(time)), *values])
    except OSError as cause:
        raise UsageError(
            f"the catalog cannot be written: {cause.strerror or cause}", where=str(path)
        ) from cause


def forecast_history(forecasts: Sequence[Mapping[str, Any]], failure: datetime) -> str:
    """Lay out the forecasts of one model against the known failure time."""
    from flowquake.cli.forecasts import show_interval, show_time, status_words

    best = {record["issued"]: record["model"] for record in forecasts if record["best_aic"]}
    rows = []
    for record in forecasts:
        if record["model"] != MODEL:
            continue
        forecast = record["failure_time"]
        off, within = "-", "-"
        if forecast is not None:
            error = (datetime.fromisoformat(forecast) - failure).total_seconds() / 86_400
            off = f"{error:+.1f} d"
        if record["interval"]:
            within = "yes" if _holds(record["interval"], failure) else "no"
        rows.append(
            [
                show_time(record["issued"]).removesuffix(" UTC"),
                record["events"],
                status_words(record),
                show_time(forecast).removesuffix(" UTC"),
                off,
                show_interval(record),
                within,
                best.get(record["issued"], "-"),
            ]
        )
    header = [
        *("issued (UTC)", "events", "status", "failure time", "error", "90% interval"),
        *("holds it", "best by AIC"),
    ]
    return table(header, rows)


def where_things_are(directory: Path, catalog: Path, files: Sequence[str]) -> str:
    """Name the files and the next command."""
    figures = [name for name in files if name.startswith("figures/")]
    lines = [f"Files in {directory}:"]
    lines += [f"  {name}" for name in files if name not in figures]
    lines += [f"  {name}" for name in figures]
    lines.append(f"\nNext: flowquake inspect {shlex.quote(str(catalog))}")
    return "\n".join(lines)


def _holds(interval: Mapping[str, Any], failure: datetime) -> bool:
    lower, upper = interval["lower"], interval["upper"]
    after = lower is None or datetime.fromisoformat(lower) <= failure
    return after and (upper is None or failure <= datetime.fromisoformat(upper))
