"""How many conversations a policy needs, worked out before anybody pays for them."""

from __future__ import annotations

from valueaudit.planning.checks import assume_rate, plan_checks
from valueaudit.planning.plans import CheckPlan
from valueaudit.planning.sizes import size_to_fail, size_to_pass

__all__ = ["CheckPlan", "assume_rate", "plan_checks", "size_to_fail", "size_to_pass"]
