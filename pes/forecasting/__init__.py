"""Failure models, their fits, and forecasts."""

from __future__ import annotations

from flowquake.pes.forecasting.adequacy import p_value_naive, p_values
from flowquake.pes.forecasting.comparison import best_model, not_separable
from flowquake.pes.forecasting.demonstration import simulate_catalog
from flowquake.pes.forecasting.elements import (
    CompareModels,
    FitFailure,
    SimulateCatalog,
    forecast_from_fit,
)
from flowquake.pes.forecasting.fitting import (
    ManyFits,
    fit_failure,
    fit_many,
    fit_time_left,
)
from flowquake.pes.forecasting.models import (
    MODELS,
    STATUSES,
    FailureFit,
    FailureInterval,
    FitAdequacy,
    model_cumulative,
    model_rate,
    parameter_count,
)
from flowquake.pes.forecasting.simulation import (
    gutenberg_richter,
    simulate_constant,
    simulate_exponential,
    simulate_hyperbolic,
    simulate_inverse_omori,
)

__all__ = [
    "MODELS",
    "STATUSES",
    "CompareModels",
    "FailureFit",
    "FailureInterval",
    "FitAdequacy",
    "FitFailure",
    "ManyFits",
    "SimulateCatalog",
    "best_model",
    "fit_failure",
    "fit_many",
    "fit_time_left",
    "forecast_from_fit",
    "gutenberg_richter",
    "model_cumulative",
    "model_rate",
    "not_separable",
    "p_value_naive",
    "p_values",
    "parameter_count",
    "simulate_catalog",
    "simulate_constant",
    "simulate_exponential",
    "simulate_hyperbolic",
    "simulate_inverse_omori",
]
