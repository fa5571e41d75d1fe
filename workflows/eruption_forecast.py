"""Failure forecasts from a catalog: retrospective analysis, one forecast, or one each step.

read → select → windows that advance through time → completeness → models side
by side → forecasts → JSON lines, CSV and figures.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from flowquake import Workflow
from flowquake.errors import ConfigError, suggest
from flowquake.pes.catalogs import ColumnDescription, ReadCatalog, SelectEvents, timescale_of
from flowquake.pes.figures import DrawForecasts
from flowquake.pes.files import WriteCsv, WriteJsonLines
from flowquake.pes.forecasting import MODELS, CompareModels, FitFailure
from flowquake.pes.magnitudes import EstimateCompleteness
from flowquake.pes.windows import ExpandingWindows
from flowquake.records import NS_PER_DAY, NS_PER_MINUTE, to_ns

FITTING = 20.0  # what a window costs, in ordinary items


def build(
    *,
    catalog: Path,
    format: str = "auto",  # noqa: A002 - the name that users type
    box: tuple[float, float, float, float] | None = None,
    depth: tuple[float, float] | None = None,
    start: datetime | float | None = None,
    end: datetime | float | None = None,
    step: float | None = None,
    source: str | None = None,
    min_magnitude: float | Literal["auto", "maxc", "gft", "mbs", "none"] = "auto",
    correction: float = 0.2,
    model: list[str] | str = "all",
    failure_time: datetime | float | None = None,
    observed_failure: datetime | float | None = None,
    level: float = 0.9,
    policy: Literal["strict", "skip", "quarantine"] = "strict",
    columns: Path | None = None,
) -> Workflow:
    """Forecast failure from a catalog of earthquakes or acoustic emissions.

    Without `step` there is one forecast for each model, at `end`; with it one
    each step, which sees only its past. With `failure_time` the models are
    fitted to a failure that is known (retrospective analysis).

    Parameters
    ----------
    catalog : Path
        The file to read.
    format : str
        auto, ingv-ct, ign-web, ign, ingv-ov, vesuvius, lab-ae, delimited, or
        a format that ObsPy reads, for example QUAKEML.
    box : tuple
        Latitude from, to, longitude from, to; degrees, half-open.
    depth : tuple
        From, to; kilometres, half-open. Without it no event is dropped for
        its depth.
    start : datetime or float
        Where the windows begin; a number is minutes since the start of a
        laboratory experiment. Default: the first event.
    end : datetime or float
        The end of the data; events at it are left out. Default: just after
        the last event.
    step : float
        From one forecast to the next; days, or minutes in a laboratory.
    source : str
        The name that the forecasts carry. Default: the file's stem.
    min_magnitude : float or str
        A magnitude, or how to estimate the completeness of each window:
        maxc, gft, mbs; none keeps every event. auto is maxc, and none for
        acoustic emissions, whose sizes are no magnitudes.
    correction : float
        Added to the estimate of maxc.
    model : list of str
        constant, exponential, hyperbolic, inverse_omori, several of these
        with commas between, or all.
    failure_time : datetime or float
        A known failure, after `end`, that the models are fitted to.
    observed_failure : datetime or float
        When it really failed: drawn in the figures beside the forecasts, and
        used for nothing else.
    level : float
        Of the interval of the failure time, between 0 and 1.
    policy : str
        What to do with bad rows: stop, count them, or set them aside.
    columns : Path
        A TOML file that says which column of a delimited catalog is what, and
        how its dates are written.
    """
    models = _models(model)
    described = None if columns is None else ColumnDescription.from_toml(columns)
    timescale = timescale_of(catalog, format, described)
    unit = NS_PER_DAY if timescale == "utc" else NS_PER_MINUTE
    begin, finish = _instant("start", start, timescale), _instant("end", end, timescale)
    known_failure = _instant("failure_time", failure_time, timescale)
    observed = _instant("observed_failure", observed_failure, timescale)
    if begin is not None and finish is not None and finish <= begin:
        raise ConfigError(
            f"end={_written(end)} is not after start={_written(start)}",
            fix="give an end that is later than the start",
        )
    every = _step(step, unit)

    workflow = Workflow("eruption_forecast")
    read = workflow.add(
        ReadCatalog(path=catalog, format=format, source=source, policy=policy, columns=described)
    )
    select = workflow.add(SelectEvents(box=box, depth=depth, start=begin, end=finish))
    windows = workflow.add(ExpandingWindows(start=begin, end=finish, step=every, partial=True))
    cutoff = min_magnitude
    if cutoff == "auto":
        cutoff = "maxc" if timescale == "utc" else "none"
    completeness = workflow.add(
        EstimateCompleteness(cutoff=cutoff, correction=correction), weight=FITTING
    )
    compare = workflow.add(CompareModels(models=list(models)))
    workflow.connect(read.catalog, select.events)
    workflow.connect(select.selected, windows.events)
    workflow.connect(windows.window, completeness.window)
    for name in models:
        fit = FitFailure(model=name, level=level, failure_time=known_failure)
        workflow.add(fit, name=f"fit_{name}", weight=FITTING)
        workflow.connect(completeness.windows, fit.window)
        workflow.connect(fit.forecast, compare.forecast)

    forecasts = compare.compared
    lines = workflow.add(WriteJsonLines(path="forecasts.jsonl"))
    table = workflow.add(WriteCsv(path="forecasts.csv"))
    magnitudes = workflow.add(WriteJsonLines(path="completeness.jsonl"), name="write_completeness")
    figures = workflow.add(
        DrawForecasts(failure_time=known_failure if observed is None else observed)
    )
    workflow.connect(forecasts, lines.items)
    workflow.connect(forecasts, table.items)
    workflow.connect(completeness.completeness, magnitudes.items)
    workflow.connect(windows.window, figures.uncut)
    workflow.connect(completeness.windows, figures.windows)
    workflow.connect(forecasts, figures.forecasts)
    return workflow


def _models(model: list[str] | str) -> tuple[str, ...]:
    asked = [model] if isinstance(model, str) else list(model)
    names = [name.strip() for text in asked for name in text.split(",")]
    if names == ["all"]:
        return MODELS
    if "all" in names:
        raise ConfigError(f"model={','.join(names)}: all is every model", fix="give model=all")
    for name in names:
        if name not in MODELS:
            raise ConfigError(
                f"model '{name}' is not known{suggest(name, [*MODELS, 'all'])}",
                fix=f"use {', '.join(MODELS)}, several with commas between, or all",
            )
    if len(set(names)) < len(names):
        raise ConfigError(f"model={','.join(names)} names one twice", fix="name each one once")
    return tuple(name for name in MODELS if name in names)


def _written(value: datetime | float | None) -> str:
    return value.isoformat() if isinstance(value, datetime) else f"{value:g}"


def _instant(name: str, value: object, timescale: str) -> int | None:
    if value is not None and not isinstance(value, (datetime, float, int)):
        raise ConfigError(
            f"{name}={value!r} is neither a datetime nor a number",
            fix=f"{name}=datetime(2011, 8, 1, tzinfo=UTC)",
        )
    if value is None:
        return None
    if isinstance(value, datetime):
        if timescale != "utc":
            raise ConfigError(
                f"{name}={value:%Y-%m-%d} is a date, but the catalog counts from the start of "
                "an experiment",
                fix=f"give minutes: {name}=120",
            )
        return to_ns(value)
    if timescale == "utc":
        raise ConfigError(
            f"{name}={value:g} is a number, but the catalog has dates",
            fix=f"give a date: {name}=2011-08-01 or {name}=2011-08-01T12:00:00",
        )
    return round(value * NS_PER_MINUTE)


def _step(step: float | None, unit: int) -> int | None:
    if step is None:
        return None
    if not 0 < step < 1e6 or step * unit < 1:
        raise ConfigError(
            f"step={step:g} must be positive and below a million", fix="give for example step=1"
        )
    return round(step * unit)
