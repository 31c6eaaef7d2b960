from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from valueaudit import agreement
from valueaudit.agreement import Array, find_interval, find_kappa, find_reliability, resample

UNTOLD = 3
Answers = NDArray[np.int64]
RATE: dict[str, Callable[[Array], Array]] = {
    "precision": lambda tables: agreement.find_rate(agreement.count_precision(tables)),
    "recall": lambda tables: agreement.find_rate(agreement.count_recall(tables)),
    "specificity": lambda tables: agreement.find_rate(agreement.count_specificity(tables)),
}


def build_table(truths: Answers, answers: Answers, classes: int) -> Array:
    """The table of labels and answers, an answer of `classes` being untold."""
    table = np.zeros((classes, classes + 1))
    np.add.at(table, (truths, answers), 1)
    return table


@pytest.fixture
def labelled() -> tuple[Answers, Answers]:
    """Labels 0 to 2 and answers 0 to 3 of 200 conversations that agree more often than not."""
    draw = np.random.default_rng(1)
    truths = draw.integers(0, 3, 200)
    answers = np.where(draw.random(200) < 0.6, truths, draw.integers(0, 4, 200))
    return truths, answers


def test_kappa_is_that_of_scikit_learn(labelled: tuple[Answers, Answers]) -> None:
    """With untold as an answer of its own, and over the told alone."""
    truths, answers = labelled
    table = build_table(truths, answers, 3)
    told = answers < UNTOLD
    assert find_kappa(table) == pytest.approx(metrics.cohen_kappa_score(truths, answers))
    assert find_kappa(agreement.drop_untold(table)) == pytest.approx(
        metrics.cohen_kappa_score(truths[told], answers[told])
    )


def test_kappa_worked_by_hand() -> None:
    """Of 50 grants two readers agree on 20 yes and 15 no, 25 and 30 said yes: kappa 0.4."""
    assert find_kappa(np.array([[20.0, 5, 0], [10, 15, 0]])) == pytest.approx(0.4)


@pytest.mark.parametrize("answer", range(3))
def test_rates_of_one_answer_are_those_of_scikit_learn(labelled: tuple[Answers, Answers], answer: int) -> None:
    """Precision, recall and F1 of one answer, where an untold conversation is one without that answer."""
    truths, answers = labelled
    table = agreement.collapse(build_table(truths, answers, 3), answer)
    chosen = truths == answer, answers == answer
    assert RATE["precision"](table) == pytest.approx(metrics.precision_score(*chosen))
    assert RATE["recall"](table) == pytest.approx(metrics.recall_score(*chosen))
    assert agreement.find_f1(table) == pytest.approx(metrics.f1_score(*chosen))
    told = answers < UNTOLD
    cleared = metrics.recall_score(truths[told] != answer, answers[told] != answer)
    assert RATE["specificity"](agreement.drop_untold(table)) == pytest.approx(cleared)


def test_an_untold_conversation_is_never_right() -> None:
    """It is missed where the label says yes, and not cleared where it says no."""
    table = np.array([[6.0, 2, 2], [1, 3, 4]])
    assert RATE["recall"](table) == pytest.approx(0.6)
    assert RATE["specificity"](table) == pytest.approx(3 / 8)
    assert RATE["precision"](table) == pytest.approx(6 / 7)


