"""Change since an earlier audit: no limit says how much is right, only how much worse than before is too much."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from valueaudit.rules.base import Direction, Finding, Limit, Rule
from valueaudit.rules.fields import OneOrMany, Points, Text

MARGINS: dict[Direction, str] = {"at_most": "max_increase", "at_least": "max_decrease"}


class DriftRule(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """ "No more than X pp worse than in BASELINE", for the limits of other rules: what each counts is as they say."""

    section: ClassVar[str] = "drift"

    baseline: Text
    rules: OneOrMany[str]
    max_increase: Points | None = None
    max_decrease: Points | None = None

    def limits(self) -> tuple[Limit, ...]:
        """The margins: of what must not rise, of what must not fall."""
        return tuple(
            Limit(key, "change", "at_most", margin)
            for direction, key in MARGINS.items()
            if (margin := self.find_margin(direction)) is not None
        )

    def find_margin(self, direction: Direction) -> float | None:
        """The largest change for the worse of a limit in this direction, None where such limits are not held."""
        return self.max_increase if direction == "at_most" else self.max_decrease

    def subject(self) -> tuple[str, ...]:
        """Nothing of its own: the rules that it names say what is counted."""
        return ()

    def inspect(self, stated: frozenset[str]) -> Iterator[Finding]:
        """No margin, one that cannot decide, a baseline that is no file, keys that belong to the rules it names."""
        for key in sorted(stated & {"in", "of"}):
            yield Finding(key, f'"{key}" is not for drift: what is counted is as the rules say that "rules" names')
        if self.baseline.strip() in ("", "-") and "baseline" in stated:
            yield Finding("baseline", f'"baseline" is "{self.baseline}", it must name a records file')
        if not stated & {*MARGINS.values()}:
            yield Finding("", f"the rule states no limit, known: {', '.join(MARGINS.values())}")
        for limit in self.limits():
            if not limit.limit:
                text = f'"{limit.key}: 0pp" passes only where it got better, no sample proves that nothing changed'
                yield Finding(limit.key, text, warning=True)
