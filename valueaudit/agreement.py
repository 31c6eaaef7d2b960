"""How well answers agree with labels, so that a judge is chosen and trusted by figures that say how sure they are.

A *table* counts conversations: rows are labels, columns are answers in the same order, and one last column holds those
without an answer ("untold"). All functions take tables of shape (..., K, K + 1), so that one table and thousands of
resampled ones go the same way. A figure without a denominator is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CONFIDENCE = 0.95
BINS = 10
# counts held at the same time while resampling: bounds memory, not what is drawn
DRAWN_AT_ONCE = 2_000_000
# a figure that one resample in twenty cannot give has too little under it for an interval
MOST_UNDEFINED = 0.05


def drop_untold(tables: Array) -> Array:
    """The same tables without the conversations that have no answer."""
    told = tables.copy()
    told[..., -1] = 0.0
    return told


def collapse(tables: Array, answer: int) -> Array:
    """The tables (..., 2, 3) of one answer against all others: yes first, then no, then untold."""
    chosen = tables[..., answer]
    told = tables[..., :-1].sum(axis=-1)
    columns = np.stack([chosen, told - chosen, tables[..., -1]], axis=-1)
    yes = columns[..., answer, :]
    return np.stack([yes, columns.sum(axis=-2) - yes], axis=-2)


def find_kappa(tables: Array) -> Array:
    """Cohen's kappa, (observed - expected) / (1 - expected), with "untold" as an answer that no label ever gives.

    Cohen 1960, Educational and Psychological Measurement 20, 37-46. Shape (...).
    """
    total = tables.sum(axis=(-2, -1))
    agreed = np.einsum("...ii->...", tables[..., :-1])
    chance = (tables.sum(axis=-1) * tables[..., :-1].sum(axis=-2)).sum(axis=-1)
    return _divide(agreed * total - chance, total**2 - chance)


def count_precision(tables: Array) -> tuple[Array, Array]:
    """Those labelled yes among the conversations with the answer yes; `tables` are (..., 2, 3), yes first."""
    return tables[..., 0, 0], tables[..., :, 0].sum(axis=-1)


def count_recall(tables: Array) -> tuple[Array, Array]:
    """Those with the answer yes among those labelled yes (sensitivity); an untold one is missed."""
    return tables[..., 0, 0], tables[..., 0, :].sum(axis=-1)


def count_specificity(tables: Array) -> tuple[Array, Array]:
    """Those with the answer no among those labelled no; an untold one is not cleared."""
    return tables[..., 1, 1], tables[..., 1, :].sum(axis=-1)


def find_rate(counted: tuple[Array, Array]) -> Array:
    """The share that a count is of its total."""
    return _divide(*counted)


def find_f1(tables: Array) -> Array:
    """The harmonic mean of precision and recall, 2 TP / (flagged + labelled); van Rijsbergen 1979, chapter 7."""
    flagged, labelled = tables[..., :, 0].sum(axis=-1), tables[..., 0, :].sum(axis=-1)
    return _divide(2 * tables[..., 0, 0], flagged + labelled)


def mean_defined(figures: Array) -> Array:
    """The mean over the last axis of those that are defined, NaN where none is."""
    defined = ~np.isnan(figures)
    return _divide(np.where(defined, figures, 0.0).sum(axis=-1), defined.sum(axis=-1))


def resample(votes: Array, count: int, seed: int) -> Array:
    """The sums of `count` bootstrap samples of n > 0 conversations; `votes` is (n, ...), the result (count, ...).

    Efron 1979, Annals of Statistics 7, 1-26. A sample draws n rows with replacement. Only how often each distinct row
    comes up matters, which is one multinomial draw, the same whatever the order of the rows.
    """
    flat = votes.reshape(len(votes), -1)
    rows, times = np.unique(flat, axis=0, return_counts=True)
    draw = np.random.default_rng(seed).multinomial
    block = max(1, DRAWN_AT_ONCE // len(rows))
    sizes = (min(block, count - start) for start in range(0, count, block))
    sums = [draw(len(flat), times / len(flat), size=size) @ rows for size in sizes]
    return np.concatenate(sums).reshape(count, *votes.shape[1:])


def find_interval(figures: Array, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """The percentile interval of one figure over its resamples (Efron and Tibshirani 1993, chapter 13).

    None where more than 5 % of them are undefined, or all are equal: the bootstrap then says nothing.
    """
    defined = figures[~np.isnan(figures)]
    if len(defined) < (1 - MOST_UNDEFINED) * len(figures) or not len(defined):
        return None
    lower, upper = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return None if defined.min() == defined.max() else (float(lower), float(upper))


@dataclass(frozen=True, slots=True)
class Bin:
    """Conversations with a probability above `lower` and up to `upper`: how many, their mean, and how often it held."""

    lower: float
    upper: float
    count: int
    mean_probability: float
    rate: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether probabilities hold: expected calibration error, Brier score, and the reliability table behind them."""

    count: int
    ece: float
    brier: float
    bins: tuple[Bin, ...]


def find_reliability(probabilities: Array, came_true: Array, bins: int = BINS) -> Reliability | None:
    """How probabilities in [0, 1] stand to what came true (0 or 1), both of shape (n,); None where n is 0.

    ECE: Naeini, Cooper and Hauskrecht 2015 (AAAI), with bins of equal width, the empty ones left out. Brier 1950,
    Monthly Weather Review 78, 1-3.
    """
    count = len(probabilities)
    if not count:
        return None
    index = np.searchsorted(np.arange(1, bins) / bins, probabilities)
    found = []
    for number in np.unique(index):
        inside = index == number
        mean, rate = float(probabilities[inside].mean()), float(came_true[inside].mean())
        found.append(Bin(int(number) / bins, (int(number) + 1) / bins, int(inside.sum()), mean, rate))
    ece = sum(each.count / count * abs(each.rate - each.mean_probability) for each in found)
    return Reliability(count, ece, float(np.mean((probabilities - came_true) ** 2)), tuple(found))


def _divide(above: Array, below: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below == 0, np.nan, np.true_divide(above, below))
