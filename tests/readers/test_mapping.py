from __future__ import annotations

import json
from typing import Any

import pytest
from dataset_reading import read_lines, read_one, read_text, reason_of, said, transcripts

from valueaudit.errors import UsageError
from valueaudit.readers.mapping import parse_mapping
from valueaudit.readers.pointers import MISSING, build_pointer, follow, parse_pointer
from valueaudit.transcript import BadRecord, Location, Role, Transcript

SAID = [("user", "Is it open?"), ("assistant", "Until five.")]
LIST = "messages=/log/dialog,role=/by/kind,text=/words"
ROWS = "role=speaker,text=words,id=call"


def refusal(mapping: str) -> str:
    """Why this mapping is refused; every refusal shows how one is written."""
    with pytest.raises(UsageError) as refused:
        parse_mapping(mapping)
    assert refused.value.help is not None
    assert "--map user=prompt,assistant=completion" in refused.value.help
    return refused.value.message.removeprefix("--map: ")


def spoken(kind: str, words: Any) -> dict[str, Any]:
    """A message in the shape that `LIST` describes."""
    return {"by": {"kind": kind}, "words": words}


def test_two_columns_are_a_prompt_and_a_reply() -> None:
    """What no key names is metadata."""
    found = read_one(
        {"q": "Is it open?", "a": "Until five.", "shop": 3},
        "map:user=q, assistant=a",
        parse_mapping("user=q, assistant=a"),
    )
    assert (said(found), found.metadata) == (SAID, {"shop": 3})


def test_pointers_reach_into_records() -> None:
    """Pointers lead through objects, lists and escaped names, to texts, ids, models and metadata."""
    record = {
        "in": {"a/b": ["x", "Is it open?"]},
        "out": {"m~n": "Until five."},
        "about": {"key": 7, "model": "m-1", "tags": ["t"]},
        "sys": "Be brief.",
    }
    mapping = parse_mapping(
        "user=/in/a~1b/1,assistant=/out/m~0n,id=/about/key,model=/about/model,system=sys,metadata.tag=/about/tags/0"
    )
    found = read_one(record, mapping.name, mapping)
    assert said(found) == [("system", "Be brief."), *SAID]
    assert (found.id, found.metadata) == ("7", {"about": record["about"], "model": "m-1", "tag": "t"})


def test_several_places_of_a_text_are_one_text() -> None:
    """Places that a record lacks or leaves empty are passed over, as long as one is there."""
    mapping = parse_mapping("user=instruction,user=input,assistant=output,id=a,id=b")
    row = {"instruction": "Translate.", "input": "Guten Tag", "output": "Good day", "a": "", "b": "r1"}
    found = read_one(row, mapping.name, mapping)
    assert (found.id, said(found)[0]) == ("r1", ("user", "Translate.\nGuten Tag"))
    assert said(read_one({**row, "input": None}, mapping.name, mapping))[0] == ("user", "Translate.")


def test_a_comma_in_a_name_is_written_with_a_backslash() -> None:
    """Any name of a column can be named."""
    mapping = parse_mapping("user=a\\,b,assistant=c=d")
    assert said(read_one({"a,b": "Is it open?", "c=d": "Until five."}, mapping.name, mapping)) == SAID


def test_an_empty_system_prompt_is_none() -> None:
    """A column of system prompts may be empty in some rows."""
    mapping = parse_mapping("user=q,assistant=a,system=s")
    assert said(read_one({"q": "Is it open?", "a": "Until five.", "s": " "}, mapping.name, mapping)) == SAID


