"""Processing elements that forecast failure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as entry
from datetime import UTC, datetime
from typing import Final

from flowquake import (
    Emissions,
    Input,
    Output,
    ProcessingElement,
    Source,
    State,
    Watermark,
    field,
)
from flowquake.errors import ConfigError, InputError, suggest
from flowquake.pes.forecasting.comparison import best_model
from flowquake.pes.forecasting.demonstration import BEGIN, simulate_catalog
from flowquake.pes.forecasting.fitting import fit_time_left
from flowquake.pes.forecasting.models import MODELS, FailureFit
from flowquake.ports import Key, Production
from flowquake.records import (
    NS_PER_DAY,
    NS_PER_MINUTE,
    Adequacy,
    EventBatch,
    Forecast,
    Interval,
    Json,
    Window,
    json_time,
    to_ns,
)
from flowquake.records.forecasts import TimeUnit

_UNITS: dict[str, int] = {"days": NS_PER_DAY, "minutes": NS_PER_MINUTE}
LAST_DATE: Final = to_ns(datetime(2261, 12, 31, tzinfo=UTC))  # nanoseconds reach no further


class FitFailure(ProcessingElement):
    """Fit a failure model to each window, and say what it forecasts.

    Each window is seen by itself: nothing that comes after its end, and
    nothing of earlier fits.

    Parameters
    ----------
    model : str, default "hyperbolic"
        ``constant``, ``exponential``, ``hyperbolic`` or ``inverse_omori``.
    level : float, default 0.9
        Of the interval of the failure time, in (0, 1).
    failure_time : datetime or int, optional
        A known failure (retrospective analysis), after every window's end:
        a date, or nanoseconds of the events' time scale.
    time_unit : {"days", "minutes"}, optional
        Of the forecast's ``parameters``; by default days for dated events,
        minutes for those of an experiment.
    """

    window = Input(Window)
    forecast = Output(Forecast)

    model: str = "hyperbolic"
    level: float = 0.9
    failure_time: datetime | int | None = None
    time_unit: str | None = None

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ConfigError(
                f"model '{self.model}' is not known{suggest(self.model, MODELS)}",
                fix=f"use {', '.join(MODELS)}",
            )
        if not 0.0 < self.level < 1.0:
            raise ConfigError(
                f"level={self.level} is not between 0 and 1", fix="use for example 0.9"
            )
        if self.time_unit is not None and self.time_unit not in _UNITS:
            raise ConfigError(
                f"time_unit '{self.time_unit}' is not known{suggest(self.time_unit, _UNITS)}",
                fix="use days or minutes",
            )

    def on_window(self, window: Window) -> Emissions:
        """Fit one window."""
        if window.end <= window.start:
            raise InputError(
                f"the window of '{window.source}' is empty: it starts and ends at "
                f"{json_time(window.start, window.events.timescale)}",
                fix="give an end that is later than the start",
            )
        known = None if self.failure_time is None else to_ns(self.failure_time)
        if known is not None and known <= window.end:
            shown = [json_time(time, window.events.timescale) for time in (known, window.end)]
            raise ConfigError(
                f"failure_time={shown[0]} is not after the window's end, {shown[1]}",
                fix=f"let the data end before the failure: end before {shown[0]}",
            )
        unit = self._unit(window)
        left = window.end - window.events.time
        if left.size and not 0 < left.min() <= left.max() <= window.end - window.start:
            raise InputError(
                f"an event of '{window.source}' lies outside its window, which ends at "
                f"{json_time(window.end, window.events.timescale)}",
                fix="cut windows so that they hold the events from their start to before their end",
            )
        fit = fit_time_left(
            left / _UNITS[unit],
            start=0.0,
            end=(window.end - window.start) / _UNITS[unit],
            model=self.model,
            level=self.level,
            failure_after=None if known is None else (known - window.end) / _UNITS[unit],
        )
        settings: dict[str, Json] = {**window.settings, "level": self.level, "failure_time": None}
        if known is not None:
            settings["failure_time"] = json_time(known, window.events.timescale)
        yield self.forecast(forecast_from_fit(fit, window, time_unit=unit, settings=settings))

    def _unit(self, window: Window) -> TimeUnit:
        if self.time_unit is not None:
            return "minutes" if self.time_unit == "minutes" else "days"
        return "days" if window.events.timescale == "utc" else "minutes"


def forecast_from_fit(
    fit: FailureFit, window: Window, *, time_unit: TimeUnit, settings: Mapping[str, Json]
) -> Forecast:
    """Make the record of a fit whose time counts from the window's start.

    Parameters
    ----------
    fit : FailureFit
        With ``start`` 0, in ``time_unit``.
    window : Window
        That it was fitted to.
    time_unit : {"days", "minutes"}
        Of the fit.
    settings : mapping
        The choices made.

    Notes
    -----
    Dates end with the year 2261. An interval that goes on for longer is open;
    a failure time that lies later is none.
    """
    dated = window.events.timescale == "utc"

    def absolute(time: float | None) -> int | None:
        if time is None:
            return None
        moment = window.end + round((time - fit.end) * _UNITS[time_unit])
        return None if dated and moment > LAST_DATE else moment

    status, failure = fit.status, absolute(fit.failure_time)
    if fit.failure_time is not None and failure is None:
        status = "no_failure_time"
    interval = None
    if fit.interval is not None and status == fit.status:
        level, lower, upper = fit.interval
        interval = Interval(level=level, lower=absolute(lower), upper=absolute(upper))
    adequacy = None
    if fit.adequacy is not None:
        adequacy = Adequacy(
            ks=fit.adequacy.ks,
            p_value=fit.adequacy.p_value,
            p_value_naive=fit.adequacy.p_value_naive,
        )
    return Forecast(
        source=window.source,
        key=window.key,
        settings=settings,
        issued=window.end,
        data_until=window.end,
        window_start=window.start,
        window_end=window.end,
        time_unit=time_unit,
        model=fit.model,
        status=status,
        events=fit.events,
        completeness_magnitude=window.completeness_magnitude,
        completeness_warning=window.completeness_warning,
        parameters=fit.parameters,
        log_likelihood=fit.log_likelihood,
        aic=fit.aic,
        bic=fit.bic,
        failure_time=failure,
        interval=interval,
        adequacy=adequacy,
        timescale=window.events.timescale,
    )


@dataclass
class Pending:
    """Forecasts of windows that some model has not reached yet, by window."""

    version: int = 1
    windows: dict[str, list[Forecast]] = entry(default_factory=dict)


class CompareModels(ProcessingElement):
    """Mark the best model of each window by AIC and by BIC.

    The forecasts of a window leave together, once all models are there, in
    the order of `models`. What is still incomplete at the end leaves without
    marks, and is counted.

    Parameters
    ----------
    models : list of str
        The models to wait for.
    """

    forecast = Input(Forecast, by="source", order="any")
    compared = Output(Forecast)
    state = State(Pending)

    models: list[str] = field(default_factory=lambda: list(MODELS))

    def __post_init__(self) -> None:
        for model in self.models:
            if model not in MODELS:
                raise ConfigError(
                    f"model '{model}' is not known{suggest(model, MODELS)}",
                    fix=f"use {', '.join(MODELS)}",
                )
        if not self.models or len(set(self.models)) < len(self.models):
            raise ConfigError(
                "models must be named, each once", fix="for example models=hyperbolic"
            )

    def on_forecast(self, forecast: Forecast) -> Emissions:
        """Keep a forecast until its window is complete."""
        if forecast.model not in self.models:
            raise ConfigError(
                f"a forecast of the {forecast.model} model came to '{self.name}'",
                fix="name every model that is connected in `models`",
            )
        identity = _window_of(forecast)
        pending = self.state.windows
        others = [f for f in pending.get(identity, []) if f.model != forecast.model]
        together = sorted([*others, forecast], key=lambda f: self.models.index(f.model))
        if len(together) < len(self.models):
            pending[identity] = together
            return
        pending.pop(identity, None)
        given = forecast.settings.get("failure_time") is not None
        aic = best_model({f.model: f.aic for f in together}, given=given)
        bic = best_model({f.model: f.bic for f in together}, given=given)
        for one in together:
            marked = replace(one, best_aic=one.model == aic, best_bic=one.model == bic)
            yield self.compared(marked)

    def finish(self) -> Emissions:
        """Let go of what is still waiting."""
        for identity in sorted(self.state.windows):
            for one in self.state.windows[identity]:
                self.count("not compared: a model of the window is missing")
                yield self.compared(one)


def _window_of(forecast: Forecast) -> str:
    settings = forecast.to_json()["settings"]
    parts = [forecast.key, forecast.window_start, forecast.window_end, forecast.revision, settings]
    return json.dumps(parts, sort_keys=True)


class SimulateCatalog(Source):
    """Simulate earthquakes near a volcano that does not exist, accelerating to failure.

    The run's seed makes the catalog. Days count from ``start``.

    Parameters
    ----------
    source : str, default "demo"
        The name that the events carry.
    start : datetime
        Where the catalog begins.
    days : float, default 95
        Its length.
    failure_day : float, default 100
        When the rate diverges; after the catalog's end.
    k : float, default 140
        Of the hyperbolic rate of events with M ≥ 1.
    background : float, default 0.05
        Further events with M ≥ 1 per day.
    """

    catalog = Output(EventBatch)

    source: str = "demo"
    start: datetime = BEGIN
    days: float = 95.0
    failure_day: float = 100.0
    k: float = 140.0
    background: float = 0.05

    def __post_init__(self) -> None:
        if not 0.0 < self.days < self.failure_day:
            raise ConfigError(
                f"failure_day={self.failure_day} is not after days={self.days}",
                fix="use for example days=95, failure_day=100",
            )
        if not (self.k >= 0.0 and self.background >= 0.0):
            raise ConfigError("k and background must not be negative")

    def produce(self, split: Key) -> Production:
        """Give the whole catalog, and say that nothing comes before its end."""
        yield self.catalog(
            simulate_catalog(
                rng=self.rng(),
                source=self.source,
                start=self.start,
                days=self.days,
                failure_day=self.failure_day,
                k=self.k,
                background=self.background,
            )
        )
        yield Watermark(to_ns(self.start) + round(self.days * NS_PER_DAY))
