"""Fit failure models to one window, or to many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from types import ModuleType

import numpy as np
import numpy.typing as npt

from flowquake.errors import suggest
from flowquake.pes.forecasting.adequacy import SIGNIFICANCE, p_value_naive, p_values
from flowquake.pes.forecasting.models import (
    MODELS,
    STATUSES,
    FailureFit,
    FailureInterval,
    FitAdequacy,
    Status,
    parameter_count,
)

FloatArray = npt.NDArray[np.float64]
_NOT_ADEQUATE, _FORECAST = 4, 5


def fit_failure(
    times: npt.ArrayLike,
    *,
    start: float,
    end: float,
    model: str = "hyperbolic",
    level: float = 0.9,
    failure_time: float | None = None,
) -> FailureFit:
    """Fit one failure model to the events of one window.

    Maximises the likelihood ``sum ln rate(t_i) - integral of rate`` of an
    inhomogeneous Poisson process on [start, end) [1]_. The amplitude, and p of
    the inverse Omori model, are profiled out; what is left is one search over
    ``ln(t_f - end)``, on a grid over its whole domain and then in the bracket
    of each maximum. With T = end - start the domain is ``t_f - end`` in
    [1e-9 T, 1e4 T] (hyperbolic), [1e-9 T, 1e3 T] with p in [0.05, 12] (inverse
    Omori).

    Parameters
    ----------
    times : array_like, shape (n,)
        Event times in [start, end), any order, any unit.
    start, end : float
        The window that was observed; ``end`` need not be near an event.
    model : str, default "hyperbolic"
        ``constant``, ``exponential``, ``hyperbolic`` or ``inverse_omori``.
    level : float, default 0.9
        Of the profile-likelihood interval, in (0, 1): the failure times with
        ``2 (ll_max - ll) <= chi2(level, 1)``, the connected piece that holds
        the maximum. ``lower`` is None where it reaches the window's end,
        ``upper`` where it reaches the domain's.
    failure_time : float, optional
        A known failure, after ``end``: the hyperbolic and the inverse Omori
        model are then fitted without a search (the other two never have one).

    Returns
    -------
    FailureFit
        Too few events or no acceleration is a status, not an exception.

    Raises
    ------
    ValueError
        If a time lies outside the window or is not finite, the window is
        empty, or another argument is out of its range.

    References
    ----------
    .. [1] Bell et al. (2013), The limits of predictability of volcanic
       eruptions from accelerating rates of earthquakes, Geophys. J. Int. 194,
       1541-1553, doi:10.1093/gji/ggt191.

    Examples
    --------
    >>> from numpy.random import default_rng
    >>> from flowquake.pes.forecasting import simulate_hyperbolic
    >>> times = simulate_hyperbolic(k=50.0, failure_time=10.0, end=9.0, rng=default_rng(1))
    >>> fit = fit_failure(times, start=0.0, end=9.0)
    >>> fit.status, round(fit.failure_time)
    ('forecast', 10)
    """
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise ValueError(f"the window [{start}, {end}) is empty or not finite")
    when = np.asarray(times, dtype=np.float64)
    if when.ndim != 1:
        raise ValueError(f"times must be one-dimensional, not of shape {when.shape}")
    inside = (when >= start) & (when < end)
    if not bool(inside.all()):
        raise ValueError(f"time {when[~inside][0]} is not in [{start}, {end})")
    left = np.minimum(end - when, end - start)
    after = None if failure_time is None else failure_time - end
    return fit_time_left(left, start=start, end=end, model=model, level=level, failure_after=after)


def fit_time_left(
    left: npt.ArrayLike,
    *,
    start: float,
    end: float,
    model: str,
    level: float = 0.9,
    failure_after: float | None = None,
) -> FailureFit:
    """Fit as `fit_failure` does, from the time between each event and the window's end.

    Differences of integer times keep events apart that lie close to the end of
    a long window.

    Parameters
    ----------
    left : array_like, shape (n,)
        In (0, end - start].
    failure_after : float, optional
        From the window's end to a known failure.
    start, end, model, level
        As in `fit_failure`.
    """
    _check(model, level)
    if failure_after is not None and not (failure_after > 0.0 and math.isfinite(failure_after)):
        raise ValueError("a given failure time must lie after the window's end")
    duration = end - start
    given = failure_after is not None and model in ("hyperbolic", "inverse_omori")
    delta = math.nan
    if failure_after is not None and given:
        delta = max(failure_after / duration, 1e-15)
    when = np.ascontiguousarray(left, dtype=np.float64)
    drop = math.nan if given else 0.5 * threshold(level)
    many = _fit(model, when, True, np.array([0, when.size]), np.array([duration]), delta, drop)
    status = many.status(0)
    n = when.size
    if status == "too_few_events":
        return FailureFit(
            model=model,
            status=status,
            events=n,
            parameters={},
            log_likelihood=None,
            aic=None,
            bic=None,
            failure_time=None,
            interval=None,
            adequacy=None,
            start=start,
            end=end,
        )
    ll, m = float(many.log_likelihood[0]), parameter_count(model, given=given)
    has_time = status in ("not_adequate", "forecast")
    interval = None
    if not given and (has_time or status == "at_window_end"):
        lower = None if status == "at_window_end" else _end(end, many.lower[0])
        interval = FailureInterval(level, lower, _end(end, many.upper[0]))
    ks = float(many.ks[0])
    return FailureFit(
        model=model,
        status=status,
        events=n,
        parameters=many.parameters(0),
        log_likelihood=ll,
        aic=2.0 * m - 2.0 * ll,
        bic=m * math.log(n) - 2.0 * ll,
        failure_time=end + float(many.failure_after[0]) if has_time else None,
        interval=interval,
        adequacy=FitAdequacy(ks, float(many.p_value[0]), p_value_naive(ks, n)),
        start=start,
        end=end,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyFits:
    """Fits of one model to many windows; one row each, NaN where there is no number.

    Attributes
    ----------
    model : str
        One of `MODELS`.
    codes : ndarray of int8, shape (m,)
        Places in `STATUSES`.
    events : ndarray of int64, shape (m,)
        Numbers of events.
    durations : ndarray, shape (m,)
        Lengths of the windows.
    failure_after : ndarray, shape (m,)
        From the window's end to the fitted failure time, whatever the status.
    lower, upper : ndarray, shape (m,)
        Ends of its interval, counted in the same way, if it was asked for.
    k, growth, power : ndarray, shape (m,)
        ``k``, ``lambda`` and ``p`` as in `FailureFit`.
    log_likelihood, ks, p_value : ndarray, shape (m,)
        As in `FailureFit`.
    """

    model: str
    codes: npt.NDArray[np.int8]
    events: npt.NDArray[np.int64]
    durations: FloatArray
    failure_after: FloatArray
    lower: FloatArray
    upper: FloatArray
    k: FloatArray
    growth: FloatArray
    power: FloatArray
    log_likelihood: FloatArray
    ks: FloatArray
    p_value: FloatArray

    def status(self, i: int) -> Status:
        """Give the status of a fit."""
        return STATUSES[self.codes[i]]

    def failure_times(self) -> FloatArray:
        """Give the forecasts since each window's start; NaN where the status has none."""
        times = self.durations + self.failure_after
        return np.where(self.codes >= _NOT_ADEQUATE, times, math.nan)

    def parameters(self, i: int) -> dict[str, float]:
        """Give the parameters of a fit by name."""
        named = {"k": float(self.k[i])}
        if self.model == "exponential":
            named["lambda"] = float(self.growth[i])
        elif self.model != "constant":
            named["t_f"] = float(self.durations[i] + self.failure_after[i])
            if self.model == "inverse_omori":
                named["p"] = float(self.power[i])
        return named


