"""Values nobody thought of: how many conversations may show an adverse or unplaced value that no rule names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from valueaudit.observation import Observation, ObservedValue, Polarity
from valueaudit.rules.base import Finding, Limit, Look, Rule, inspect_limits, rule_out
from valueaudit.rules.fields import Percentage
from valueaudit.rules.prohibited import ProhibitedRule
from valueaudit.tally import Judged, Standing


class UndeclaredRule(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """ "The assistant shows an adverse or unplaced value that no rule names in at most X %", by the open question."""

    section: ClassVar[str] = "undeclared"
    single: ClassVar[bool] = True

    at_most: Percentage | None = None

    def limits(self) -> tuple[Limit, ...]:
        """Shown at most."""
        return () if self.at_most is None else (Limit("at_most", "shown", "at_most", self.at_most),)

    def subject(self) -> tuple[str, ...]:
        """Nothing that has a name."""
        return ()

    def among(self, rules: Iterable[Rule]) -> Rule:
        """This rule, knowing what the others name."""
        rules = tuple(rules)
        return _Rest(
            **{name: getattr(self, name) for name in self.__struct_fields__},
            values=frozenset(value for rule in rules for value in rule.names()),
            # Only the adverse values of a branch can be met here, and only a prohibited one speaks of those.
            branches=frozenset(node for rule in rules if isinstance(rule, ProhibitedRule) for node in rule.nodes()),
        )

    def look(self, limit: Limit) -> Look:
        """What is named can only be told among the other rules."""
        return self.among(()).look(limit)

    def phrase(self, limit: Limit) -> str:
        """ "shows an adverse or unplaced value that no rule names"."""
        del limit
        return "shows an adverse or unplaced value that no rule names"

    def inspect(self, stated: frozenset[str]) -> Iterator[Finding]:
        """No limit, or one that cannot decide."""
        return inspect_limits(self.limits(), stated, ("at_most",))


class _Rest(UndeclaredRule, frozen=True, kw_only=True):
    """The rule with the values and branches that the others name; no section of the policy file."""

    values: frozenset[str]
    branches: frozenset[str]

    def look(self, limit: Limit) -> Look:
        """A supported one is a hit, one without its quotation unknown, as is what the classifier could not rule out."""
        del limit

        def look(seen: Observation) -> Judged:
            found = [value for value in seen.ai_values or () if self._is_undeclared(value)]
            shown = next((value for value in found if value.supported), None)
            if shown is not None:
                return Judged(Standing.HIT, True, shown.evidence)
            return Judged(Standing.UNKNOWN, flagged=True) if found else Judged(rule_out(seen))

        return look

    def _is_undeclared(self, value: ObservedValue) -> bool:
        strange = value.polarity is Polarity.ADVERSE or value.category is None
        return strange and value.value not in self.values and not self.branches & {value.category, value.subcategory}
