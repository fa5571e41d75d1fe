"""A failure forecast, version 1, and its JSON."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any, ClassVar, Final, Literal, Self, cast

from flowquake.records.batch import Timescale
from flowquake.records.frozen import FrozenDict, freeze
from flowquake.records.times import NS_PER_SECOND, json_time, parse_time
from flowquake.records.windows import Json

SCHEMA: Final = "forecast-1"
STATUSES: Final = (
    "too_few_events",
    "no_acceleration",
    "no_failure_time",
    "at_window_end",
    "not_adequate",
    "forecast",
)
Status = Literal[
    "too_few_events",
    "no_acceleration",
    "no_failure_time",
    "at_window_end",
    "not_adequate",
    "forecast",
]
TimeUnit = Literal["days", "minutes"]
_TIMES: Final = ("issued", "data_until", "window_start", "window_end", "failure_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval of the failure time.

    Parameters
    ----------
    level : float
        Nominal coverage, in (0, 1).
    lower, upper : int or None
        Ends, nanoseconds; None where the data set no bound.
    """

    level: float
    lower: int | None
    upper: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adequacy:
    """How well the fitted model describes the times.

    Parameters
    ----------
    ks : float or None
        Largest distance of the transformed times from the uniform.
    p_value : float or None
        Of that distance when the parameters are fitted.
    p_value_naive : float or None
        Of that distance when they are not; far too kind.
    """

    ks: float | None
    p_value: float | None
    p_value_naive: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What one model says about failure, from one window of one source.

    Times are int nanoseconds, of the batch's time scale. Numbers that do not
    exist are None; NaN and infinity become None.

    Parameters
    ----------
    schema : str
        ``forecast-1``.
    id : str
        Made from source, key, model, settings and ``data_until`` if empty.
    revision : int
        0, 1, …; a reader keeps the highest.
    source : str
        The volcano, region or experiment.
    key : str or None
        The part of the source.
    settings : mapping
        The choices that were made; never a fitted number.
    issued, data_until : int
        When it is made and up to when it knows the data, in event time.
    window_start, window_end : int
        The window that was observed.
    time_unit : {"days", "minutes"}
        Of ``parameters`` and of the keys of ``probability``.
    model : str
        ``constant``, ``exponential``, ``hyperbolic`` or ``inverse_omori``.
    status : str
        One of `STATUSES`.
    events : int
        How many events were fitted.
    completeness_magnitude : float or None
        Of those events.
    completeness_warning : bool
        Whether they may be incomplete.
    parameters : mapping of str to float
        Fitted, in ``time_unit``.
    log_likelihood, aic, bic : float or None
        Of the fit; times in ``time_unit``.
    best_aic, best_bic : bool or None
        Whether this model is the best of its window; None before they are compared.
    failure_time : int or None
        The forecast.
    interval : Interval or None
        Its uncertainty.
    probability : mapping of str to float, or None
        Probability of failure within so many ``time_unit``s of ``issued``.
    adequacy : Adequacy or None
        Of the fit.
    timescale : {"utc", "elapsed"}
        What the times count from.

    Raises
    ------
    ValueError
        If the status, time unit or time scale is not one of those above.
    """

    IS_FROZEN: ClassVar[bool] = True  # nothing in it can be changed

    schema: str = SCHEMA
    id: str = ""
    revision: int = 0
    source: str
    key: str | None = None
    settings: Mapping[str, Json] = field(default_factory=FrozenDict)
    issued: int
    data_until: int
    window_start: int
    window_end: int
    time_unit: TimeUnit = "days"
    model: str
    status: Status
    events: int
    completeness_magnitude: float | None = None
    completeness_warning: bool = False
    parameters: Mapping[str, float | None] = field(default_factory=FrozenDict)
    log_likelihood: float | None = None
    aic: float | None = None
    bic: float | None = None
    best_aic: bool | None = None
    best_bic: bool | None = None
    failure_time: int | None = None
    interval: Interval | None = None
    probability: Mapping[str, float | None] | None = None
    adequacy: Adequacy | None = None
    timescale: Timescale = "utc"

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise ValueError(f"schema is {self.schema!r}, not {SCHEMA!r}")
        if self.status not in STATUSES:
            raise ValueError(f"status is {self.status!r}, not one of {', '.join(STATUSES)}")
        if self.time_unit not in ("days", "minutes"):
            raise ValueError(f"time_unit is {self.time_unit!r}, not 'days' or 'minutes'")
        if self.timescale not in ("utc", "elapsed"):
            raise ValueError(f"timescale is {self.timescale!r}, not 'utc' or 'elapsed'")
        put = object.__setattr__
        for part in fields(self):
            value = getattr(self, part.name)
            if isinstance(value, Mapping):
                put(self, part.name, freeze(_finite(value)))
            elif part.name in _TIMES and value is not None:
                put(self, part.name, int(value))
            elif isinstance(value, float):
                put(self, part.name, _finite(value))
        if not self.id:
            made = forecast_id(self.source, self.key, self.model, self.settings, self.data_until)
            put(self, "id", made)

    @property
    def nbytes(self) -> int:
        """About the bytes it holds."""
        return 2048

    @property
    def time(self) -> int:
        """The event time of the forecast: when it is issued."""
        return self.issued

    def to_json(self) -> dict[str, Any]:
        """Give the forecast as a dictionary of JSON values, in the order of the fields."""
        out: dict[str, Any] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            if part.name in _TIMES:
                value = self._time(value)
            elif isinstance(value, Interval):
                value = {
                    "level": _finite(value.level),
                    "lower": self._time(value.lower),
                    "upper": self._time(value.upper),
                }
            elif isinstance(value, Adequacy):
                value = {name.name: _finite(getattr(value, name.name)) for name in fields(value)}
            out[part.name] = _thaw(value)
        return out

    def to_json_line(self) -> str:
        """Give the forecast as one line of JSON without the line end; the same bytes every time."""
        return json.dumps(
            self.to_json(), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )

    def _time(self, time: int | None) -> str | float | None:
        return None if time is None else json_time(time, self.timescale)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Read the dictionary that `to_json` gives.

        Raises
        ------
        ValueError
            If a field is missing, unknown or has a wrong value.
        """
        values = dict(record)
        names = {part.name for part in fields(cls)}
        wrong = sorted(set(values) ^ names)
        if wrong:
            state = "missing" if wrong[0] in names else "unknown"
            raise ValueError(f"field {wrong[0]!r} of the forecast is {state}")
        for name in _TIMES:
            values[name] = _read_time(values[name])
        if values["interval"] is not None:
            parts = values["interval"]
            values["interval"] = Interval(
                level=parts["level"],
                lower=_read_time(parts["lower"]),
                upper=_read_time(parts["upper"]),
            )
        if values["adequacy"] is not None:
            values["adequacy"] = Adequacy(**values["adequacy"])
        return cls(**values)


def forecast_id(
    source: str, key: str | None, model: str, settings: Mapping[str, Json], data_until: int
) -> str:
    """Give the identity of a forecast: the same inputs and choices give the same text.

    Returns
    -------
    str
        The first 32 hexadecimal digits of a SHA-256.
    """
    parts = [source, key, model, _thaw(_finite(settings)), int(data_until)]
    text = json.dumps(
        parts, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _read_time(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return round(Fraction(value) * NS_PER_SECOND)
    raise ValueError(f"{value!r} is not a time")


def _finite(value: object) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def _thaw(value: object) -> Any:
    if isinstance(value, Mapping):
        return {key: _thaw(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [_thaw(part) for part in value]
    return value


def load_schema() -> dict[str, Any]:
    """Give the JSON Schema of a forecast."""
    from importlib.resources import files

    text = files("flowquake.records").joinpath("schemas", "forecast-1.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))
