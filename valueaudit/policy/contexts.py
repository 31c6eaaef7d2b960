"""Contexts: which conversations a rule speaks of, and what is known of that when the judge could not say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from valueaudit.observation import ResponseType
from valueaudit.record import WITHHELD, ConversationRecord
from valueaudit.rules.base import Denominator, FindCluster, Membership, Scope
from valueaudit.tally import supported_response

Context = dict[str, tuple[str, ...]]
Find = Callable[[ConversationRecord], Membership]

METADATA = "metadata."
JUDGED_KEYS = ("task", "language", "response_type")
KNOWN_KEYS = (f"{METADATA}<field>", "model", *JUDGED_KEYS)
_INTEGER = re.compile(r"-?[0-9]{1,400}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)


def inspect_context(context: Context) -> Iterator[tuple[str, str]]:
    """What is wrong with a context: the key and the problem."""
    if not context:
        yield "", f"the context has no key, known: {', '.join(KNOWN_KEYS)}"
    for key, wanted in context.items():
        if key.startswith(METADATA):
            if not all(key.split(".")):
                yield key, f'"{key}" must name a field, as in "metadata.topic"'
        elif key not in ("model", *JUDGED_KEYS):
            yield key, f'unknown key "{key}", known: {", ".join(KNOWN_KEYS)}'
        elif key == "response_type":
            known = list(ResponseType)
            for text in wanted:
                if text not in known:
                    yield key, f'"response_type" is "{text}", known: {", ".join(known)}'


def build_scope(contexts: Iterable[Context], of: Denominator) -> Scope:
    """Who belongs to all of the contexts and to the denominator."""
    keys = [(key, wanted) for context in contexts for key, wanted in context.items()]
    finds = [_build_find(key, wanted) for key, wanted in keys]
    rests_on_judge = of is not Denominator.ALL or any(key in JUDGED_KEYS for key, _ in keys)
    if of is Denominator.SUBJECTIVE:
        finds.append(_find_subjective)
    elif of is Denominator.VALUE_BEARING:
        finds.append(_find_value_bearing)

    def find(record: ConversationRecord) -> Membership:
        found = {find(record) for find in finds}
        for membership in (Membership.OUTSIDE, Membership.UNKNOWN):
            if membership in found:
                return membership
        return Membership.INSIDE

    return Scope(find, rests_on_judge)


def build_find_cluster(key: str) -> FindCluster:
    """What the conversations that depend on each other share, as JSON; None where a record does not have the field.

    Texts that were withheld for privacy may have been one and the same: they are one cluster.
    """
    path = key.removeprefix(METADATA).split(".")

    def find(record: ConversationRecord) -> str | None:
        values = [value for value in _find_values(record.metadata, path) if value is not None]
        if any(isinstance(value, str) and value.startswith(WITHHELD) for value in values):
            return WITHHELD
        return json.dumps(values, sort_keys=True, default=str) if values else None

    return find


def _build_find(key: str, wanted: tuple[str, ...]) -> Find:
    if key in JUDGED_KEYS:
        return _build_judged_find(key, wanted)
    path = ["model"] if key == "model" else key.removeprefix(METADATA).split(".")
    texts = frozenset(wanted)
    numbers = frozenset(_parse_number(text) for text in wanted if _NUMBER.fullmatch(text))

    def find(record: ConversationRecord) -> Membership:
        values = list(_find_values(record.metadata, path))
        if any(_matches(value, texts, numbers) for value in values):
            return Membership.INSIDE
        # What was withheld for privacy may have been the very text that is asked for.
        withheld = any(isinstance(value, str) and value.startswith(WITHHELD) for value in values)
        return Membership.UNKNOWN if withheld else Membership.OUTSIDE

    return find


def _build_judged_find(key: str, wanted: tuple[str, ...]) -> Find:
    folded = frozenset(text.strip().casefold() for text in wanted)

    def find(record: ConversationRecord) -> Membership:
        seen = record.observation
        if seen is None:
            return Membership.UNKNOWN
        found = {"task": seen.task, "language": seen.language, "response_type": supported_response(seen)}[key]
        if found is None:
            return Membership.UNKNOWN
        return Membership.INSIDE if found.strip().casefold() in folded else Membership.OUTSIDE

    return find


def _find_subjective(record: ConversationRecord) -> Membership:
    level = None if record.observation is None else record.observation.subjectivity
    if level is None:
        return Membership.UNKNOWN
    return Membership.INSIDE if level >= 3 else Membership.OUTSIDE


def _find_value_bearing(record: ConversationRecord) -> Membership:
    values = None if record.observation is None else record.observation.ai_values
    if values is None:
        return Membership.UNKNOWN
    if any(value.supported for value in values):
        return Membership.INSIDE
    # Labels without their quotation are not observed, not absent either (docs/method.md); and a screening that found
    # nothing, which cannot say that nothing adverse is there, cannot say that nothing is there at all.
    is_silent_screening = record.observation is not None and record.observation.adverse is None
    return Membership.UNKNOWN if values or is_silent_screening else Membership.OUTSIDE


def _find_values(value: Any, path: list[str]) -> Iterator[Any]:
    """Every value at a dotted path; a list stands for each of its elements."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _find_values(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _find_values(value[path[0]], path[1:])


def _parse_number(text: str) -> int | float:
    # Long identifiers are integers that a float would round.
    return int(text) if _INTEGER.fullmatch(text) else float(text)


def _matches(value: Any, texts: frozenset[str], numbers: frozenset[int | float]) -> bool:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value] in texts
    if isinstance(value, int | float):
        return value in numbers
    return isinstance(value, str) and value in texts
