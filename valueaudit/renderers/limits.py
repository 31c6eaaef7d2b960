"""Bounds and limit of a rule as tables show them: of a rate, or of its change since a baseline."""

from __future__ import annotations

from valueaudit.renderers.figures import format_interval, format_limit
from valueaudit.report import RuleCheck
from valueaudit.rules.fields import build_points


def format_bounds(rule: RuleCheck, *, dash: str = "–") -> str:
    """The bounds that the verdict rests on: `1.23–3.45%`, or `-0.5 to 1.2pp` worse than the baseline."""
    if rule.baseline is None:
        return format_interval((rule.lower, rule.upper), dash=dash, more=1)
    lower, upper = (f"{float(f'{bound * 100:.3g}'):g}" for bound in (rule.lower, rule.upper))
    return f"{lower} to {upper}pp"


def format_rule_limit(rule: RuleCheck, *, at_most: str = "≤", at_least: str = "≥") -> str:
    """Where the line is: `≤ 0.5%`, `≥ 60%`, `never`, or `≤ 2pp worse`."""
    if rule.baseline is not None:
        return f"{at_most} {build_points(rule.limit)} worse"
    if rule.direction == "at_most" and rule.limit == 0:
        return "never"
    return f"{at_most if rule.direction == 'at_most' else at_least} {format_limit(rule.limit)}"
