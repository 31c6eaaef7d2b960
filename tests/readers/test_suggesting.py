from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valueaudit.cli.unknown import advise_on_unknown, refuse_unknown
from valueaudit.readers.format import Record
from valueaudit.readers.mapping import parse_mapping
from valueaudit.readers.reading import Unknown, explain_unknown
from valueaudit.readers.suggesting import Suggestion, suggest_mapping
from valueaudit.transcript import BadRecord, Location

# the same examples on every machine, and no clock: a slow machine is no failure
steady = settings(deadline=None, derandomize=True, max_examples=200)
NAMES = st.sampled_from(
    (
        "speaker",
        "utterance",
        "who",
        "said",
        "dialog",
        "log",
        "text",
        "q",
        "a",
        "id",
        "call",
        "user,x",
        "/b",
        "name",
        "é",
        "=",
    )
)
VALUES = st.recursive(
    st.none() | st.integers() | st.sampled_from(("customer", "agent", "Ann", "", "Is it open?", "Until five, mostly.")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def said(*pairs: tuple[str, str], role: str = "speaker", text: str = "utterance") -> list[dict[str, Any]]:
    """Messages in the shape of these fields."""
    return [{role: speaker, text: words} for speaker, words in pairs]


@pytest.mark.parametrize(
    ("record", "mapping"),
    [
        (
            {"dialog": said(("user", "Hi"), ("assistant", "Hello"))},
            "messages=/dialog,role=/speaker,text=/utterance",
        ),
        (
            {"meta": {}, "log": {"lines": said(("Customer", "Hi"), ("agent", "Hello"))}},
            "messages=/log/lines,role=/speaker,text=/utterance,role:customer=user,role:agent=assistant",
        ),
        (
            {"turns": [{"author": {"role": "user", "name": "x"}, "payload": {"body": "Hi"}}]},
            "messages=/turns,role=/author/role,text=/payload/body",
        ),
        (said(("user", "Hi"), role="from", text="said"), "messages=,role=/from,text=/said"),
        (
            {"a/b": said(("user", "a longer text"), text="zzz")},
            "messages=/a~1b,role=/speaker,text=/zzz",
        ),
        (
            {"messages": [{"role": "user", "parts": [{"type": "text", "text": "Hi"}]}]},
            "messages=/messages,role=/role,text=/parts",
        ),
        ({"q": "Is it open?", "a": "No.", "n": 1}, "user=q,assistant=a"),
        ({"customerText": "Is it open?", "bot_text": "Until five."}, "user=customerText,assistant=bot_text"),
        ({"in": {"said, so": "Is it open?"}, "to": "Until five."}, "user=/in/said\\, so,assistant=to"),
        ({"/x": "Is it open?", "y": "Until five."}, "user=/~1x,assistant=y"),
        (
            {"call_id": 3, "speaker": "agent", "utterance": "Hi"},
            "role=speaker,text=utterance,id=call_id,role:agent=assistant",
        ),
    ],
)
def test_a_shape_that_can_be_read_gets_its_mapping(record: Any, mapping: str) -> None:
    """Lists of messages wherever they lie, one message a record, and two texts are all told by their fields."""
    assert suggest_mapping(record) == Suggestion(mapping)
    assert parse_mapping(mapping).name == f"map:{mapping}"


@pytest.mark.parametrize(
    ("record", "mapping"),
    [
        ({"d": said(("Ann", "Hi"), ("Bob, jr", "Hello"))}, "messages=/d,role=/speaker,text=/utterance"),
        ({"d": said(("Ann", "Hi"), ("user", "Hello"))}, "messages=/d,role=/speaker,text=/utterance"),
    ],
)
def test_people_are_not_named(record: Any, mapping: str) -> None:
    """Speakers that may be people are left to whoever reads the advice, and do not stand in it."""
    assert suggest_mapping(record) == Suggestion(mapping, names_speakers=False)
    advice = advise_on_unknown(record)
    assert f"--map {mapping}, with role:NAME=user" in advice
    assert "Ann" not in advice


@pytest.mark.parametrize(
    "record",
    [
        None,
        7,
        [],
        [1],
        {},
        {"name": "x", "version": "1"},
        {"d": [{"speaker": "user"}]},
        {"d": [{"speaker": "user", "utterance": 4}]},
        {"d": [{"speaker": "user", "utterance": "Hi"}, {"speaker": "user"}]},
        {"d": [{"speaker": "x=y", "utterance": "Hi"}]},
        {"d": [{"speaker": "x" * 50, "utterance": "Hi"}]},
        {"parts": [{"type": "text", "text": "Hi"}]},
        {"a b": "only one text", "n": 1},
        {"one": "a text", "two": "a text", "three": "a text"},
        {"answer": "Is it open?", "n": 1},
    ],
    ids=repr,
)
def test_nothing_is_suggested_without_a_reason(record: Any) -> None:
    """Where the shape says nothing, the advice is general."""
    assert suggest_mapping(record) is None
    assert advise_on_unknown(record).startswith("say where its texts lie: --map user=COLUMN,assistant=COLUMN")


@steady
@given(VALUES)
def test_what_is_suggested_reads_the_record(record: Any) -> None:
    """Every suggestion is a mapping by which the record is read, unless speakers must still be named."""
    found = suggest_mapping(record)
    if found is None or not found.names_speakers:
        return
    parser = parse_mapping(found.mapping).start()
    items = [*parser.feed(Record(record, Location("log"))), *parser.close()]
    assert items
    assert not [item for item in items if isinstance(item, BadRecord)]


def test_records_inside_of_a_record_are_found() -> None:
    """A wrapper around conversations that we know is taken off with a command that can be copied."""
    chat = {"messages": [{"role": "user", "content": "Hi"}]}
    assert advise_on_unknown({"export": {"chats": [chat]}}) == (
        "what lies in its \"export/chats\" would be read: jq -c '.export.chats[]' FILE > NEW.jsonl"
    )
    assert "jq -c '.[\"a b\"][]' FILE" in advise_on_unknown({"a b": [chat]})
    bare = {"log": [{"role": "user", "content": "Hi"}]}
    assert "--map messages=/log,role=/role,text=/content," in advise_on_unknown(bare)


def test_advice_that_cannot_be_copied_is_not_given() -> None:
    """A name with a control character would not be the name that the terminal shows; one with a space is quoted."""
    assert advise_on_unknown({"\x1bq": "Is it open?", "a": "Until five."}).startswith("say where")
    assert "--map 'user=my q,assistant=a'" in advise_on_unknown({"my q": "Is it open?", "a": "Until five."})


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"d": [{"x": 1, "y": 2}]}, 'the fields are "d" (a list of objects with "x", "y")'),
        ({"d": {"x": {"y": 1}}}, 'the fields are "d" (an object with "x")'),
        ({"d": [1], "e": {}, "f": [{}]}, 'the fields are "d", "e", "f"'),
        ({"d": {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}}, '"d" (an object with "a", "b", "c", "d", …)'),
    ],
)
def test_fields_are_named_one_level_down(record: Any, said: str) -> None:
    """The reason says where lists of messages may lie, by the names of their fields."""
    assert explain_unknown(record).endswith(said)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"kind": "header", "schema_version": "1.0", "tool": {"name": "valueaudit"}}, "a records file of valueaudit"),
        ({"schema_version": "1.0", "tool": {"name": "valueaudit"}}, "a report of valueaudit"),
        ({"tool": {"name": "valueaudit"}}, "cannot be understood"),
        ({"schema_version": "1.0", "tool": {"name": "ruff"}}, "cannot be understood"),
        ({"tool": "valueaudit"}, "cannot be understood"),
        ([1], "cannot be understood: a list, not an object"),
    ],
)
def test_our_own_documents_are_known(record: Any, said: str) -> None:
    """What valueaudit wrote itself is named as that."""
    error = refuse_unknown(Unknown(Record(record, Location("x.json", 1, None)), explain_unknown(record)))
    assert said in error.message
    assert error.help
