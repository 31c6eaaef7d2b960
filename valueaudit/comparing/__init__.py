"""Two audits side by side: what may be compared, by how much each rate changed, whether that is for the worse."""

from __future__ import annotations

from valueaudit.comparing.figures import Facts, compare
from valueaudit.comparing.ledger import Ledger
from valueaudit.comparing.measuring import Drift, Overlay, Terms, build_overlay, find_drift
from valueaudit.comparing.rules import Ruled, find_policy_rules, find_report_rules
from valueaudit.comparing.sides import Side, build_records_side, build_report_side

__all__ = [
    "Drift",
    "Facts",
    "Ledger",
    "Overlay",
    "Ruled",
    "Side",
    "Terms",
    "build_overlay",
    "build_records_side",
    "build_report_side",
    "compare",
    "find_drift",
    "find_policy_rules",
    "find_report_rules",
]
