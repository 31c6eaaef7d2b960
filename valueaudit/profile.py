"""The measurement in figures: a tally knows counts, a reader needs rates with their denominators and intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypedDict, TypeVar

from valueaudit.observation import Polarity, ResponseType
from valueaudit.record import Coverage
from valueaudit.report import AdverseShare, Mirroring, NamedShare, Profile, SubcategoryShare, ValueShare
from valueaudit.sightings import build_example
from valueaudit.statistics import build_interval
from valueaudit.tally import Place, Tally

CATEGORIES = ("Practical", "Epistemic", "Social", "Protective", "Personal")
CONFIDENCE = 0.95
SEEN_ONCE = "(seen once)"
ANY_ADVERSE = "any adverse value"
NOT_ASSESSED = "not assessed"


class _Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


_Key = TypeVar("_Key", bound=_Ordered)


class _Figures(TypedDict):
    count: int
    denominator: int
    rate: float | None
    interval: tuple[float, float]


class _Placement(TypedDict):
    value: str
    category: str | None
    subcategory: str | None
    polarity: Polarity | None


def build_profile(tally: Tally, *, categories: Sequence[str] = CATEGORIES) -> Profile:
    """Every share of conversations in a tally, most frequent first, then by name.

    Only what was seen has a row; response types and `categories` have one even at zero. Each denominator counts the
    conversations in which that field was assessed (docs/report.md); rates lie in [0, 1], intervals are two-sided 95%.
    """
    assessed = tally.values_assessed
    return Profile(
        values=_share_values(tally.values, assessed),
        subcategories=tuple(
            SubcategoryShare(name=name, category=category, **_figure(count, assessed))
            for (name, category), count in _ranked({(s, c): count for (c, s), count in tally.subcategories.items()})
        ),
        categories=_share_names({**dict.fromkeys(categories, 0), **tally.categories}, assessed, keep_zero=True),
        human_values=_share_values(tally.human_values, tally.human_assessed),
        response_types=tuple(
            NamedShare(name=kind.value, **_figure(tally.responses[kind], tally.responses_assessed))
            for kind in ResponseType
        ),
        tasks=_share_names(_group_rare(tally.tasks), tally.tasks.total()),
        languages=_share_names(tally.languages, tally.languages.total()),
        mirroring=_build_mirroring(tally),
        adverse=_share_adverse(tally),
        adverse_conversations=NamedShare(
            name=ANY_ADVERSE, **_figure(tally.adverse_conversations, tally.adverse_assessed)
        ),
    )


def build_coverage(tally: Tally, duplicate_ids: int = 0, *, not_sampled: int = 0) -> Coverage:
    """How much of what was found was looked at; `not_sampled` conversations were found and left out by sampling."""
    reasons = {reason.value: count for reason, count in tally.reasons.items()}
    return Coverage(
        found=tally.sampled + not_sampled,
        sampled=tally.sampled,
        classified=tally.classified,
        unclassified=tally.reasons.total(),
        bad_records=tally.bad_records,
        subjective=tally.subjective,
        unsupported_labels=tally.unsupported_labels,
        reasons=dict(_ranked(reasons)),
        duplicate_ids=duplicate_ids,
    )


def _figure(count: int, denominator: int) -> _Figures:
    return _Figures(
        count=count,
        denominator=denominator,
        rate=count / denominator if denominator else None,
        interval=_interval(count, denominator),
    )


# An open vocabulary has a long tail of labels with the same small counts.
@lru_cache(maxsize=4096)
def _interval(count: int, denominator: int) -> tuple[float, float]:
    return build_interval(count, denominator, CONFIDENCE)


def _share_names(counts: Mapping[str, int], denominator: int, *, keep_zero: bool = False) -> tuple[NamedShare, ...]:
    return tuple(
        NamedShare(name=name, **_figure(count, denominator)) for name, count in _ranked(counts) if count or keep_zero
    )


def _group_rare(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts with all that was seen once under one name: a task of one conversation tells of one person."""
    rare = sum(count for count in counts.values() if count == 1)
    return {**{name: count for name, count in counts.items() if count > 1}, SEEN_ONCE: rare}


def _share_values(counts: Mapping[Place, int], denominator: int) -> tuple[ValueShare, ...]:
    return tuple(ValueShare(**_placement(place), **_figure(count, denominator)) for place, count in _ranked(counts))


def _share_adverse(tally: Tally) -> tuple[AdverseShare, ...]:
    counts = {value: count.conversations for value, count in tally.adverse.items()}
    return tuple(
        AdverseShare(
            **_placement(tally.adverse[value].place),
            **_figure(count, tally.adverse_assessed),
            examples=tuple(build_example(sighting) for sighting in tally.adverse[value].examples.kept),
        )
        for value, count in _ranked(counts)
    )


def _build_mirroring(tally: Tally) -> Mirroring:
    stated = tally.with_human_values
    kinds: Iterable[ResponseType | None] = (*ResponseType, None)
    return Mirroring(
        **_figure(tally.mirrored.total(), stated.total()),
        by_response_type=tuple(
            NamedShare(name=kind or NOT_ASSESSED, **_figure(tally.mirrored[kind], stated[kind]))
            for kind in kinds
            if stated[kind]
        ),
    )


def _placement(place: Place) -> _Placement:
    return _Placement(
        value=place.value,
        category=place.category or None,
        subcategory=place.subcategory or None,
        polarity=Polarity(place.polarity) if place.polarity else None,
    )


def _ranked(counts: Mapping[_Key, int]) -> list[tuple[_Key, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
