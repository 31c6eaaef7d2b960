"""The size of a sample that settles a matter with a given chance, whatever "settled" means.

That chance is a saw in the size, because hits are whole: every size given here is one from which on it never falls
below the power that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from math import ceil

from valueaudit.statistics import MOST_FURTHER, probability_at_least, probability_at_most

MOST_CONVERSATIONS = MOST_FURTHER

# Whether so many hits among so many conversations settle a matter.
Settles = Callable[[int, int], bool]


@lru_cache(maxsize=4096)
def size_to_pass(limit: float, alpha: float, rate: float, power: float) -> int | None:
    """From which size on a sample proves a rate of at most `limit` with at least the power, None above ten million.

    `rate` is the true rate, hits and unjudged conversations together. k hits among n are few enough if k or fewer had
    a chance of at most `alpha` at the limit.
    """
    if not rate < limit < 1:
        return 1 if rate < limit else None
    return find_few_enough(lambda hits, size: probability_at_most(hits, size, limit) <= alpha, limit, rate, power)


@lru_cache(maxsize=4096)
def size_to_fail(limit: float, alpha: float, rate: float, power: float) -> int | None:
    """From which size on a sample proves a rate above `limit` with at least the power, None above ten million.

    `rate` is the true rate of confirmed hits. k hits among n are too many if k or more have a chance below `alpha` at
    the limit.
    """
    if not limit < rate:
        return None
    if limit == 0:
        return find_first(lambda size: probability_at_least(1, size, rate) >= power)
    return find_too_many(lambda hits, size: probability_at_least(hits, size, limit) < alpha, limit, rate, power)


def find_few_enough(settles: Settles, limit: float, rate: float, power: float) -> int | None:
    """From which size on hits are few enough with at least the power at a true `rate`, None above ten million.

    `settles` is true of fewer hits and of larger sizes wherever it is true, and of samples without end up to a rate
    of `limit`, which is above `rate`. `starts(k)` is the first n that allows k hits, and within the run of sizes that
    allow k the chance falls with n. So the last size of each run decides.
    """

    @cache
    def starts(hits: int) -> int | None:
        return find_first(lambda size: settles(hits, size), max(hits, 1)) if hits <= MOST_CONVERSATIONS else None

    def holds(hits: int) -> bool:
        last = (starts(hits + 1) or MOST_CONVERSATIONS + 1) - 1
        return last <= hits or probability_at_most(hits, last, rate) >= power

    found = find_first(holds, 0)
    if found is None or starts(found) is None:
        return None
    return starts(_find_lasting(holds, found, limit, rate))


def find_too_many(settles: Settles, limit: float, rate: float, power: float) -> int | None:
    """From which size on hits are too many with at least the power at a true `rate`, None above ten million.

    `settles` is true of more hits and of smaller sizes wherever it is true, and of samples without end above a rate
    of `limit`, which is below `rate`. `ends(k)` is the last n that k hits settle, and within the run of sizes that
    need k the chance rises with n. So the first size of each run decides, and inside the run before it the rise may
    already do.
    """

    @cache
    def ends(hits: int) -> int:
        if not hits or not settles(hits, hits):
            return hits - 1
        past = find_first(lambda size: not settles(hits, size), hits)
        return MOST_CONVERSATIONS if past is None else past - 1

    def first(hits: int) -> int:
        return max(ends(hits - 1) + 1, hits)

    def holds(hits: int) -> bool:
        return ends(hits) >= first(hits) and probability_at_least(hits, first(hits), rate) >= power

    found = find_first(holds)
    if found is None or ends(found - 1) >= MOST_CONVERSATIONS:
        return None
    hits = _find_lasting(holds, found, limit, rate)
    size, before = first(hits), hits - 1
    if before and ends(before) >= first(before):
        size = min(size, find_first(lambda n: probability_at_least(before, n, rate) >= power, first(before)) or size)
    return size if size <= MOST_CONVERSATIONS else None


def find_first(holds: Callable[[int], bool], start: int = 1) -> int | None:
    """The smallest number from `start` that holds, where every larger one does too; None if ten million do not."""
    most = MOST_CONVERSATIONS
    step, below = 1, start - 1
    while not holds(min(below + step, most)):
        below = min(below + step, most)
        if below == most:
            return None
        step *= 2
    above = min(below + step, most)
    while above - below > 1:
        middle = (below + above) // 2
        if holds(middle):
            above = middle
        else:
            below = middle
    return above


def _find_lasting(holds: Callable[[int], bool], found: int, limit: float, rate: float) -> int:
    """The number of hits from which on `holds` is true for good; it is true of `found`.

    From run to run the chance rises by the distance of rate and limit, and wavers by one conversation, because runs
    differ by one in length. So it may fall below once more, but only as long as the rise has not outgrown that.
    """
    wavering = ceil(4 * limit / abs(limit - rate)) + 16
    failing = next((hits for hits in range(found + wavering, found, -1) if not holds(hits)), found - 1)
    return failing + 1
