"""What a plan is made by and what it says, in one place for limits and for changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from valueaudit.policy import Gate
from valueaudit.rules import Check

Aim = Literal["pass", "fail"]

TOO_MANY = "more than ten million conversations"
NOT_JUDGED = "too many conversations are not judged"


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """What one check needs. `rate` is the true rate it is planned for, `aim` the verdict that this rate deserves.

    `needed` conversations or more reach that verdict with at least the power asked for; None where no ten million do,
    and then `reason` says why. `rate` is None where nobody knows one: of a change whose baseline cannot be used.
    """

    check: Check
    rate: float | None
    aim: Aim
    needed: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """What all checks are planned by; `family` is how many checks a FAIL is corrected for."""

    gate: Gate
    power: float
    unclassified: float
    family: int

    @property
    def alpha(self) -> float:
        """The risk of a wrong verdict on one check alone."""
        return 1 - self.gate.confidence
