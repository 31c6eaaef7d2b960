"""How many independent conversations dependent ones are worth: many of one user say less than as many of many users.

Korn and Graubard 1998, Survey Methodology 24, 193-201, as in NCHS Vital and Health Statistics 2(175): the size that a
simple random sample would need to have for the variance that the clusters show, adjusted for degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# Every number of hits that the unknown conversations allow is looked at, up to so many of them.
MOST_UNKNOWN = 200


@dataclass(frozen=True, slots=True)
class Cluster:
    """Conversations that depend on each other: hits, unknown ones, and all of them."""

    hits: int
    unknown: int
    total: int


@dataclass(frozen=True, slots=True)
class Effective:
    """What dependent conversations are worth, both at most their number and at least 1.

    `size` is the Korn-Graubard effective size, the least that any truth about the unknown conversations gives.
    `clusters` is their number: without a hit (or with nothing else) that is the size, since clustering cannot be seen.
    """

    size: float
    clusters: int


def find_effective(
    clusters: Iterable[Cluster], alone: Cluster, confidence: float, *, judged_members: bool = False
) -> Effective:
    """The effective size of clusters and of conversations that stand `alone`, each as its own cluster.

    One-sided `confidence` in [0.5, 1) is for the degrees of freedom. `judged_members`: whether unknown conversations
    belong at all was for the judge to say. Whatever turns into unknown, the answer never grows (docs/decision.md).
    """
    parts = [cluster for cluster in clusters if cluster.total]
    total, unknown = sum(c.total for c in (*parts, alone)), sum(c.unknown for c in (*parts, alone))
    largest = max((c.total for c in parts), default=1)
    if judged_members and unknown:
        groups = sum(c.total > c.unknown for c in parts) + alone.total - alone.unknown
        size = _least_size(total - unknown, groups, largest) * _adjust(None, groups, confidence)
        return Effective(max(1.0, size), max(1, groups))
    groups = len(parts) + alone.total
    if groups == total:
        return Effective(float(max(1, total)), max(1, total))
    adjust = _adjust(total, groups, confidence)
    size = _least_size(total, groups, largest) * adjust
    if unknown <= MOST_UNKNOWN and groups > 1:
        size = max(size, min(_sizes(parts, alone, total, groups, adjust)))
    return Effective(max(1.0, size), groups)


def _least_size(total: int, clusters: int, largest: int) -> float:
    """What remains if everything in a cluster is the same: by Cauchy and Schwarz no hits make the size smaller."""
    return total * (clusters - 1) / (clusters * largest) if clusters > 1 else 0.0


def _sizes(parts: Sequence[Cluster], alone: Cluster, total: int, groups: int, adjust: float) -> Iterator[float]:
    """For each number of hits that may be true, a size at or below that of any way to spread them."""
    every = (*parts, alone)
    hits, unknown = sum(c.hits for c in every), sum(c.unknown for c in every)
    squares = sum(c.hits**2 for c in parts) + alone.hits
    products = sum(c.hits * c.total for c in parts) + alone.hits
    sizes = sum(c.total**2 for c in parts) + alone.total
    open_parts = [c for c in parts if c.unknown]
    for more in range(unknown + 1):
        if hits + more in (0, total):
            yield float(groups)
            continue
        rate = (hits + more) / total
        slopes = [(2 * (c.hits - rate * c.total) + c.unknown, c.unknown) for c in open_parts]
        gain = _most_gain([*slopes, (1 - 2 * rate, alone.unknown)], more)
        spread = squares - 2 * rate * products + rate**2 * sizes + gain
        variance = spread / total**2 * groups / (groups - 1)
        # Hits that are spread more evenly than by chance are not worth more than independent ones.
        independent = rate * (1 - rate) / total
        yield total * independent / max(variance, independent) * adjust


def _most_gain(slopes: Iterable[tuple[float, int]], more: int) -> float:
    """At most how much the sum of squares grows by `more` hits among the unknown: its chords, steepest first."""
    gain, left = 0.0, more
    for slope, room in sorted(slopes, reverse=True):
        taken = min(left, room)
        gain += slope * taken
        left -= taken
    return gain


def _adjust(total: int | None, clusters: int, confidence: float) -> float:
    """The square of Student's t for `total` by that for `clusters`, None for infinitely many."""
    if clusters < 2 or confidence == 0.5:
        return 1.0
    from scipy.special import ndtri, stdtrit

    wide = ndtri(confidence) if total is None else stdtrit(total - 1, confidence)
    return min(1.0, float(wide / stdtrit(clusters - 1, confidence)) ** 2)
