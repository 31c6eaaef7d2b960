"""What may be laid beside what: a rate that was asked for in another way is another rate, whatever its name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from valueaudit.comparison import DocumentInfo
from valueaudit.record import ClassifierInfo, TaxonomyInfo

_SHORT_DIGEST = 12
_DIGEST = re.compile("[0-9a-f]{64}")
_PRIMED = {True: "primed", False: "not primed"}


class Judgement(Protocol):
    """Whatever was judged: by whom, and by which list of values labels were placed."""

    @property
    def classifier(self) -> ClassifierInfo:
        """Who judged."""
        ...

    @property
    def taxonomy(self) -> TaxonomyInfo:
        """Which list of values."""
        ...


def find_obstacles(base: DocumentInfo, new: DocumentInfo) -> tuple[str, ...]:
    """Why nothing in the two documents may be compared, each reason with both sides; empty where nothing stands
    against it (docs/compare.md)."""
    return (*_find_ends(base, new), *find_judging_obstacles(base, new))


def find_judging_obstacles(base: Judgement, new: Judgement) -> tuple[str, ...]:
    """As `find_obstacles`, as far as judge and taxonomy go."""
    old, now = base.classifier, new.classifier
    stated = (
        ("kind of judgement", old.assessed, now.assessed),
        ("judge", old.model, now.model),
        ("resolved model of the judge", old.resolved_model, now.resolved_model),
        ("prompt template", old.prompt_sha256, now.prompt_sha256),
        ("taxonomy", base.taxonomy.sha256, new.taxonomy.sha256),
        ("open question", _PRIMED[old.primed], _PRIMED[now.primed]),
    )
    return tuple(_differ(what, a, b) for what, a, b in stated if a != b)


def find_notes(base: DocumentInfo, new: DocumentInfo) -> tuple[str, ...]:
    """What does not forbid the comparison and should be known to whoever reads it."""
    return tuple(_find_notes(base, new))


def is_primed_alike(base: Judgement, new: Judgement) -> bool:
    """Whether the open question stood beside the same declared values, or beside none, on both sides."""
    return not base.classifier.primed or base.classifier.questions == new.classifier.questions


def find_changed_questions(base: DocumentInfo, new: DocumentInfo) -> tuple[str, ...]:
    """The declared values that were asked differently, or on one side only, by name."""
    old, now = base.classifier.questions, new.classifier.questions
    return tuple(sorted(value for value in old.keys() | now.keys() if old.get(value) != now.get(value)))


def compare_questions(values: tuple[str, ...], base: Judgement, new: Judgement) -> tuple[tuple[str, ...], bool]:
    """Why a rule about these values may not be compared; and whether that is only because BASE never asked about them,
    as after a policy has grown."""
    old, now = base.classifier.questions, new.classifier.questions
    reasons = (*_find_differences(values, old, now), *_find_confirmations(values, base, new))
    changed = [value for value in values if old.get(value) != now.get(value)]
    return reasons, bool(changed) and all(value not in old for value in changed)


def _find_differences(values: tuple[str, ...], old: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for value in values:
        before, after = old.get(value), now.get(value)
        if before == after:
            continue
        if before is None:
            yield f'BASE was not asked about "{value}"'
        elif after is None:
            yield f'NEW was not asked about "{value}"'
        else:
            yield f'"{value}" was asked differently: {_shorten(before)} in BASE, {_shorten(after)} in NEW'


def _find_confirmations(values: tuple[str, ...], base: Judgement, new: Judgement) -> Iterator[str]:
    """Values of which a hit had to be confirmed more often on one side: a hit is then not the same thing."""
    for value in values:
        before, after = (side.classifier.confirmations.get(value) for side in (base, new))
        if before is not None and after is not None and before != after:
            yield f'hits of "{value}" were to be confirmed by {before} questions in BASE, by {after} in NEW'


def _find_ends(base: DocumentInfo, new: DocumentInfo) -> Iterator[str]:
    for name, side in (("BASE", base), ("NEW", new)):
        if side.ended_early is not None:
            yield f"{name} ended early: {side.ended_early}"
        elif not side.conversations:
            yield f"{name} has no conversation"


def _find_notes(base: DocumentInfo, new: DocumentInfo) -> Iterator[str]:
    if base.sha256 == new.sha256:
        yield "BASE and NEW are the same file"
    yield from find_judging_notes(base, new)
    for name, side in (("BASE", base), ("NEW", new)):
        if side.duplicate_ids:
            yield f"{name}: {side.duplicate_ids:,} conversations repeat an id; no conversation of such an id is paired"
    if base.classifier.assessed == new.classifier.assessed == "screening":
        yield "both sides are a screening, not a judgement"


def find_judging_notes(base: Judgement, new: Judgement) -> Iterator[str]:
    """As `find_notes`, as far as the judge goes."""
    old, now = base.classifier, new.classifier
    if old.parameters != now.parameters:
        changed = {key for key, _ in _items(old.parameters) ^ _items(now.parameters)}
        yield f"the judge was called with other parameters: {', '.join(sorted(changed))}"
    if (old.provider, old.endpoint) != (now.provider, now.endpoint):
        yield "the judge was asked at another endpoint"
    if old.structured_output != now.structured_output:
        yield "the judge was held to the shape of its answers in another way"
    if not is_primed_alike(base, new):
        yield "the open question stood beside other declared values: open figures may move for that reason alone"


def _items(parameters: Mapping[str, object]) -> set[tuple[str, str]]:
    return {(key, repr(value)) for key, value in parameters.items()}


def _differ(what: str, base: str | None, new: str | None) -> str:
    stated = (f'"{_shorten(side)}"' if side is not None else "not stated" for side in (base, new))
    return f"another {what}: {' in BASE, '.join(stated)} in NEW"


def _shorten(text: str) -> str:
    """A digest by its first characters, any other text as it is."""
    return text[:_SHORT_DIGEST] if _DIGEST.fullmatch(text) else text
