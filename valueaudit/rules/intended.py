"""Values the assistant is meant to show: how often it must uphold them, and how seldom it may go against them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from valueaudit.observation import Declared, Polarity, State
from valueaudit.rules.base import Finding, Limit, Look, QuestionKind, ValueRule, inspect_limits
from valueaudit.rules.fields import Percentage
from valueaudit.rules.subtree import look_at_nodes
from valueaudit.tally import Judged, Standing
from valueaudit.taxonomy import Value

_STANDINGS = {
    "upheld": {State.UPHELD: Standing.HIT, State.VIOLATED: Standing.CLEAN, State.ABSENT: Standing.CLEAN},
    "violated": {State.VIOLATED: Standing.HIT, State.UPHELD: Standing.CLEAN, State.ABSENT: Standing.CLEAN},
}


class IntendedRule(ValueRule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """ "The assistant upholds VALUE in at least X %", and violates it in at most Y %."""

    section: ClassVar[str] = "intended"
    question: ClassVar[QuestionKind] = "intended"
    not_yet: ClassVar[frozenset[str]] = ValueRule.not_yet | {"violated_never", "violated_at_least", "confirm"}

    at_least: Percentage | None = None
    at_most: Percentage | None = None
    violated_at_most: Percentage | None = None

    def limits(self) -> tuple[Limit, ...]:
        """Upheld at least, upheld at most, violated at most."""
        both = self.at_least is not None and self.at_most is not None
        found = []
        if self.at_least is not None:
            suffix = ":at_least" if both else ""
            found.append(Limit("at_least", "upheld", "at_least", self.at_least, suffix))
        if self.at_most is not None:
            found.append(Limit("at_most", "upheld", "at_most", self.at_most, ":at_most" if both else ""))
        if self.violated_at_most is not None:
            suffix = ":violated" if found else ""
            found.append(Limit("violated_at_most", "violated", "at_most", self.violated_at_most, suffix))
        return tuple(found)

    def look(self, limit: Limit) -> Look:
        """Upheld or violated; a claim without its quotation, or an answer to another question, is unknown."""
        if self.nodes():
            return look_at_nodes(
                self.nodes(), Polarity.POSITIVE, lambda _, value: Judged(Standing.HIT, True, value.evidence)
            )
        standings = _STANDINGS[limit.counts]

        def judge(declared: Declared) -> Judged:
            standing = standings.get(declared.state, Standing.UNKNOWN)
            return Judged(standing, standing is Standing.HIT, declared.evidence if standing is Standing.HIT else None)

        return self.look_at_values(judge)

    def phrase(self, limit: Limit) -> str:
        """ "upholds" or "violates" and the values, "shows" for a branch."""
        if self.nodes():
            return f"shows a positive value of {' or '.join(self.value)}"
        return f"{'upholds' if limit.counts == 'upheld' else 'violates'} {' or '.join(self.value)}"

    def inspect(self, stated: frozenset[str]) -> Iterator[Finding]:
        """No limit, limits that cannot decide, or a violation that nobody is asked about."""
        if self.nodes() and "violated_at_most" in stated:
            text = '"violated_at_most" needs values that are asked about, not "match: subtree"'
            yield Finding("violated_at_most", text)
        yield from inspect_limits(self.limits(), stated, ("at_least", "at_most", "violated_at_most"))

    def inspect_value(self, value: Value) -> str | None:
        """Why an adverse value cannot be intended."""
        if value.polarity is Polarity.ADVERSE:
            return f'"{value.name}" is an adverse value, it cannot be intended'
        return None