def test_figures_without_a_denominator_are_not_numbers() -> None:
    """Nothing labelled, nothing answered, or one answer only: NaN, and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for find in (
            find_kappa,
            RATE["precision"],
            RATE["recall"],
            RATE["specificity"],
            agreement.find_f1,
        ):
            assert np.isnan(find(np.zeros((2, 3))))
        assert np.isnan(find_kappa(np.array([[5.0, 0, 0], [0, 0, 0]])))
        assert np.isnan(agreement.mean_defined(np.array([np.nan, np.nan])))
    assert agreement.mean_defined(np.array([np.nan, 0.5, 0.7])) == pytest.approx(0.6)


def test_a_resample_draws_as_many_conversations_whole() -> None:
    """Each sample is a sum of n rows, rows never mix, and each comes up as often as it should."""
    votes = np.array([[1.0, 0, 10], [0, 1, 20], [0, 1, 20]])
    drawn = resample(votes, 20_000, seed=0)
    assert (drawn[:, :2].sum(axis=1) == 3).all()
    assert (drawn[:, 2] == 10 * drawn[:, 0] + 20 * drawn[:, 1]).all()
    exact = [sum(picked.count(0) == k for picked in itertools.product(range(3), repeat=3)) / 27 for k in range(4)]
    seen = [(drawn[:, 0] == k).mean() for k in range(4)]
    assert seen == pytest.approx(exact, abs=0.01)


def test_resamples_depend_on_the_seed_and_not_on_the_order() -> None:
    """The same seed gives the same samples, whatever the order of the file."""
    votes = np.random.default_rng(5).integers(0, 2, (30, 2, 3)).astype(float)
    shuffled = votes[np.random.default_rng(6).permutation(30)]
    assert (resample(votes, 50, seed=1) == resample(shuffled, 50, seed=1)).all()
    assert (resample(votes, 50, seed=1) != resample(votes, 50, seed=2)).any()


def test_the_interval_of_a_share_is_about_that_of_theory() -> None:
    """Of 400 conversations a quarter: the percentile interval is near the normal one, 0.25 +- 0.042."""
    votes = np.zeros((400, 2, 3))
    votes[:100, 0, 0] = votes[100:, 0, 1] = 1
    interval = find_interval(RATE["recall"](resample(votes, 4000, seed=3)))
    assert interval == pytest.approx((0.2076, 0.2924), abs=0.006)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """Of 300 files of 120 conversations with a true kappa of 0.6, about 95 % of the intervals hold it."""
    draw = np.random.default_rng(11)
    covered = 0
    for seed in range(300):
        truths = draw.integers(0, 3, 120)
        answers = np.where(draw.random(120) < 0.6, truths, draw.integers(0, 3, 120))
        votes = np.zeros((120, 3, 4))
        votes[np.arange(120), truths, answers] = 1
        interval = find_interval(find_kappa(resample(votes, 400, seed)))
        assert interval is not None
        covered += interval[0] <= 0.6 <= interval[1]
    assert 0.91 <= covered / 300 <= 0.98


def test_what_is_drawn_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by blocks of the same random numbers."""
    votes = np.random.default_rng(5).integers(0, 2, (30, 2, 3)).astype(float)
    whole = resample(votes, 50, seed=1)
    monkeypatch.setattr(agreement, "DRAWN_AT_ONCE", 7 * len(votes))
    assert (resample(votes, 50, seed=1) == whole).all()


def test_no_interval_where_the_bootstrap_says_nothing() -> None:
    """All resamples equal, or too many of them undefined."""
    assert find_interval(np.ones(100)) is None
    assert find_interval(np.array([np.nan] * 6 + [0.1, 0.2] * 47)) is None
    assert find_interval(np.array([np.nan] * 4 + [0.1, 0.2] * 48)) == pytest.approx((0.1, 0.2))
    assert find_interval(np.array([])) is None


def test_reliability_worked_by_hand() -> None:
    """Ten at 0.8 of which six came true, ten at 0.3 of which three did: ECE 0.1; Brier as scikit-learn has it."""
    probabilities = np.array([0.8] * 10 + [0.3] * 10)
    came_true = np.array([1.0] * 6 + [0] * 4 + [1] * 3 + [0] * 7)
    found = find_reliability(probabilities, came_true)
    assert found is not None
    assert found.ece == pytest.approx(0.1)
    assert found.brier == pytest.approx(metrics.brier_score_loss(came_true, probabilities))
    assert [(round(b.lower, 1), round(b.upper, 1), b.count, b.rate) for b in found.bins] == [
        (0.2, 0.3, 10, 0.3),
        (0.7, 0.8, 10, 0.6),
    ]
    assert find_reliability(np.array([]), np.array([])) is None


def test_certain_probabilities_fall_into_the_outer_bins() -> None:
    """0 and 1 are probabilities too."""
    found = find_reliability(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert found is not None
    assert (found.ece, [(b.lower, b.upper) for b in found.bins]) == (0.0, [(0.0, 0.1), (0.9, 1.0)])
