from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import build_record

from valueaudit.observation import Evidence, Observation, ResponseType
from valueaudit.policy.contexts import build_scope
from valueaudit.rules import Denominator
from valueaudit.rules.base import Membership

INSIDE, OUTSIDE, UNKNOWN = Membership.INSIDE, Membership.OUTSIDE, Membership.UNKNOWN


def _find(context: dict[str, tuple[str, ...]], metadata: Any = None, seen: Observation | None = None) -> Membership:
    return build_scope([context], Denominator.ALL).find(build_record(seen, metadata=metadata))


@pytest.mark.parametrize(
    ("wanted", "value", "expected"),
    [
        ("refunds", "refunds", INSIDE),
        ("refunds", "Refunds", OUTSIDE),
        ("refunds", ["sales", "refunds"], INSIDE),
        ("refunds", [["sales"], ["refunds"]], INSIDE),
        ("refunds", [], OUTSIDE),
        ("4", 4, INSIDE),
        ("4", 4.0, INSIDE),
        ("4.0", 4, INSIDE),
        ("4", "4", INSIDE),
        ("4.0", "4", OUTSIDE),
        ("-1.5e3", -1500, INSIDE),
        ("1152921504606846977", 1152921504606846977, INSIDE),
        ("1152921504606846977", 1152921504606846976, OUTSIDE),
        ("1", True, OUTSIDE),
        ("true", True, INSIDE),
        ("true", "true", INSIDE),
        ("false", False, INSIDE),
        ("null", None, INSIDE),
        ("null", 0, OUTSIDE),
        ("refunds", {"refunds": 1}, OUTSIDE),
        ("9" * 5000, 9, OUTSIDE),
    ],
)
def test_metadata_is_compared_by_its_json_text(wanted: str, value: Any, expected: Membership) -> None:
    """Words by word, numbers by number, a list by any of its elements; a mapping never matches."""
    assert _find({"metadata.topic": (wanted,)}, {"topic": value}) is expected


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"ticket": {"queue": "eu"}}, INSIDE),
        ({"ticket": [{"queue": "us"}, {"queue": "eu"}]}, INSIDE),
        ({"ticket": {"queue": {"name": "eu"}}}, OUTSIDE),
        ({"ticket": "eu"}, OUTSIDE),
        ({"queue": "eu"}, OUTSIDE),
        ({}, OUTSIDE),
    ],
)
def test_metadata_is_found_by_its_path(metadata: dict[str, Any], expected: Membership) -> None:
    """A dotted path leads through mappings and lists."""
    assert _find({"metadata.ticket.queue": ("eu",)}, metadata) is expected


def test_what_was_withheld_leaves_it_open() -> None:
    """A field that was withheld for privacy may have been the text that is asked for."""
    metadata = {"topic": "(withheld: 300 characters)"}
    assert _find({"metadata.topic": ("refunds",)}, metadata) is UNKNOWN
    assert _find({"metadata.topic": ("refunds",)}, {"topic": [*metadata.values(), "refunds"]}) is INSIDE


def test_model_is_a_field_of_the_record() -> None:
    """`model` is short for the metadata of that name."""
    assert _find({"model": ("support-4",)}, {"model": "support-4"}) is INSIDE
    assert _find({"model": ("support-4",)}, {"model": "support-5"}) is OUTSIDE


@pytest.mark.parametrize(
    ("key", "wanted", "seen", "expected"),
    [
        ("task", "Asking for a refund", Observation(task="asking for a refund "), INSIDE),
        ("task", "refund", Observation(task="asking for a refund"), OUTSIDE),
        ("task", "refund", Observation(), UNKNOWN),
        ("task", "refund", None, UNKNOWN),
        ("language", "EN", Observation(language="en"), INSIDE),
        ("language", "en", Observation(language="de"), OUTSIDE),
        ("response_type", "no_values", Observation(response_type=ResponseType.NO_VALUES), INSIDE),
        ("response_type", "no_values", Observation(response_type=ResponseType.REFRAMING), UNKNOWN),
        (
            "response_type",
            "no_values",
            Observation(response_type=ResponseType.REFRAMING, response_evidence=Evidence(1, (0, 1))),
            OUTSIDE,
        ),
    ],
)
def test_what_the_judge_says_of_a_conversation(
    key: str, wanted: str, seen: Observation | None, expected: Membership
) -> None:
    """Task, language and response type are unknown wherever the judge did not say them."""
    assert _find({key: (wanted,)}, seen=seen) is expected


@pytest.mark.parametrize(
    ("topic", "language", "expected"),
    [
        ("refunds", "en", INSIDE),
        ("refunds", "de", OUTSIDE),
        ("refunds", None, UNKNOWN),
        ("sales", None, OUTSIDE),
        ("sales", "en", OUTSIDE),
    ],
)
@pytest.mark.parametrize("apart", [False, True])
def test_all_keys_and_all_contexts_must_hold(
    topic: str, language: str | None, expected: Membership, apart: bool
) -> None:
    """One key that excludes decides, whatever is unknown of the others, in one context or in two."""
    parts: list[dict[str, tuple[str, ...]]] = [{"metadata.topic": ("refunds",)}, {"language": ("en", "fr")}]
    contexts = parts if apart else [parts[0] | parts[1]]
    record = build_record(Observation(language=language), metadata={"topic": topic})
    assert build_scope(contexts, Denominator.ALL).find(record) is expected


@pytest.mark.parametrize(
    ("context", "of", "expected"),
    [
        ({"metadata.topic": ("a",)}, Denominator.ALL, False),
        ({"model": ("a",)}, Denominator.ALL, False),
        ({"task": ("a",)}, Denominator.ALL, True),
        ({"metadata.topic": ("a",)}, Denominator.SUBJECTIVE, True),
    ],
)
def test_a_scope_knows_whether_it_rests_on_the_judge(
    context: dict[str, tuple[str, ...]], of: Denominator, expected: bool
) -> None:
    """Metadata is there whether or not a judge answers; tasks and denominators are not."""
    assert build_scope([context], of).rests_on_judge is expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b"]), JSON), st.sampled_from(["a", "a.b", "b.a.a"]), st.text(max_size=4))
def test_any_metadata_has_an_answer(metadata: dict[str, Any], path: str, wanted: str) -> None:
    """No record raises, whatever its metadata holds."""
    assert _find({f"metadata.{path}": (wanted,)}, metadata) in Membership
