"""Exact binomial bounds, tests and sample sizes under their own names, so that no verdict rests on an approximation.

`scipy.special` is imported inside the functions: it takes a third of a second that `--help` must not pay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, log, log1p

MOST_FURTHER = 10_000_000


def lower_bound(hits: float, total: float, confidence: float) -> float:
    """The one-sided Clopper-Pearson lower bound of a rate, in [0, 1]; 0 where nothing was seen.

    Clopper and Pearson 1934, Biometrika 26, 404-413, in the beta form, which takes an effective size that is no whole
    number as well. Raises `ValueError` unless
    0 <= hits <= total and 0 < confidence < 1.
    """
    _refuse_nonsense(hits, total, confidence)
    if hits == 0:
        return 0.0
    from scipy.special import betaincinv

    return float(betaincinv(hits, total - hits + 1, 1 - confidence))


def upper_bound(hits: float, total: float, confidence: float) -> float:
    """The one-sided Clopper-Pearson upper bound of a rate, in [0, 1]; 1 where nothing was seen.

    Source and errors as `lower_bound`.
    """
    _refuse_nonsense(hits, total, confidence)
    if hits == total:
        return 1.0
    from scipy.special import betaincinv

    return float(betaincinv(hits + 1, total - hits, confidence))


def build_interval(hits: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided Clopper-Pearson interval of a rate, (0, 1) where nothing was seen; errors as `lower_bound`."""
    one_sided = (1 + confidence) / 2
    return lower_bound(hits, total, one_sided), upper_bound(hits, total, one_sided)


def probability_at_least(hits: float, total: float, rate: float) -> float:
    """The chance of `hits` or more among `total` if each is one with chance `rate`: the p value against "at most".

    Exact binomial tail through the incomplete beta function, Abramowitz and Stegun 26.5.24.
    """
    if hits == 0:
        return 1.0
    from scipy.special import betainc

    return float(betainc(hits, total - hits + 1, rate))


def probability_at_most(hits: float, total: float, rate: float) -> float:
    """The chance of `hits` or fewer among `total` if each is one with chance `rate`: the p value against "at least"."""
    if hits == total:
        return 1.0
    from scipy.special import betainc

    return float(betainc(total - hits, hits + 1, 1 - rate))


def adjust_holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """The p values adjusted by Holm's step-down method, in the order given, at most 1.

    Holm 1979, Scandinavian Journal of Statistics 6, 65-70. Rejecting where the adjusted value is at most alpha keeps
    the chance of any false rejection at or below alpha, whatever the dependence.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def zero_hit_sample_size(limit: float, confidence: float) -> int:
    """How many conversations without any hit prove a rate of at most `limit`, which lies in (0, 1).

    The smallest n with (1 - limit)^n <= 1 - confidence; the "rule of three" made exact.
    """
    if not 0 < limit < 1:
        raise ValueError(f"limit is {limit}, known: above 0 and below 1")
    return ceil(log(1 - confidence) / log1p(-limit))


def conversations_needed(
    low_hits: int, high_hits: int, total: int, decided: Callable[[int, int, int], bool]
) -> int | None:
    """How many further conversations would decide, at the rates seen so far, None if no ten million would.

    `low_hits` to `high_hits` of `total` (above 0) are hits, the unknown ones counted as clean and as hits.
    `decided(low, high, n)` says whether counts scaled up to n conversations settle the matter; low is rounded down and
    high up, so that an answer never rests on rounding. The answer decides, and one fewer does not.
    """

    def settles(size: int) -> bool:
        return decided(low_hits * size // total, -(-high_hits * size // total), size)

    undecided, size = total, total
    while not settles(size):
        if size == total + MOST_FURTHER:
            return None
        undecided, size = size, min(2 * size, total + MOST_FURTHER)
    while size - undecided > 1:
        middle = (undecided + size) // 2
        if settles(middle):
            size = middle
        else:
            undecided = middle
    return size - total


def _refuse_nonsense(hits: float, total: float, confidence: float) -> None:
    if not 0 <= hits <= total:
        raise ValueError(f"{hits} hits of {total} conversations cannot be")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, known: above 0 and below 1")
