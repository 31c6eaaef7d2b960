from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valueaudit.observation import Evidence, HumanValue, Observation, ObservedValue, Polarity, Reason, ResponseType
from valueaudit.profile import CATEGORIES, build_coverage, build_profile
from valueaudit.record import BadRecordRecord, ConversationRecord, Record, Sampling
from valueaudit.report import Profile, Share
from valueaudit.tally import Tally, tally_records

EVIDENCE = Evidence(1, (0, 4))


def record(
    number: int, observation: Observation | None = None, reason: Reason | None = Reason.TIMEOUT
) -> ConversationRecord:
    """One conversation, unclassified where there is no observation."""
    return ConversationRecord(
        id=f"chat-{number}",
        source="logs/a.jsonl",
        line=number,
        pointer=None,
        metadata={},
        sampling=Sampling(),
        classified=observation is not None,
        reason=None if observation is not None else reason,
        detail=None,
        observation=observation,
        reply_sha256=None,
    )


def ai(
    value: str, category: str | None = "Social", subcategory: str | None = "Bonds", polarity: str | None = "positive"
) -> ObservedValue:
    """A supported value of the assistant."""
    return ObservedValue(value, value, category, subcategory, Polarity(polarity) if polarity else None, True, EVIDENCE)


def human(value: str) -> HumanValue:
    """A supported value of the user."""
    return HumanValue(value, value, True, EVIDENCE)


UNPLACED = ai("odd", None, None, None)
DECEPTION = ai("deception", "Protective", "Dignity", "adverse")


def shares(profile: Profile) -> Iterator[Share]:
    """Every share of a profile."""
    yield from profile.values
    yield from profile.subcategories
    yield from profile.categories
    yield from profile.human_values
    yield from profile.response_types
    yield from profile.tasks
    yield from profile.languages
    yield from profile.adverse
    yield profile.mirroring
    yield from profile.mirroring.by_response_type
    yield profile.adverse_conversations


def sample() -> Tally:
    """Six records: four classified, one of them with nothing assessed, one that failed and one that is none."""
    support, resist = ResponseType.STRONG_SUPPORT, ResponseType.STRONG_RESISTANCE
    mirrored = Observation(4, "advice", "English", support, EVIDENCE, (ai("care"),), {}, (human("care"),), False)
    adverse = Observation(3, "advice", "German", resist, EVIDENCE, (DECEPTION,), {}, (human("speed"),), True)
    silent = Observation(1, "code", "English", ResponseType.NO_VALUES, None, (ai("care"), UNPLACED), {}, (), False)
    observations = (mirrored, adverse, silent, Observation(), None)
    bad = BadRecordRecord("logs/a.jsonl", 6, None, "not a JSON object")
    return tally_records([*(record(number, seen) for number, seen in enumerate(observations, 1)), bad], {})


def test_denominators_count_the_conversations_that_were_assessed() -> None:
    """Each share is of the conversations in which that field was looked at, not of all."""
    profile = build_profile(sample())
    assert [(v.value, v.count, v.denominator) for v in profile.values] == [
        ("care", 2, 3),
        ("deception", 1, 3),
        ("odd", 1, 3),
    ]
    assert [(t.name, t.count, t.denominator) for t in profile.tasks] == [("advice", 2, 3), ("(seen once)", 1, 3)]
    assert [(t.name, t.count) for t in profile.languages] == [("English", 2), ("German", 1)]
    assert [(v.value, v.denominator) for v in profile.human_values] == [("care", 3), ("speed", 3)]
    assert profile.adverse_conversations.count == 1
    assert profile.adverse_conversations.denominator == 3
    assert profile.adverse_conversations.name == "any adverse value"


def test_unplaced_values_have_no_category_and_no_polarity() -> None:
    """What the taxonomy does not know is null, not an empty name."""
    odd = build_profile(sample()).values[2]
    assert (odd.category, odd.subcategory, odd.polarity) == (None, None, None)


def test_adverse_values_have_places_and_raise_no_category() -> None:
    """An adverse value is listed with where to look and left out of the roll-up."""
    profile = build_profile(sample())
    (adverse,) = profile.adverse
    assert (adverse.value, adverse.count, adverse.denominator, adverse.polarity) == ("deception", 1, 3, "adverse")
    assert [(e.conversation, e.line, e.message) for e in adverse.examples] == [("chat-2", 2, 1)]
    assert profile.categories[0].name == "Social"
    assert {c.name: c.count for c in profile.categories}["Protective"] == 0
    assert [(s.name, s.category, s.count) for s in profile.subcategories] == [("Bonds", "Social", 2)]


def test_all_response_types_are_listed_in_the_published_order() -> None:
    """A type that never occurs is a zero, not a gap."""
    profile = build_profile(sample())
    assert [r.name for r in profile.response_types] == [kind.value for kind in ResponseType]
    assert [r.count for r in profile.response_types] == [1, 0, 0, 0, 0, 1, 1]
    assert {r.denominator for r in profile.response_types} == {3}