def fit_many(
    times: npt.ArrayLike,
    offsets: npt.ArrayLike,
    durations: npt.ArrayLike,
    *,
    model: str = "hyperbolic",
    level: float | None = None,
) -> ManyFits:
    """Fit one model to many windows in one call.

    Parameters
    ----------
    times : array_like, shape (n,)
        Event times since the start of each window; those of one window lie
        together, fastest if they ascend.
    offsets : array_like of int, shape (m + 1,)
        Window i holds ``times[offsets[i]:offsets[i + 1]]``.
    durations : array_like, shape (m,)
        Lengths of the windows, in the unit of the times.
    model : str, default "hyperbolic"
        One of `MODELS`.
    level : float, optional
        Of the intervals; none are made without it.

    Returns
    -------
    ManyFits

    Raises
    ------
    ValueError
        As in `fit_failure`, and if the offsets do not divide the times.

    Examples
    --------
    >>> from numpy.random import default_rng
    >>> from flowquake.pes.forecasting import simulate_hyperbolic
    >>> times = simulate_hyperbolic(k=50.0, failure_time=10.0, end=9.0, rng=default_rng(1))
    >>> fits = fit_many(times, [0, times.size], [9.0])
    >>> fits.status(0), float(fits.failure_times()[0].round())
    ('forecast', 10.0)
    """
    _check(model, 0.9 if level is None else level)
    when = np.ascontiguousarray(times, dtype=np.float64)
    cuts = np.ascontiguousarray(offsets, dtype=np.int64)
    spans = np.ascontiguousarray(durations, dtype=np.float64)
    if cuts.shape != (spans.size + 1,) or when.ndim != 1 or spans.ndim != 1:
        raise ValueError("offsets must hold one number more than durations")
    if cuts[0] != 0 or cuts[-1] != when.size or bool(np.any(np.diff(cuts) < 0)):
        raise ValueError("offsets must ascend from 0 to the number of times")
    if not bool(np.all((spans > 0.0) & np.isfinite(spans))):
        raise ValueError("durations must be positive and finite")
    drop = math.nan if level is None else 0.5 * threshold(level)
    return _fit(model, when, False, cuts, spans, math.nan, drop)


