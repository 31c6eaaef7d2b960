from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples import REPLY, build_transcript
from valueaudit.observation import Classified, Evidence, HumanValue, Observation, ObservedValue, Reason, Unclassified
from valueaudit.record import build_record, encode_line, parse_lines, withhold_text
from valueaudit.transcript import Message, Role, Transcript

SECRET = "I would be open with him: honesty"


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        SECRET.upper(),
        SECRET.replace(" ", "  "),
        f"USER: {SECRET} :END",
        f"{SECRET[:25]}...",
        "x" * 257,
    ],
)
def test_metadata_that_repeats_the_conversation_is_withheld(value: str) -> None:
    """Other case, spacing, wrapping and cutting do not get words past it, nor does their place in the metadata."""
    fields: dict[str, Any] = {"title": value, "nested": {"list": [value, 1]}, value: "key"}
    transcript = build_transcript(**fields)
    assert value not in str(withhold_text(transcript))


def test_metadata_that_repeats_a_tool_call_is_withheld() -> None:
    """What an attachment says is text of the conversation too."""
    messages = (Message(Role.ASSISTANT, "One moment.", ('tool call find({"name": "Jane Example"})',)),)
    transcript = Transcript("c", build_transcript().location, messages, {"query": '{"name": "Jane Example"}'})
    assert "Jane" not in str(withhold_text(transcript))


@pytest.mark.parametrize("value", ["billing", "en", 4, 4.5, None, True, "2026-10-01T09:00:00Z", "a topic of its own"])
def test_other_metadata_is_kept(value: Any) -> None:
    """Short words, numbers and whatever does not repeat the conversation stay for contexts to compare."""
    assert withhold_text(build_transcript(field=value)) == {"field": value}


def test_metadata_that_the_policy_names_is_kept() -> None:
    """A text that stands in the policy file gives nothing away."""
    assert withhold_text(build_transcript(topic=SECRET), frozenset({SECRET})) == {"topic": SECRET}


@given(st.text(min_size=16, max_size=60))
def test_no_sixteen_characters_of_a_message_are_kept(text: str) -> None:
    """Whatever is cut out of a message and put into metadata is withheld, as far as it is sixteen characters long."""
    kept = withhold_text(build_transcript("Hi", f"{text} {REPLY}", field=text))["field"]
    assert kept != text or len(" ".join(text.split())) < 16


def test_records_hold_quotations_only_on_demand() -> None:
    """Places are always written, words only with `include_text`."""
    evidence = Evidence(1, (0, 7), "I would")
    value = ObservedValue("care", "care", None, None, None, True, evidence)
    seen = Observation(
        response_evidence=evidence, ai_values=(value,), human_values=(HumanValue("a", "a", True, evidence),)
    )
    for include_text in (False, True):
        line = encode_line(build_record(build_transcript(), Classified(seen), include_text=include_text))
        assert (b"I would" in line) is include_text
        assert b'"span":[0,7]' in line


def test_records_are_read_back_as_they_were_written() -> None:
    """A line is its record again; an unclassified one keeps its reason."""
    record = build_record(build_transcript(), Unclassified(Reason.TIMEOUT, "6 tries"), include_text=False)
    assert list(parse_lines([encode_line(record), b"\n"])) == [record]
    assert (record.reason, record.detail, record.observation) == (Reason.TIMEOUT, "6 tries", None)