def test_mirroring_is_of_conversations_with_a_stated_value() -> None:
    """The denominator is where the user states a value, overall and for each response type."""
    mirroring = build_profile(sample()).mirroring
    assert (mirroring.count, mirroring.denominator, mirroring.rate) == (1, 2, 0.5)
    assert [(m.name, m.count, m.denominator) for m in mirroring.by_response_type] == [
        ("strong_support", 1, 1),
        ("strong_resistance", 0, 1),
    ]


def test_mirroring_without_a_response_type_is_kept_apart() -> None:
    """A conversation whose response was not assessed still counts."""
    tally = tally_records([record(1, Observation(ai_values=(), human_values=(human("care"),)))], {})
    (only,) = build_profile(tally).mirroring.by_response_type
    assert (only.name, only.count, only.denominator) == ("not assessed", 0, 1)


def test_nothing_assessed_has_no_rate() -> None:
    """Without a denominator the rate is null and the interval says nothing."""
    profile = build_profile(Tally())
    assert {share.rate for share in shares(profile)} == {None}
    assert {share.interval for share in shares(profile)} == {(0.0, 1.0)}
    assert [c.name for c in profile.categories] == sorted(CATEGORIES)
    assert not any((profile.values, profile.tasks, profile.languages, profile.human_values, profile.adverse))


def test_another_taxonomy_has_its_own_categories() -> None:
    """The categories that are shown at zero are those of the taxonomy in use."""
    assert [c.name for c in build_profile(Tally(), categories=("A", "B")).categories] == ["A", "B"]


def test_interval_is_two_sided_clopper_pearson() -> None:
    """Zero of ten excludes 30.85% and more at two-sided 95% (1 - 0.025 ** (1 / 10))."""
    tally = Tally(adverse_assessed=10)
    lower, upper = build_profile(tally).adverse_conversations.interval
    assert lower == 0
    assert upper == pytest.approx(1 - 0.025**0.1)


def test_coverage_adds_up() -> None:
    """Found is sampled and not sampled; sampled is classified and unclassified, with its reasons."""
    tally = sample()
    tally.add(record(7, reason=Reason.CONTEXT_WINDOW), {})
    tally.add(record(8, reason=Reason.CONTEXT_WINDOW), {})
    coverage = build_coverage(tally, 3, not_sampled=10)
    assert (coverage.found, coverage.sampled, coverage.classified, coverage.unclassified) == (17, 7, 4, 3)
    assert (coverage.bad_records, coverage.subjective, coverage.duplicate_ids) == (1, 2, 3)
    assert list(coverage.reasons.items()) == [("longer than the judge's context", 2), ("timeout", 1)]


_observations = st.builds(
    Observation,
    subjectivity=st.none() | st.integers(1, 4),
    task=st.sampled_from([None, "advice", "code"]),
    language=st.sampled_from([None, "English", "German"]),
    response_type=st.none() | st.sampled_from(ResponseType),
    response_evidence=st.sampled_from([None, EVIDENCE]),
    ai_values=st.none() | st.lists(st.sampled_from([ai("care"), DECEPTION, UNPLACED])).map(tuple),
    declared=st.just({}),
    human_values=st.none() | st.lists(st.sampled_from([human("care"), human("speed")])).map(tuple),
    adverse=st.sampled_from([None, True, False]),
)


@st.composite
def _records(draw: st.DrawFn) -> list[Record]:
    observations = draw(st.lists(st.none() | _observations, max_size=12))
    return [record(number, seen) for number, seen in enumerate(observations, 1)]


@given(records=_records(), cut=st.integers(0, 12))
@settings(deadline=None)
def test_profile_of_merged_tallies_is_the_profile_of_the_whole(records: list[Record], cut: int) -> None:
    """However the records are split and in whatever order the parts are added, the report is the same."""
    whole = tally_records(records, {})
    first, second = tally_records(records[:cut], {}), tally_records(reversed(records[cut:]), {})
    assert build_profile(second + first) == build_profile(whole)
    assert build_coverage(second + first) == build_coverage(whole)


@given(_records())
@settings(deadline=None)
def test_every_share_is_sound_and_sorted(records: list[Record]) -> None:
    """Counts lie within their denominators, rates within their intervals, and the most frequent comes first."""
    profile = build_profile(tally_records(records, {}))
    for share in shares(profile):
        assert 0 <= share.count <= share.denominator
        assert 0 <= share.interval[0] <= (share.rate or 0) <= share.interval[1] <= 1
    for first, second in pairwise(profile.values):
        assert (-first.count, first.value) <= (-second.count, second.value)
    assert all(share.count for share in (*profile.values, *profile.subcategories, *profile.tasks, *profile.adverse))
