import pytest

from flowquake.pes.forecasting import MODELS, best_model, not_separable, parameter_count


def test_the_least_score_wins() -> None:
    assert best_model({"constant": 3.0, "hyperbolic": 1.0, "inverse_omori": 2.0}) == "hyperbolic"


@pytest.mark.parametrize(("more", "best"), [(9e-7, "constant"), (2e-6, "inverse_omori")])
def test_ties_go_to_fewer_parameters(more: float, best: str) -> None:
    scores = {"inverse_omori": 5.0, "hyperbolic": 5.0 + 1e-5, "constant": 5.0 + more}
    assert best_model(scores) == best


def test_of_equal_models_with_equally_many_parameters_the_first_wins() -> None:
    assert best_model({"hyperbolic": 5.0, "exponential": 5.0}) == "exponential"


def test_a_given_failure_time_changes_who_has_fewer_parameters() -> None:
    scores = {"exponential": 5.0, "hyperbolic": 5.0}
    assert best_model(scores, given=True) == "hyperbolic"
    assert [parameter_count(m) for m in MODELS] == [1, 2, 2, 3]
    assert [parameter_count(m, given=True) for m in MODELS] == [1, 2, 1, 2]


def test_models_without_a_fit_do_not_take_part() -> None:
    assert best_model({"constant": None, "hyperbolic": 1.0}) == "hyperbolic"
    assert best_model({"constant": None}) is None
    assert best_model({}) is None


def test_models_within_two_of_the_best_cannot_be_told_apart() -> None:
    aics = {"constant": 9.0, "exponential": 3.99, "hyperbolic": 2.0, "inverse_omori": 4.0}
    assert not_separable(aics) == ("hyperbolic", "exponential")
    assert not_separable({"constant": 9.0, "hyperbolic": 2.0}) == ()
    assert not_separable({"constant": None}) == ()
