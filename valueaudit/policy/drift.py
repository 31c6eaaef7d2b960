"""Drift rules within their policy: which limits of which rules they hold against which baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from valueaudit.policy.reader import Path, suggest
from valueaudit.policy.waivers import Remark
from valueaudit.rules import Check, DriftRule, Rule
from valueaudit.rules.base import Against, build_change_statement
from valueaudit.rules.drift import MARGINS

_MOST_NAMED = 20


def inspect_drift(path: Path, rule: DriftRule, rules: Mapping[str, Rule]) -> Iterator[Remark]:
    """What is wrong with a drift rule against the rules of its policy by id."""
    directions = set()
    for index, name in enumerate(rule.rules):
        where, named = (*path, "rules", index), rules.get(name)
        if named is None:
            known = ", ".join(list(rules)[:_MOST_NAMED])
            yield Remark(where, f'unknown rule "{name}"{suggest(name, rules)}, known: {known}')
        elif isinstance(named, DriftRule):
            yield Remark(where, f'rule "{name}" is of "drift" itself, name the rules that say what is counted')
        else:
            found = {limit.direction for limit in named.limits()}
            directions |= found
            keys = sorted(MARGINS[direction] for direction in found)
            if keys and rule.limits() and all(rule.find_margin(direction) is None for direction in found):
                yield Remark(where, f'nothing of rule "{name}" is held: state {" or ".join(keys)}')
    for name, times in Counter(rule.rules).items():
        if times > 1:
            yield Remark((*path, "rules"), f'rule "{name}" is named twice')
    for direction, key in MARGINS.items():
        if directions and direction not in directions and rule.find_margin(direction) is not None:
            limit = direction.replace("_", " ")
            yield Remark((*path, key), f'"{key}" holds nothing: none of these rules says "{limit}"')


def build_drift_checks(rule: DriftRule, rules: Mapping[str, Rule], checks: Mapping[str, list[Check]]) -> list[Check]:
    """The checks of a drift rule: one for each limit that it holds; rules and their checks by the id of the rule."""
    held = [
        (check, margin)
        for name in rule.rules
        for check in checks[name]
        if (margin := rule.find_margin(check.direction)) is not None
    ]
    return [
        replace(
            check,
            id=f"{rule.id}:{check.id}" if len(held) > 1 else rule.id,
            rule=rule.id,
            kind=rule.section,
            key=MARGINS[check.direction],
            direction="at_most",
            limit=margin,
            never=False,
            assure=None,
            severity=rule.severity,
            enforce=rule.enforce,
            min_units=rule.min_units,
            correction=None,
            statement=_state(rules[check.rule], check, margin, rule.baseline),
            against=Against(rule.baseline, check.id, check.direction, rules[check.rule].names()),
        )
        for check, margin in held
    ]


def _state(named: Rule, check: Check, margin: float, baseline: str) -> str:
    limit = next(limit for limit in named.limits() if limit.key == check.key)
    return build_change_statement(named, limit, margin, baseline)


def find_baselines(rules: Iterable[Rule]) -> tuple[str, ...]:
    """The baselines that must be read, as the policy names them, each once."""
    return tuple(dict.fromkeys(r.baseline for r in rules if isinstance(r, DriftRule) and r.enforce != "off"))
