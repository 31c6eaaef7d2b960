"""Shares corrected for the judge's own errors, with the uncertainty of how well those are known.

Rogan and Gladen 1978, American Journal of Epidemiology 107, 71-76: of a true rate r the judge flags
q = r Se + (1 - r)(1 - Sp). Each bound takes the worst of its ingredients, the risk split among them (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from valueaudit.statistics import lower_bound, upper_bound


class JudgeCounts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a judge stood to labels by people: conversations that show a value and those that do not."""

    true_positives: int
    false_negatives: int
    true_negatives: int
    false_positives: int


@dataclass(frozen=True, slots=True)
class Correction:
    """What is known of the judge's errors on each value of a rule, of which any one counts as a hit."""

    judged: tuple[JudgeCounts, ...]

    def least_sensitivity(self, risk: float) -> float:
        """The lower bound of how often a conversation that shows one of the values is flagged."""
        each = 1 - risk / len(self.judged)
        return min(lower_bound(j.true_positives, j.true_positives + j.false_negatives, each) for j in self.judged)

    def most_sensitivity(self, risk: float) -> float:
        """The upper bound of the same; 1 for several values, whose flags may add up."""
        if len(self.judged) > 1:
            return 1.0
        (j,) = self.judged
        return upper_bound(j.true_positives, j.true_positives + j.false_negatives, 1 - risk)

    def least_specificity(self, risk: float) -> float:
        """The lower bound of how often one that shows none of the values is not flagged; wrong flags may add up."""
        each = 1 - risk / len(self.judged)
        wrong = (upper_bound(j.false_positives, j.false_positives + j.true_negatives, each) for j in self.judged)
        return max(0.0, 1 - sum(wrong))

    def expect_flagged(self, rate: float) -> float:
        """The share of conversations that such a judge flags at a true rate, by the middle of what is known of it."""
        found = [j.true_positives / (j.true_positives + j.false_negatives) for j in self.judged]
        wrong = sum(j.false_positives / (j.false_positives + j.true_negatives) for j in self.judged)
        return rate * sum(found) / len(found) + (1 - rate) * min(1.0, wrong)

    def correct_upper(self, bound: Callable[[float], float], risk: float) -> float:
        """The upper bound of the true rate; `bound` gives that of the flagged rate at a one-sided confidence.

        No flag is taken for wrong, which is the worst case: q / Se falls to the true rate from above.
        """
        sensitivity = self.least_sensitivity(risk / 2)
        return min(1.0, bound(1 - risk / 2) / sensitivity) if sensitivity else 1.0

    def correct_lower(self, bound: Callable[[float], float], risk: float) -> float:
        """The lower bound of the true rate: as many flags as possible are wrong, as few hits as possible are missed."""
        flagged, wrong = bound(1 - risk / 3), 1 - self.least_specificity(risk / 3)
        right = self.most_sensitivity(risk / 3) - wrong
        return min(1.0, (flagged - wrong) / right) if flagged > wrong and right > 0 else 0.0
