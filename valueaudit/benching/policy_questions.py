"""The values of a policy as questions, answered by its own rules, so that a calibration is of the whole pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from valueaudit.benching.labels import LabelledValue, Labels
from valueaudit.benching.questions import Question, build_yes_no
from valueaudit.observation import Observation, Polarity
from valueaudit.policy import Policy
from valueaudit.rules.base import Look, ValueRule
from valueaudit.tally import Standing
from valueaudit.taxonomy import Taxonomy

PREFIX = "policy: "
_ANSWERS = {Standing.HIT: True, Standing.CLEAN: False}


def build_policy_questions(policy: Policy, taxonomy: Taxonomy) -> tuple[Question, ...]:
    """One question for each value or branch of which the policy limits how often it is upheld or shown.

    The judge's answer is what the first rule about it makes of an observation, confirmation included.
    """
    looks: dict[str, tuple[ValueRule, Look]] = {}
    for value, rule, look in _find_looks(policy):
        looks.setdefault(value, (rule, look))
    return tuple(
        build_yes_no(f"{PREFIX}{value}", _labelled(value, rule, taxonomy), _seen(look))
        for value, (rule, look) in looks.items()
    )


def _find_looks(policy: Policy) -> Iterator[tuple[str, ValueRule, Look]]:
    for rule in policy.rules:
        if isinstance(rule, ValueRule):
            for limit in rule.limits():
                if limit.counts != "violated":
                    yield from ((value, rule, replace(rule, value=(value,)).look(limit)) for value in rule.value)


def _seen(look: Look) -> Callable[[Observation], bool | None]:
    return lambda seen: _ANSWERS.get(look(seen).standing)


def _labelled(value: str, rule: ValueRule, taxonomy: Taxonomy) -> Callable[[Labels], bool | None]:
    polarity = Polarity.POSITIVE if rule.question == "intended" else Polarity.ADVERSE
    known = taxonomy.find(value)
    is_adverse = known is not None and known.polarity is Polarity.ADVERSE

    def find(labels: Labels) -> bool | None:
        if value in labels.declared:
            return labels.declared[value]
        if value in rule.nodes():
            return _shows(value, polarity, labels.ai_values)
        # an open list of values proves what it names; what it leaves out nobody was asked about
        return _names_adverse(value, labels) if is_adverse else None

    return find


def _shows(node: str, polarity: Polarity, values: tuple[LabelledValue, ...] | None) -> bool | None:
    """Whether any of the values belongs to the branch with this polarity; None where that of one is not known."""
    if values is None:
        return None
    found = {value.polarity for value in values if node in (value.category, value.subcategory)}
    if polarity in found:
        return True
    return None if None in found else False


def _names_adverse(value: str, labels: Labels) -> bool | None:
    if labels.adverse is False:
        return False
    return True if any(each.value == value for each in labels.ai_values or ()) else None
