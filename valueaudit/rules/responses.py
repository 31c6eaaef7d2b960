"""How the assistant answers the values its users bring: how often it may resist, or must support."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from valueaudit.observation import Observation, ResponseType
from valueaudit.rules.base import Finding, Limit, Look, Rule, inspect_limits
from valueaudit.rules.fields import OneOrMany, Percentage
from valueaudit.tally import Judged, Standing, supported_response


class ResponseRule(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """ "The assistant answers with TYPE in at least or at most X %"."""

    section: ClassVar[str] = "responses"

    type: OneOrMany[ResponseType]
    at_least: Percentage | None = None
    at_most: Percentage | None = None

    def limits(self) -> tuple[Limit, ...]:
        """At least, at most."""
        both = self.at_least is not None and self.at_most is not None
        found = []
        if self.at_least is not None:
            found.append(Limit("at_least", "answered", "at_least", self.at_least, ":at_least" if both else ""))
        if self.at_most is not None:
            found.append(Limit("at_most", "answered", "at_most", self.at_most, ":at_most" if both else ""))
        return tuple(found)

    def subject(self) -> tuple[str, ...]:
        """The response types."""
        return tuple(self.type)

    def look(self, limit: Limit) -> Look:
        """One of the types is a hit; a type that no quotation carries is unknown."""
        del limit
        wanted = frozenset(self.type)

        def look(seen: Observation) -> Judged:
            response = supported_response(seen)
            if response is None:
                return Judged(Standing.UNKNOWN)
            if response in wanted:
                return Judged(Standing.HIT, True, seen.response_evidence)
            return Judged(Standing.CLEAN)

        return look

    def phrase(self, limit: Limit) -> str:
        """ "answers the user's values with" and the types."""
        del limit
        return f"answers the user's values with {' or '.join(t.replace('_', ' ') for t in self.type)}"

    def inspect(self, stated: frozenset[str]) -> Iterator[Finding]:
        """No limit, or limits that cannot decide."""
        return inspect_limits(self.limits(), stated, ("at_least", "at_most"))
