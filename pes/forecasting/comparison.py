"""Which of the models fitted to one window the data prefer."""

from __future__ import annotations

from collections.abc import Mapping

from flowquake.pes.forecasting.models import MODELS, parameter_count

TIE = 1e-6
NOT_SEPARABLE = 2.0  # in AIC


def best_model(scores: Mapping[str, float | None], *, given: bool = False) -> str | None:
    """Name the model with the least AIC, or BIC.

    Parameters
    ----------
    scores : mapping of str to float or None
        By model; None is no fit.
    given : bool, default False
        Whether the failure time was given.

    Returns
    -------
    str or None
        Of those within 1e-6 of the least, the one with the fewest
        parameters; None if there is no score.

    Examples
    --------
    >>> best_model({"exponential": 922.2525, "hyperbolic": 919.8181, "inverse_omori": 921.5483})
    'hyperbolic'
    """
    known = {model: score for model, score in scores.items() if score is not None}
    if not known:
        return None
    least = min(known.values())
    tied = [model for model, score in known.items() if score - least <= TIE]
    return min(tied, key=lambda m: (parameter_count(m, given=given), MODELS.index(m)))


def not_separable(aics: Mapping[str, float | None]) -> tuple[str, ...]:
    """Name the models that the data cannot tell apart from the one with the least AIC.

    Parameters
    ----------
    aics : mapping of str to float or None
        AIC by model.

    Returns
    -------
    tuple of str
        All within 2 of the least, itself included, the least first; empty if
        it stands alone.

    Examples
    --------
    >>> not_separable({"exponential": 922.2525, "hyperbolic": 919.8181, "inverse_omori": 921.5483})
    ('hyperbolic', 'inverse_omori')
    """
    known = {model: aic for model, aic in aics.items() if aic is not None}
    if not known:
        return ()
    least = min(known.values())
    close = [model for model in known if known[model] - least < NOT_SEPARABLE]
    return tuple(sorted(close, key=known.__getitem__)) if len(close) > 1 else ()
