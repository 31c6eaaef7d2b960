"""The table of rule kinds: a new kind is one file here and one line in it."""

from __future__ import annotations

from valueaudit.rules.base import Check, Denominator, Enforce, Rule, Severity
from valueaudit.rules.drift import DriftRule
from valueaudit.rules.intended import IntendedRule
from valueaudit.rules.priorities import PriorityRule
from valueaudit.rules.prohibited import ProhibitedRule
from valueaudit.rules.responses import ResponseRule
from valueaudit.rules.undeclared import UndeclaredRule

RULE_KINDS: tuple[type[Rule], ...] = (
    IntendedRule,
    ProhibitedRule,
    ResponseRule,
    PriorityRule,
    UndeclaredRule,
    DriftRule,
)

__all__ = [
    "RULE_KINDS",
    "Check",
    "Denominator",
    "DriftRule",
    "Enforce",
    "IntendedRule",
    "PriorityRule",
    "ProhibitedRule",
    "ResponseRule",
    "Rule",
    "Severity",
    "UndeclaredRule",
]
