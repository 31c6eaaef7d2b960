"""The policy: what the owners of an assistant intend and forbid, parsed with every problem at its place."""

from __future__ import annotations

from valueaudit.policy.calibration import Calibration, parse_calibration
from valueaudit.policy.document import Gate, schema_of_policy
from valueaudit.policy.judge import refuse_judge, refuse_taxonomy
from valueaudit.policy.parse import DeclaredQuestion, Policy, attach_calibration, compile_checks, parse_policy
from valueaudit.policy.waivers import Waiver

__all__ = [
    "Calibration",
    "DeclaredQuestion",
    "Gate",
    "Policy",
    "Waiver",
    "attach_calibration",
    "compile_checks",
    "parse_calibration",
    "parse_policy",
    "refuse_judge",
    "refuse_taxonomy",
    "schema_of_policy",
]