def test_a_list_of_messages_is_read_by_pointers_relative_to_each() -> None:
    """Names of speakers are given a role; the system prompt stands after the last, so that indexes stay."""
    mapping = parse_mapping(LIST + ",role:Customer=user,role:agent=assistant,system=/log/sys,id=/log/id")
    record = {
        "log": {
            "id": "k1",
            "sys": "Be brief.",
            "dialog": [spoken("customer", "Is it open?"), spoken(" AGENT", [{"type": "text", "text": "Until five."}])],
        },
        "lang": "en",
    }
    found = read_one(record, mapping.name, mapping)
    assert (found.id, found.metadata) == ("k1", {"lang": "en"})
    assert said(found) == [*SAID, ("system", "Be brief.")]
    assert found.location == Location("log.jsonl", 1, None)


def test_known_roles_need_no_naming() -> None:
    """Roles that every format knows are known here, and a text may be null."""
    found = read_one(
        {"log": {"dialog": [spoken("Human", "Hi"), spoken("tool", None)]}}, f"map:{LIST}", parse_mapping(LIST)
    )
    assert [message.role for message in found.messages] == [Role.USER, Role.TOOL]


def test_the_record_itself_may_be_the_list() -> None:
    """An empty pointer is the whole record."""
    items, _ = read_text(json.dumps([[{"r": "user", "t": "Hi"}]]), parse_mapping("messages=,role=r,text=t"))
    assert said(transcripts(items)[0]) == [("user", "Hi")]


def test_one_message_a_record_is_gathered_by_the_id() -> None:
    """Rows interleave, a turn orders them, and the model is that of the assistant."""
    mapping = parse_mapping(ROWS + ",role:agent=assistant,model=engine")
    items = read_lines(
        {"call": 1, "turn": 2, "speaker": "agent", "words": "Until five.", "engine": "m-1", "shop": 3},
        {"call": 2, "turn": 1, "speaker": "user", "words": "Hi", "shop": 3},
        {"call": 1, "turn": 1, "speaker": "user", "words": "Is it open?", "shop": 3},
        format=mapping,
    )
    first, second = transcripts(items)
    assert (first.id, said(first), first.metadata["model"]) == ("1", SAID, "m-1")
    assert (second.id, second.metadata["shop"]) == ("2", 3)


def test_rows_may_be_lists() -> None:
    """A row that is a list is read by its indexes."""
    items, _ = read_text('[["user", "Hi", "c1"]]', parse_mapping("role=/0,text=/1,id=/2"))
    assert transcripts(items) == [
        Transcript("c1", Location("log.jsonl", None, "/0"), transcripts(items)[0].messages, {})
    ]