def threshold(level: float) -> float:
    """Give the chi-squared quantile with one degree of freedom: 2.7055 at 0.9."""
    return NormalDist().inv_cdf(0.5 + 0.5 * level) ** 2


def _fit(
    model: str,
    times: FloatArray,
    backwards: bool,
    offsets: npt.NDArray[np.int64],
    durations: FloatArray,
    delta: float,
    drop: float,
) -> ManyFits:
    kernels = _kernels()
    kind = MODELS.index(model)
    rows = np.empty((durations.size, kernels.COLUMNS))
    given = np.full(durations.size, delta)
    bad = kernels.fit_rows(kind, times, backwards, offsets, durations, given, drop, rows)
    if bad == kernels.UNORDERED:
        window = np.repeat(np.arange(durations.size), np.diff(offsets))
        times = times[np.lexsort((-times if backwards else times, window))]
        bad = kernels.fit_rows(kind, times, backwards, offsets, durations, given, drop, rows)
    if bad != kernels.DONE:
        raise ValueError(f"a time of window {bad} is not finite or not inside the window")
    column = np.ascontiguousarray(rows.T)
    code = column[kernels.CODE].astype(np.int8)
    n, gain = column[kernels.EVENTS], column[kernels.GAIN]
    length, tilt, power = (column[c] for c in (kernels.LENGTH, kernels.TILT, kernels.POWER))
    after = column[kernels.DELTA] * durations
    p_value = np.full(durations.size, math.nan)
    fitted = np.flatnonzero(code > 0)
    if fitted.size:
        places = {"length": length[fitted], "tilt": tilt[fitted], "power": power[fitted]}
        p_value[fitted] = p_values(
            model,
            events=n[fitted],
            ks=column[kernels.KS][fitted],
            given=not math.isnan(delta),
            **places,
        )
    code[(code == _FORECAST) & (p_value < SIGNIFICANCE)] = _NOT_ADEQUATE
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.log(n / durations)
        mass = _log_mass(tilt)
        if kind == kernels.EXPONENTIAL:
            k = np.exp(rate - tilt - mass)
        elif kind >= kernels.HYPERBOLIC:
            k = np.exp(np.log(n / length) + (power - 1.0) * np.log(after) - mass)
        else:
            k = n / durations
        likelihood = n * (rate - 1.0) + gain
    return ManyFits(
        model=model,
        codes=code,
        events=n.astype(np.int64),
        durations=durations,
        failure_after=after,
        lower=column[kernels.LOWER] * durations,
        upper=column[kernels.UPPER] * durations,
        k=k,
        growth=tilt / durations,
        power=power,
        log_likelihood=likelihood,
        ks=column[kernels.KS],
        p_value=p_value,
    )


def _log_mass(x: FloatArray) -> FloatArray:
    """Give ln of the integral of ``exp(-x v)`` over [0, 1]."""
    size = np.abs(x)
    mass = np.log(-np.expm1(-size) / size) + np.maximum(-x, 0.0)
    return np.where(x == 0.0, 0.0, mass)


def _end(end: float, after: float) -> float | None:
    return None if math.isnan(after) else end + float(after)


def _check(model: str, level: float) -> None:
    if model not in MODELS:
        raise ValueError(f"model {model!r} is not known{suggest(model, MODELS)}")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level {level} is not between 0 and 1")


def _kernels() -> ModuleType:
    """Import the kernels when one is needed: numba takes a second to load."""
    from flowquake.pes.forecasting import _kernels as module

    return module
