"""How many conversations a change since a baseline needs: the baseline is there, so its share of the doubt is known.

A change is settled as `drifting` settles it, here of two independent samples. What speaks against a rule is a hit under
a ceiling and a miss above a floor: one arithmetic serves both.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import isclose

from valueaudit.acceptance import Counts, find_min_units
from valueaudit.comparing.differences import Estimate, estimate_rate, square_and_add
from valueaudit.comparing.measuring import WORSE
from valueaudit.drifting import estimate_extremes
from valueaudit.planning.plans import NOT_JUDGED, TOO_MANY, Aim, CheckPlan, PlanTerms
from valueaudit.planning.sizes import find_few_enough, find_first, find_too_many
from valueaudit.rules import Check
from valueaudit.rules.fields import sign_points
from valueaudit.statistics import probability_at_least, probability_at_most


def plan_change(check: Check, base: Counts | str, rate: float | None, terms: PlanTerms) -> CheckPlan:
    """The plan of one check of a change. `base` is what its baseline counted, or why it cannot be used.

    Without a `rate` that of the baseline is assumed, among its conversations that were judged.
    """
    if isinstance(base, str):
        return CheckPlan(check, None, "pass", None, base)
    if not base.judged:
        return CheckPlan(check, None, "pass", None, "its baseline holds no conversation that was judged for it")
    before = base.low / base.judged
    true = before if rate is None else rate
    worsened = true - before if _rises(check) else before - true
    if isclose(worsened, check.limit, abs_tol=1e-12):
        return CheckPlan(check, true, "pass", None, "no sample tells a change from the margin it lies on")
    aim: Aim = "pass" if worsened < check.limit else "fail"
    needed = _size(check, base, true, aim, terms)
    if needed is None:
        return CheckPlan(check, true, aim, None, _explain(check, base, true, aim, terms))
    return CheckPlan(check, true, aim, max(needed, find_min_units(check, terms.gate)) if aim == "pass" else needed)


@lru_cache(maxsize=4096)
def size_to_stay(base: Estimate, margin: float, confidence: float, rate: float, power: float) -> int | None:
    """From which size on a sample proves that a rate is at most `margin` above that of `base`; None above ten million.

    `rate` is the true rate of the sample, unjudged conversations included. Of an endless sample the bound of the
    change is `rate` less the lower bound of the baseline: what lies between that and its rate no sample takes away.
    """
    limit = base.lower + margin
    if not rate < limit:
        return None
    return find_few_enough(_settle_stay(base, margin, confidence), limit, rate, power)


@lru_cache(maxsize=4096)
def size_to_worsen(base: Estimate, margin: float, confidence: float, rate: float, power: float) -> int | None:
    """As `size_to_stay`, to prove that a rate is more than `margin` above that of `base`."""
    limit = base.upper + margin
    if not limit < rate:
        return None
    return find_too_many(_settle_worse(base, margin, confidence), limit, rate, power)


def _settle_stay(base: Estimate, margin: float, confidence: float) -> Callable[[int, int], bool]:
    return lambda hits, size: square_and_add(estimate_rate(hits, size, confidence), base)[1] <= margin


def _settle_worse(base: Estimate, margin: float, confidence: float) -> Callable[[int, int], bool]:
    return lambda hits, size: square_and_add(estimate_rate(hits, size, confidence), base)[0] > margin


def _rises(check: Check) -> bool:
    return check.against is not None and WORSE[check.against.direction] == "increase"


def _confidence(aim: Aim, terms: PlanTerms) -> float:
    return terms.gate.confidence if aim == "pass" else 1 - terms.alpha / terms.family


def _size(check: Check, base: Counts, rate: float, aim: Aim, terms: PlanTerms) -> int | None:
    size, confidence = size_to_stay if aim == "pass" else size_to_worsen, _confidence(aim, terms)
    estimate = _estimate_base(check, base, aim, confidence)
    return size(estimate, check.limit, confidence, _expect(check, rate, aim, terms), terms.power)


def _estimate_base(check: Check, base: Counts, aim: Aim, confidence: float) -> Estimate:
    """The baseline's share that speaks against the check: the least it may be for a PASS, else the most."""
    low, high = estimate_extremes(base, confidence)
    if _rises(check):
        return low if aim == "pass" else high
    seen = high if aim == "pass" else low
    return Estimate(1 - seen.rate, 1 - seen.upper, 1 - seen.lower)


def _expect(check: Check, rate: float, aim: Aim, terms: PlanTerms) -> float:
    """The share of new conversations that will speak against the check, those that nobody judges counted with `aim`."""
    against = (rate if _rises(check) else 1 - rate) * (1 - terms.unclassified)
    return against + terms.unclassified if aim == "pass" else against


def _explain(check: Check, base: Counts, rate: float, aim: Aim, terms: PlanTerms) -> str:
    """Why no size settles a change: the conversations that are not judged, or the baseline, and which one would do."""
    estimate = _estimate_base(check, base, aim, _confidence(aim, terms))
    change = _expect(check, rate, aim, terms) - estimate.rate
    if (change >= check.limit) if aim == "pass" else (change <= check.limit):
        return NOT_JUDGED
    own = estimate.rate - estimate.lower if aim == "pass" else estimate.upper - estimate.rate
    if (change + own < check.limit) if aim == "pass" else (change - own > check.limit):
        return TOO_MANY
    doubt = f"it cannot be proven with this baseline: its own uncertainty is {sign_points(own).removeprefix('+')}"
    enough = _size_of_both(check, base, rate, aim, terms)
    if enough is None:
        return f"{doubt}, and no baseline of ten million would do"
    return f"{doubt}; a baseline of about {_round_up(enough):,} with the same rate, and as many now, would do"


def _size_of_both(check: Check, base: Counts, rate: float, aim: Aim, terms: PlanTerms) -> int | None:
    """How many conversations in a baseline of the same shares, and as many now, settle a change with the power."""
    confidence, expected = _confidence(aim, terms), _expect(check, rate, aim, terms)

    def holds(size: int) -> bool:
        # Rounded as `conversations_needed` does: an answer never rests on it.
        scaled = base.scale(base.low * size // base.total, -(-base.high * size // base.total), size)
        estimate = _estimate_base(check, scaled, aim, confidence)
        if aim == "pass":
            stays = _settle_stay(estimate, check.limit, confidence)
            past = find_first(lambda hits: hits > size or not stays(hits, size), 0)
            return bool(past) and probability_at_most((past or 0) - 1, size, expected) >= terms.power
        worse = _settle_worse(estimate, check.limit, confidence)
        fewest = find_first(lambda hits: hits > size or worse(hits, size)) or size + 1
        return fewest <= size and probability_at_least(fewest, size, expected) >= terms.power

    return find_first(holds)


def _round_up(number: int) -> int:
    """Two significant digits, upwards: hits are whole, so a few more may be needed than the first that do."""
    places = max(len(str(number)) - 2, 0)
    return int(-(-number // 10**places) * 10**places)