@pytest.mark.parametrize(
    ("mapping", "record", "reason"),
    [
        ("user=q,assistant=/a/b", {"x": 1}, 'no "q", "/a/b"'),
        ("user=q,assistant=/a/b", {"q": "x", "a": {}}, 'no "/a/b"'),
        ("user=q,assistant=a", {"q": "x", "a": None}, 'no "a"'),
        ("user=q,assistant=a", {"q": "x", "a": []}, '"a" is a list, not a text'),
        ("user=q,assistant=a", {"q": " ", "a": "x"}, '"q" is empty'),
        ("user=q,assistant=a", 5, 'no "q", "a"'),
        (LIST, {"log": {}}, 'no "/log/dialog"'),
        (LIST, {"log": {"dialog": "x"}}, '"/log/dialog" is a string, not a list'),
        (LIST, {"log": {"dialog": []}}, "no message in it"),
        (LIST, {"log": {"dialog": [{"words": "x"}]}}, '"/log/dialog"[0] has no "/by/kind"'),
        (LIST, {"log": {"dialog": [{"by": {"kind": "user"}}]}}, '"/log/dialog"[0] has no "/words"'),
        (LIST, {"log": {"dialog": [5]}}, '"/log/dialog"[0] has no "/by/kind"'),
        (
            LIST,
            {"log": {"dialog": [{"by": {"kind": 5}, "words": "x"}]}},
            '"/by/kind" of "/log/dialog"[0] is a number, not a string',
        ),
        (
            LIST,
            {"log": {"dialog": [spoken("clerk", "x")]}},
            '"/log/dialog"[0] has the unknown role "clerk"; say what it is with role:NAME=user',
        ),
        (LIST, {"log": {"dialog": [spoken("user", 5)]}}, '"/words" of "/log/dialog"[0] is a number, not a text'),
        (ROWS, {"speaker": "user", "words": "x"}, 'no "call"'),
        (ROWS, {"call": 1, "speaker": "user"}, 'the record has no "words"'),
        (ROWS, None, 'the record has no "speaker"'),
    ],
)
def test_records_that_lack_what_is_named_are_bad_records(mapping: str, record: Any, reason: str) -> None:
    """The reason says which place is missing, empty or of another kind."""
    assert reason_of(record, parse_mapping(mapping)) == reason


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("", '"" is not KEY=COLUMN'),
        ("prompt", '"prompt" is not KEY=COLUMN'),
        ("user=a,,assistant=b", '"" is not KEY=COLUMN'),
        (
            "usr=a",
            'unknown key "usr"; known are user, assistant, system, messages, role, text, role:NAME, id, model, '
            "metadata.NAME",
        ),
        ("metadata.=a", 'unknown key "metadata."; known are user, assistant, system, messages'),
        ("user=", '"user" names no column'),
        ("user=a", '"assistant" is missing'),
        ("assistant=a", '"user" is missing'),
        ("id=a", 'nothing says who speaks: "user" and "assistant", or "role" and "text", are missing'),
        ("messages=/a,role=/b", '"text" is missing'),
        ("messages=/a,text=/b", '"role" is missing'),
        ("role:a=user", '"role" is missing'),
        ("role=a,text=b", '"messages" is missing, or "id" where every record is one message'),
        ("role=a,text=b,id=c,system=d", '"system" goes with "messages" or with "user" and "assistant"'),
        ("user=a,assistant=b,messages=/c", '"user" and "messages" do not go together'),
        ("assistant=b,role:x=user", '"assistant" and "role:NAME" do not go together'),
        ("messages=/a,messages=/b,role=/c,text=/d", '"messages" is named twice'),
        ("metadata.x=/a,metadata.x=/b", '"metadata.x" is named twice'),
        ("role:a=user,role:A=tool", '"role:A" is named twice'),
        ("role:a=boss", '"role:a=boss": unknown role "boss"; known are user, assistant, system, tool'),
        ("user=/a~2", '"user=/a~2": in a JSON pointer "~" is followed by 0 (for "~") or 1 (for "/")'),
    ],
)
def test_mappings_that_make_no_sense_are_refused(mapping: str, message: str) -> None:
    """The refusal quotes what is wrong and lists what is known."""
    assert refusal(mapping).startswith(message)


def test_metadata_that_is_not_there_is_left_out() -> None:
    """A place of metadata that a record lacks costs nothing."""
    mapping = parse_mapping("user=q,assistant=a,metadata.topic=topic,metadata.team=/x/y")
    assert read_one({"q": "x", "a": "y", "topic": "t"}, mapping.name, mapping).metadata == {"topic": "t"}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("", {"a": [1]}), ("/a/0", 1), ("/a/1", MISSING), ("/a/00", MISSING), ("/a/-", MISSING), ("/b", MISSING)],
)
def test_pointers_lead_where_rfc_6901_says(pointer: str, value: Any) -> None:
    """Indexes have no leading zeros, and nothing lies behind the end."""
    assert follow({"a": [1]}, parse_pointer(pointer)) == value


def test_pointers_are_built_as_they_are_parsed() -> None:
    """Steps with a slash or a tilde come back."""
    steps = ("a/b", "m~n", "", "~1")
    assert parse_pointer(build_pointer(steps)) == steps
    with pytest.raises(ValueError, match='begins with "/"'):
        parse_pointer("a")


def test_a_bad_line_stays_a_bad_record() -> None:
    """What is no JSON is named at its line, whatever the mapping."""
    items, _ = read_text("{\n", parse_mapping("user=q,assistant=a"))
    assert isinstance(items[0], BadRecord)
