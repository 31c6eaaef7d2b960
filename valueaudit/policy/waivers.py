"""Waivers: what somebody answered for has a name, a reason and an end, or it is no waiver."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

from msgspec import Struct

from valueaudit.policy.reader import Path, Reading, suggest
from valueaudit.rules import DriftRule, Enforce, Rule, Severity
from valueaudit.rules.fields import Day, OneOrMany, Percentage, Points, Text, build_limit

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
LIMITS = ("at_most", "at_least", "violated_at_most", "max_increase", "max_decrease")
_MOST_NAMED = 20


class Waiver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One limit of a rule replaced, or known hits accepted one by one, until the end of a day (UTC)."""

    rule: Text
    at_most: Percentage | None = None
    at_least: Percentage | None = None
    violated_at_most: Percentage | None = None
    max_increase: Points | None = None
    max_decrease: Points | None = None
    conversations: OneOrMany[Text] = ()
    reason: Text
    approved_by: Text
    expires: Day

    @property
    def last_day(self) -> date:
        """The last day on which it holds, UTC. Raises `ValueError` for what is no date."""
        return parse_day(self.expires)

    @property
    def limits(self) -> dict[str, float]:
        """The limits it states by their key; a policy without problems has at most one."""
        stated = {key: getattr(self, key) for key in LIMITS}
        return {key: limit for key, limit in stated.items() if limit is not None}

    def replaces(self, key: str) -> float | None:
        """What it puts in the place of one limit of its rule, None where it leaves that alone.

        `never` gives way to `at_most`.
        """
        return self.limits.get("at_most" if key == "never" else key)


class Remark(NamedTuple):
    """What is wrong with a waiver, at one of its fields."""

    path: Path
    text: str
    warning: bool = False


def parse_day(text: str) -> date:
    """The day that `2027-01-31` names. Raises `ValueError` with what is wrong with it."""
    if not _DAY.fullmatch(text.strip()):
        raise ValueError(f'"{text}" is no date, write for example "2027-01-31"')
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f'"{text}" is a day that no calendar has') from None


def gather_accepted(waivers: Iterable[Waiver]) -> dict[str, frozenset[str]]:
    """By rule, the conversations whose hits somebody accepted, whether that still holds or not."""
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    for waiver in waivers:
        found[waiver.rule] |= frozenset(waiver.conversations)
    return found


def inspect_waivers(
    waivers: Iterable[tuple[Path, Waiver]], rules: Mapping[str, tuple[Path, Rule]], reading: Reading
) -> Iterator[Remark]:
    """Everything that is wrong with the waivers of a policy, by themselves and against its rules by id."""
    replaced: dict[tuple[str, str], int] = {}
    known, unknown = ", ".join(list(rules)[:_MOST_NAMED]), 0
    for path, waiver in waivers:
        yield from _inspect_fields(path, waiver)
        if waiver.rule not in rules:
            # Waivers of another policy may be thousands, and difflib is slow.
            unknown += 1
            near = suggest(waiver.rule, rules) if unknown <= _MOST_NAMED else ""
            yield Remark((*path, "rule"), f'unknown rule "{waiver.rule}"{near}, known: {known}')
            continue
        place, rule = rules[waiver.rule]
        yield from _inspect_permission((*path, "rule"), rule, stated=(*place, "waivable") in reading.marks)
        if any((*path, key) in reading.marks for key in (*LIMITS, "conversations")):
            yield from _inspect_replacement(path, waiver, rule)
        else:
            keys = ", ".join([*_waivable_keys(rule), "conversations"])
            yield Remark(path, f'the waiver of rule "{rule.id}" states nothing, known: {keys}')
        line = reading.mark_of(path).line
        for key in waiver.limits:
            first = replaced.setdefault((rule.id, key), line)
            if first != line:
                yield Remark((*path, key), f'"{key}" of rule "{rule.id}" is waived already, on line {first}')


def _inspect_fields(path: Path, waiver: Waiver) -> Iterator[Remark]:
    for key in ("reason", "approved_by"):
        if not getattr(waiver, key).strip():
            yield Remark((*path, key), f'"{key}" is empty: somebody must answer for a waiver')
    try:
        parse_day(waiver.expires)
    except ValueError as error:
        yield Remark((*path, "expires"), f'"expires" is wrong: {error}')
    stated = [*waiver.limits, *(["conversations"] if waiver.conversations else [])]
    if len(stated) > 1:
        both = " and ".join(f'"{key}"' for key in stated)
        yield Remark((*path, stated[1]), f"a waiver is of one thing, this one states {both}: write two")
    twice = sorted(id for id, count in Counter(waiver.conversations).items() if count > 1)
    for id in twice:
        index = len(waiver.conversations) - 1 - waiver.conversations[::-1].index(id)
        yield Remark((*path, "conversations", index), f'the conversation "{id}" is accepted twice')


def _inspect_permission(path: Path, rule: Rule, *, stated: bool) -> Iterator[Remark]:
    if rule.severity is Severity.CRITICAL and not rule.waivable:
        yield Remark(path, f'rule "{rule.id}" is critical and not "waivable: true", it cannot be waived')
    elif stated and not rule.waivable:
        yield Remark(path, f'rule "{rule.id}" says "waivable: false", it cannot be waived')
    if rule.enforce is Enforce.OFF:
        yield Remark(path, f'rule "{rule.id}" is off, the waiver is unused', warning=True)


def _inspect_replacement(path: Path, waiver: Waiver, rule: Rule) -> Iterator[Remark]:
    limits = rule.limits()
    if waiver.conversations and isinstance(rule, DriftRule):
        yield Remark((*path, "conversations"), f'rule "{rule.id}" is of a change, no single conversation makes it')
    elif waiver.conversations and limits and not any(limit.direction == "at_most" for limit in limits):
        yield Remark(
            (*path, "conversations"), f'rule "{rule.id}" has no ceiling: a hit is what it asks for, nothing to accept'
        )
    known = _waivable_keys(rule)
    for key, value in waiver.limits.items():
        limit = next((limit for limit in limits if waiver.replaces(limit.key) is not None), None)
        percent = build_limit(key, value)
        if key not in known or limit is None:
            yield Remark((*path, key), f'rule "{rule.id}" states no "{key}", known: {", ".join(known)}')
        elif (value <= limit.limit) if limit.direction == "at_most" else (value >= limit.limit):
            text = f'"{key}: {percent}" does not relax rule "{rule.id}", which says {build_limit(key, limit.limit)}'
            yield Remark((*path, key), text)
        elif value == (1 if limit.direction == "at_most" else 0):
            yield Remark((*path, key), f'"{key}: {percent}" switches rule "{rule.id}" off while it holds', warning=True)


def _waivable_keys(rule: Rule) -> list[str]:
    return ["at_most" if limit.never else limit.key for limit in rule.limits()]
