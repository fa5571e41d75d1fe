"""Processing elements for completeness and b-values."""

from __future__ import annotations

import math
from dataclasses import replace

from flowquake import Emissions, Input, Output, ProcessingElement
from flowquake.errors import ConfigError, suggest
from flowquake.pes.magnitudes.b_values import B_VALUE_METHODS
from flowquake.pes.magnitudes.binning import DEFAULT_WIDTH, LARGEST, at_or_above, magnitude_bin
from flowquake.pes.magnitudes.completeness import (
    COMPLETENESS_METHODS,
    CompletenessEstimate,
    maximum_curvature,
)
from flowquake.records import BValue, Completeness, Json, Window


class EstimateCompleteness(ProcessingElement):
    """Cut each window at its completeness magnitude.

    The estimate sees the events of its own window and nothing else. A window
    for which the method finds no completeness magnitude passes uncut, with a
    warning, and is counted.

    Parameters
    ----------
    cutoff : float or str, default "maxc"
        A magnitude to cut at, or a method: ``maxc`` (maximum curvature),
        ``gft`` (goodness of fit), ``mbs`` (stability of b), or ``none`` for
        no cut at all.
    correction : float, default 0.2
        Added to the answer of ``maxc``, magnitude units; the other methods
        and a given magnitude take none.
    width : float, default 0.1
        Width of a magnitude bin.

    Notes
    -----
    The windows carry ``completeness_magnitude`` and, in ``settings``, the
    rule (never the fitted number). ``completeness_warning`` is set when the
    method finds nothing, and when a given magnitude lies below the maximum
    curvature of the window's own events.
    """

    window = Input(Window)
    windows = Output(Window)
    completeness = Output(Completeness)

    cutoff: float | str = "maxc"
    correction: float = 0.2
    width: float = DEFAULT_WIDTH

    def __post_init__(self) -> None:
        _positive_width(self.width)
        if not abs(self.correction) <= LARGEST:
            raise ConfigError(
                f"correction={self.correction:g} is no difference of magnitudes",
                fix="use for example correction=0.2",
            )
        _rule(self.cutoff)

    def on_window(self, window: Window) -> Emissions:
        """Estimate, cut and pass on."""
        rule = _rule(self.cutoff)
        settings: dict[str, Json] = {**window.settings, "cutoff": rule}
        if rule == "none":
            yield self.windows(replace(window, settings=settings))
            return
        settings["magnitude_width"] = self.width
        if rule == "maxc":
            settings["correction"] = self.correction
        estimate, warning = self._estimate(window, rule)
        yield self.completeness(_completeness(window, estimate))
        events = window.events
        if estimate.mc is None:
            self.count("windows without a completeness magnitude")
        else:
            kept = at_or_above(events.magnitude, estimate.mc, self.width)
            self._count_dropped(events_known=estimate.events, kept=int(kept.sum()), window=window)
            events = events.where(kept)
        yield self.windows(
            replace(
                window,
                events=events,
                completeness_magnitude=estimate.mc,
                completeness_warning=warning,
                settings=settings,
            )
        )

    def _estimate(self, window: Window, rule: float | str) -> tuple[CompletenessEstimate, bool]:
        magnitudes = window.events.magnitude
        if isinstance(rule, str):
            method = COMPLETENESS_METHODS[rule]
            extra = {"correction": self.correction} if rule == "maxc" else {}
            estimate = method(magnitudes, width=self.width, **extra)
            return estimate, estimate.mc is None
        peak = maximum_curvature(magnitudes, width=self.width)
        below = peak.mc is not None and bool(
            magnitude_bin(rule, self.width) < magnitude_bin(peak.mc, self.width)
        )
        given = CompletenessEstimate(
            method="given",
            mc=rule,
            mc_uncorrected=rule,
            correction=0.0,
            events=peak.events,
            events_above=int(at_or_above(magnitudes, rule, self.width).sum()),
        )
        return given, below

    def _count_dropped(self, *, events_known: int, kept: int, window: Window) -> None:
        if below := events_known - kept:
            self.count("dropped: below the completeness magnitude", below)
        if missing := len(window.events) - events_known:
            self.count("dropped: no magnitude", missing)


class EstimateBValue(ProcessingElement):
    """Estimate the b-value of each window's events.

    Parameters
    ----------
    method : str, default "binned"
        ``aki_utsu``, ``binned`` or ``b_positive``.
    mc : float, optional
        The cutoff; by default the completeness magnitude that the window
        carries. A window without either gives a record without b.
    width : float, default 0.1
        Width of a magnitude bin.
    """

    window = Input(Window)
    b_value = Output(BValue)

    method: str = "binned"
    mc: float | None = None
    width: float = DEFAULT_WIDTH

    def __post_init__(self) -> None:
        _positive_width(self.width)
        if self.method not in B_VALUE_METHODS:
            raise ConfigError(
                f"method='{self.method}' is no b-value estimator"
                f"{suggest(self.method, B_VALUE_METHODS)}",
                fix=f"use one of {', '.join(B_VALUE_METHODS)}",
            )
        if self.mc is not None and not math.isfinite(self.mc):
            raise ConfigError(f"mc={self.mc} must be a magnitude", fix="use for example mc=1.5")

    def on_window(self, window: Window) -> Emissions:
        """Estimate from the window's events at or above the cutoff."""
        mc = self.mc if self.mc is not None else window.completeness_magnitude
        b = uncertainty = None
        events = 0
        if mc is None:
            self.count("windows without a completeness magnitude")
        else:
            ordered = window.events.sorted()
            estimate = B_VALUE_METHODS[self.method](ordered.magnitude, mc=mc, width=self.width)
            b, uncertainty, events = estimate.b, estimate.uncertainty, estimate.events
        yield self.b_value(
            BValue(
                source=window.source,
                key=window.key,
                time=window.time,
                method=self.method,
                b=b,
                uncertainty=uncertainty,
                mc=mc,
                events=events,
                timescale=window.events.timescale,
            )
        )


def _rule(cutoff: float | str) -> float | str:
    """Read a cutoff: a number, also as text, or the name of a method."""
    if isinstance(cutoff, str):
        name = cutoff.strip().lower()
        if name == "none" or name in COMPLETENESS_METHODS:
            return name
        try:
            cutoff = float(name)
        except ValueError:
            raise ConfigError(
                f"cutoff='{cutoff}' is neither a magnitude nor a method"
                f"{suggest(name, [*COMPLETENESS_METHODS, 'none'])}",
                fix="use a number, maxc, gft, mbs or none",
            ) from None
    if not abs(cutoff) <= LARGEST:
        raise ConfigError(
            f"cutoff={cutoff:g} must be a magnitude", fix="use for example cutoff=1.5"
        )
    return float(cutoff)


def _positive_width(width: float) -> None:
    if not (math.isfinite(width) and width > 0):
        raise ConfigError(f"width={width} must be positive", fix="use for example width=0.1")


def _completeness(window: Window, estimate: CompletenessEstimate) -> Completeness:
    return Completeness(
        source=window.source,
        key=window.key,
        time=window.time,
        method=estimate.method,
        mc=estimate.mc,
        mc_uncorrected=estimate.mc_uncorrected,
        correction=estimate.correction,
        events=estimate.events,
        events_above=estimate.events_above,
        timescale=window.events.timescale,
    )
