from __future__ import annotations

import gzip
import io
import json
import re
import time
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from valueaudit.ports import Source
from valueaudit.readers.lines import LONGEST_LINE
from valueaudit.readers.reading import Reading
from valueaudit.registry import FORMATS
from valueaudit.transcript import BadRecord, LeftOut, Location, Message, Role, Transcript

# the same examples on every machine, and no clock: a slow machine is no failure
steady = settings(deadline=None, derandomize=True)
FORMATS_PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


class FakeSource:
    def __init__(self, stream: BinaryIO, name: str = "log.jsonl") -> None:
        self.name = name
        self.stream = stream


class BreakingStream(io.BytesIO):
    """Gives its lines, then fails as a broken disk or decompressor does."""

    def __init__(self, content: bytes, error: Exception) -> None:
        super().__init__(content)
        self._error = error

    def read1(self, size: int | None = -1, /) -> bytes:
        content = super().read1(size)
        if not content:
            raise self._error
        return content


def read_source(source: Source, *, longest_line: int = LONGEST_LINE) -> list[Transcript | BadRecord]:
    """Every conversation and bad record of this source."""
    items = Reading(FORMATS, longest_line=longest_line).read(source)
    return [item for item in items if not isinstance(item, LeftOut)]


def read_bytes(content: bytes, *, longest_line: int = LONGEST_LINE) -> list[Transcript | BadRecord]:
    """Everything that is read from these bytes."""
    return read_source(FakeSource(io.BytesIO(content)), longest_line=longest_line)


def read_one(record: Any) -> Transcript:
    """The one transcript of this record."""
    (item,) = read_bytes(json.dumps(record).encode())
    assert isinstance(item, Transcript), item
    return item


def reason_of(line: bytes) -> str:
    """Why this one line is bad."""
    (item,) = read_bytes(line)
    assert isinstance(item, BadRecord), item
    assert item.location == Location("log.jsonl", 1, None)
    return item.reason


def message_of(message: dict[str, Any]) -> Message:
    """This message as the reader gives it."""
    return read_one({"id": 1, "messages": [message]}).messages[0]


def talk(**fields: Any) -> dict[str, Any]:
    """A record of two messages with other fields beside them."""
    return {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}], **fields}


def page_examples() -> list[str]:
    """The examples of chats on the page of formats, in their order."""
    shapes = FORMATS_PAGE.read_text(encoding="utf-8").split("## Shapes\n")[1].split("\n## ")[0]
    return re.findall(r"```jsonl\n(.*?)```", shapes, flags=re.DOTALL)


def test_page_examples_are_read() -> None:
    """Each example of docs/formats.md is one conversation, in the shape the page says."""
    plain, openai, anthropic, meta = (read_bytes(example.encode()) for example in page_examples())
    assert plain == [
        Transcript(
            "c-17",
            Location("log.jsonl", 1, None),
            (Message(Role.USER, "May I return it?"), Message(Role.ASSISTANT, "Yes, within 30 days.")),
            {},
        )
    ]
    assert isinstance(openai[0], Transcript)
    assert openai[0].messages == (
        Message(Role.USER, "What is this?", ("image",)),
        Message(Role.ASSISTANT, "", ('tool call look({"detail": 2})',)),
        Message(Role.TOOL, "a bicycle"),
        Message(Role.ASSISTANT, "I cannot help with that."),
    )
    assert isinstance(anthropic[0], Transcript)
    assert anthropic[0].messages == (
        Message(Role.USER, "Where is my parcel?"),
        Message(Role.ASSISTANT, "I will look.", ("thinking, not read", 'tool call track({"order":12})')),
        Message(Role.TOOL, "on its way"),
        Message(Role.ASSISTANT, "It is on its way."),
        Message(Role.SYSTEM, "You serve the Acme shop."),
    )
    assert anthropic[0].metadata == {"model": "example-1"}
    assert isinstance(meta[0], Transcript)
    assert meta[0].id == "17"
    expected = {"topic": "billing", "user_id": "u1", "record.topic": "top", "model": "example-2"}
    assert meta[0].metadata == expected


def test_page_examples_of_bad_lines_are_bad() -> None:
    """Each line that docs/formats.md shows as bad is one bad record."""
    table = FORMATS_PAGE.read_text(encoding="utf-8").split("## Bad lines")[1]
    lines = re.findall(r"\| `(.+)` \|$", table, flags=re.MULTILINE)
    assert len(lines) == 9
    for line in lines:
        reason_of(line.encode())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a" 1}', "not valid JSON: expecting ':' delimiter at character 6"),
        (b'{"a":"\\ud83d","b":' + b"[" * 200_000, "nested more than 100 levels deep"),
        (b'{"a":"abc', "not valid JSON: unterminated string starting at character 6"),
        (b'{"a":1} x', "not valid JSON: extra data at character 9"),
        (b'{"a":NaN}', "not valid JSON: NaN is no number in JSON"),
        (b'{"a":1e999}', "a number that is out of range"),
        (b'{"a":' + b"1" * 5000 + b"}", "a number that is out of range"),
        (b'{"a":"x\xff"}', "not UTF-8: byte 0xff at position 8 of the line"),
        (b'{"a":"\\ud83d"}', "half a surrogate pair, \\ud83d, which is no character"),
        (b"[" * 200_000, "nested more than 100 levels deep"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "nested more than 100 levels deep"),
        (b"null", "null, not an object"),
        (b"true", "true, not an object"),
        (b"false", "false, not an object"),
        (b"1.5", "a number, not an object"),
        (b'"hi"', "a string, not an object"),
        (b"[]", "a list, not an object"),
        (b"{}", "no conversation: the object is empty"),
        (b'{"messages":null}', '"messages" is null, not a list'),
        (b'{"messages":{"a":1}}', '"messages" is an object, not a list'),
        (b'{"messages":[]}', '"messages" is empty'),
        (b'{"x":1,"y":2}', 'no known format; the fields are "x", "y"'),
        (b'{"messages":["hi"]}', "messages[0] is a string, not an object"),
        (b'{"messages":[{"content":"hi"}]}', 'messages[0] has no "role"; its fields are "content"'),
        (b'{"messages":[{"role":7,"content":"hi"}]}', "messages[0].role is a number, not a string"),
        (b'{"messages":[{"role":[],"content":"hi"}]}', "messages[0].role is a list, not a string"),
        (
            b'{"messages":[{"role":"user","content":"hi"},{"role":"narr\\nator","content":"hi"}]}',
            'messages[1] has the unknown role "narr\\nator"; known are user, human, assistant, ai, model, bot, system, '
            "developer, tool, function",
        ),
        (b'{"messages":[{"role":"user"}]}', 'messages[0] has no "content"; its fields are "role"'),
        (
            b'{"messages":[{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}]}',
            'messages[0] has no "role"; its fields are "a", "b", "c", "d", "e", "f", "g", "h", …',
        ),
        (b'{"messages":[{}]}', 'messages[0] has no "role"'),
        (b'{"messages":"[{\\"role\\":\\"user\\",\\"role\\":\\"tool\\"}]"}', '"messages" is a string, not a list'),
        (b'{"messages":"[{"}', '"messages" is a string, not a list'),
        (
            b'{"messages":[{"role":"user","content":{"text":"hi"}}]}',
            "messages[0].content is an object, not a string or a list of parts",
        ),
        (
            b'{"messages":[{"role":"user","content":[4]}]}',
            "messages[0].content[0] is a number, not a string or an object",
        ),
        (
            b'{"messages":[{"role":"user","content":[{"type":"text","text":null}]}]}',
            'messages[0].content[0] is a part of type "text" without its text',
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_bad_line_says_why(line: bytes, reason: str) -> None:
    """A line that is no conversation becomes one bad record whose reason says why."""
    assert reason_of(line) == reason


def test_long_field_names_are_cut() -> None:
    """A reason names at most eight fields, each cut at 40 characters."""
    reason = reason_of(json.dumps({"x" * 50: 1, **{str(n): 1 for n in range(9)}}).encode())
    assert reason == f'no known format; the fields are "{"x" * 40}…", "0", "1", "2", "3", "4", "5", "6", …'


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("USER", Role.USER),
        ("Human", Role.USER),
        ("assistant", Role.ASSISTANT),
        ("AI", Role.ASSISTANT),
        ("model", Role.ASSISTANT),
        ("bot", Role.ASSISTANT),
        ("developer", Role.SYSTEM),
        ("Function", Role.TOOL),
    ],
)
def test_roles_in_any_case(role: str, expected: Role) -> None:
    """Roles are known by their common names in any case."""
    assert message_of({"role": role, "content": "x"}) == Message(expected, "x")


@pytest.mark.parametrize(
    ("part", "attachment"),
    [
        ({"type": "input_audio", "input_audio": {}}, "audio"),
        ({"type": "document", "source": {}}, "document"),
        ({"type": "file", "file": {}}, "file"),
        ({"type": "redacted_thinking", "data": "x"}, "thinking, not read"),
        ({"type": "tool_use", "name": "f", "input": {"a": [1]}}, 'tool call f({"a":[1]})'),
        ({"type": "tool_use"}, "tool call without a name()"),
        ({"type": "hologram"}, 'part of type "hologram"'),
        ({"type": ["text"]}, "part without a type"),
        ({"url": "x"}, "part without a type"),
        ({"type": "tool_result", "content": [{"type": "text", "text": "ok\nfine"}]}, "tool result: ok fine"),
        ({"type": "tool_result"}, "tool result:"),
        ({"type": "web_search_tool_result", "content": {"error": 1}}, 'tool result: {"error":1}'),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_part_that_is_not_speech(part: dict[str, Any], attachment: str) -> None:
    """A part that is not said is named in one attachment line, beside the text."""
    message = message_of({"role": "user", "content": ["Look", part, {"text": "please"}]})
    assert message == Message(Role.USER, "Look\nplease", (attachment,))


@pytest.mark.parametrize(
    ("fields", "attachments"),
    [
        ({"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}, ("tool call f({})",)),
        ({"tool_calls": [{"type": "custom", "custom": {"name": "g", "input": "x"}}]}, ("tool call g(x)",)),
        ({"tool_calls": [{"name": "h", "args": {"a": 1}}]}, ('tool call h({"a":1})',)),
        ({"tool_calls": {"name": "h"}}, ("tool call h()",)),
        ({"tool_calls": ["?"]}, ("tool call in an unknown form",)),
        ({"function_call": {"name": "f", "arguments": "{}"}}, ("tool call f({})",)),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_tool_calls_beside_the_content(fields: dict[str, Any], attachments: tuple[str, ...]) -> None:
    """Tool calls of a message are attachments, in the forms that are in use, and need no content."""
    assert message_of({"role": "assistant", **fields}) == Message(Role.ASSISTANT, "", attachments)
    assert message_of({"role": "assistant", "content": "x", **fields}).text == "x"


def test_refusals_are_speech() -> None:
    """A refusal is what the assistant said, as a part or as a field; a null one is nothing."""
    part = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    assert message_of(part) == Message(Role.ASSISTANT, "No.")
    assert message_of({"role": "assistant", "content": None, "refusal": "No."}) == Message(Role.ASSISTANT, "No.")
    assert message_of({"role": "assistant", "content": "Yes", "refusal": None}) == Message(Role.ASSISTANT, "Yes")


def test_only_tool_results_are_nobodys_speech() -> None:
    """A message of nothing but tool results has the role tool, and keeps the attachments inside them."""
    image = {"type": "tool_result", "content": [{"type": "text", "text": "b"}, {"type": "image"}]}
    message = message_of({"role": "user", "content": [{"type": "tool_result", "content": "a"}, image]})
    assert message == Message(Role.TOOL, "a\nb", ("image",))


def test_long_attachment_is_cut() -> None:
    """An attachment of more than 500 characters is cut there and says how many it had."""
    (line,) = message_of({"role": "assistant", "tool_calls": [{"name": "f", "args": "x" * 1000}]}).attachments
    assert line == f"tool call f({'x' * 488}… (1013 characters)"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"id": "a", "chat_id": "b"}, "a"),
        ({"id": " ", "chat_id": 3}, "3"),
        ({"id": None, "conversation_id": 1.5}, "1.5"),
        ({"id": True, "conversation_id": "z"}, "z"),
    ],
)
def test_id_is_the_first_usable_one(fields: dict[str, Any], expected: str) -> None:
    """The id is the first field of the known names that is a number or a string with something in it."""
    assert read_one(talk(**fields)).id == expected


def test_id_from_the_text() -> None:
    """Without an id the roles and texts give one, which other fields do not change."""
    one, two = read_one(talk()), read_one(talk(note="x"))
    assert one.id == two.id
    assert re.fullmatch(r"sha256:[0-9a-f]{16}", one.id)
    assert one.id != read_one({"messages": [{"role": "user", "content": "Hi"}]}).id


@pytest.mark.parametrize(
    ("fields", "metadata"),
    [
        ({}, {}),
        ({"a": 1, "metadata": {"b": 2}}, {"a": 1, "b": 2}),
        ({"a": 1, "metadata": {"a": 2, "record.a": 3}}, {"a": 2, "record.a": 3, "record.record.a": 1}),
        ({"metadata": "m"}, {"metadata": "m"}),
        ({"metadata": {"metadata": 1}}, {"metadata": 1}),
        ({"model": "x"}, {"model": "x"}),
        ({"system": 5}, {"system": 5}),
        ({"system": ""}, {"system": ""}),
        ({"system": [{"type": "image"}]}, {"system": [{"type": "image"}]}),
    ],
    ids=repr,
)
def test_metadata(fields: dict[str, Any], metadata: dict[str, Any]) -> None:
    """All other fields are metadata; nested ones win, and none is lost."""
    transcript = read_one(talk(id="i", **fields))
    assert transcript.metadata == metadata
    assert len(transcript.messages) == 2


def test_system_prompt_of_parts() -> None:
    """A system prompt in parts is a system message after the last one."""
    transcript = read_one(talk(system=[{"type": "text", "text": "Be kind."}]))
    assert transcript.messages[2:] == (Message(Role.SYSTEM, "Be kind."),)
    assert transcript.metadata == {}


def test_model_of_the_first_assistant_message() -> None:
    """The model is taken from the first assistant message only where the record names none."""
    said = [{"role": "user", "content": "a", "model": "u"}, {"role": "assistant", "content": "b", "model": "m"}]
    assert read_one({"messages": said}).metadata == {"model": "m"}
    assert read_one({"messages": said, "model": "top"}).metadata == {"model": "top"}
    assert read_one({"messages": said[:1]}).metadata == {}


def test_line_numbers_count_blank_lines() -> None:
    """Lines are numbered from 1 with blank ones, through a byte order mark, Windows line ends and no last line end."""
    good = json.dumps(talk(id=1)).encode()
    items = read_bytes(b"\xef\xbb\xbf" + good + b"\r\n \t\r\n\nnope\r\n" + b"\xef\xbb\xbf" + good)
    assert [(type(item), item.location.line) for item in items] == [(Transcript, 1), (BadRecord, 4), (Transcript, 5)]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_nothing_to_read(content: bytes) -> None:
    """A source without a line that holds anything yields nothing."""
    assert read_bytes(content) == []


def test_line_longer_than_the_limit_is_skipped() -> None:
    """A line over the limit is one bad record, and the lines around it are read."""
    good = json.dumps(talk(id=1)).encode()
    content = b"\n".join((good, b"x" * (len(good) + 3_000_000), good, b"y" * (len(good) + 1)))
    items = read_bytes(content, longest_line=len(good))
    assert [type(item) for item in items] == [Transcript, BadRecord, Transcript, BadRecord]
    assert isinstance(items[1], BadRecord)
    assert items[1].reason.startswith("the line is longer than ")
    assert [item.location.line for item in items] == [1, 2, 3, 4]


def test_long_line_is_read() -> None:
    """A line of 50 MB is a conversation like any other, in less than two seconds of CPU."""
    text = "word " * 10_000_000
    line = b'{"messages":[{"role":"user","content":"' + text.encode() + b'"}]}\n'
    start = time.process_time()
    (item,) = read_bytes(line)
    assert time.process_time() - start < 2
    assert isinstance(item, Transcript)
    assert item.messages[0].text == text


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(5, "Input/output error"), "input/output error"),
        (OSError("the file ends in the middle of its compressed data"), "the file ends in the middle of its"),
        (EOFError("cut"), "the file ends in the middle of its compressed data"),
    ],
    ids=repr,
)
def test_stream_that_breaks_off(error: Exception, reason: str) -> None:
    """What was read before the stream broke is kept, and one last bad record says what happened."""
    good = json.dumps(talk(id=1)).encode() + b"\n"
    first, last = read_source(FakeSource(BreakingStream(good, error)))
    assert isinstance(first, Transcript)
    assert isinstance(last, BadRecord)
    assert last.location.line == 2
    assert last.reason.startswith(reason)


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress], ids=["plain", "gzip", "zstd"]
)
def test_opened_files_are_sources(tmp_path: Path, pack: Any) -> None:
    """The reader reads what files.py opens, packed or not."""
    from valueaudit.files import open_source

    path = tmp_path / "log.jsonl"
    path.write_bytes(pack(json.dumps(talk(id=1)).encode() + b"\n"))
    with open_source(str(path), io.BytesIO()) as source:
        (item,) = read_source(source)
    assert isinstance(item, Transcript)
    assert item.location == Location(str(path), 1, None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["messages", "role", "content", "type", "text", "tool_calls", "metadata", "id", "system"])
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)
odd_messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "Tool", "x", 3])},
    optional=dict.fromkeys(("content", "tool_calls", "function_call", "refusal", "model"), json_values),
)
odd_parts = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_use", "tool_result", "image", "refusal", "x", 1])},
    optional=dict.fromkeys(("text", "input", "content", "name"), json_values),
)
odd_lists = st.lists(odd_parts, max_size=3).map(lambda parts: {"role": "user", "content": parts})
odd_records = st.fixed_dictionaries(
    {
        "messages": st.lists(
            odd_messages
            | st.builds(lambda parts: {"role": "user", "content": parts}, st.lists(odd_parts))
            | json_values,
            max_size=4,
        )
    },
    optional=dict.fromkeys(("id", "chat_id", "system", "metadata", "model"), json_values),
)


@steady
@given(st.lists(json_values | odd_records, max_size=3))
def test_any_json_gives_one_item_per_line(values: list[Any]) -> None:
    """Whatever JSON the lines hold, nothing is raised and each line ends in exactly one item, in order."""
    lines = [json.dumps(value).encode() for value in values]
    items = read_bytes(b"\n".join(lines))
    assert [item.location.line for item in items] == list(range(1, len(values) + 1))
    for value, item in zip(values, items, strict=True):
        if isinstance(item, Transcript):
            assert len(item.messages) - len(value["messages"]) in (0, 1)


@steady
@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=5))
def test_any_bytes_give_one_item_per_line(lines: list[bytes]) -> None:
    """Whatever bytes the lines hold, each that is not blank ends in exactly one item."""
    full = [number for number, line in enumerate(lines, 1) if line.strip()]
    items = read_bytes(b"\n".join(lines))
    if not (lines and lines[0].startswith(b"\xef\xbb\xbf")):
        assert [item.location.line for item in items] == full


keys = st.sampled_from(['"a"', '"b"', '"a\\\\"', '"\\":"', '":"', '"\\u0061"', '" "', '"messages"', '"role"'])
spaces = st.sampled_from(["", "", "", " ", "  ", "\t", "\r"])
scalars = st.sampled_from(['":x"', '"\\":"', '"x\\\\"', '" : "', '"a\\\\\\":"', "1", "null", '"y"', '"\\" :"'])


def raw_objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON objects as text, with keys that repeat and spaces before colons."""
    pair = st.builds(lambda key, before, after, value: f"{key}{before}:{after}{value}", keys, spaces, spaces, inner)
    return st.builds(lambda pairs: "{" + ",".join(pairs) + "}", st.lists(pair, max_size=4))


raw_values = st.recursive(
    scalars,
    lambda inner: raw_objects(inner) | st.lists(inner, max_size=3).map(lambda items: "[" + ",".join(items) + "]"),
    max_leaves=12,
)


class Repeated(Exception):
    pass


def refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object, unless it names a key twice."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise Repeated
    return dict(pairs)


@steady
@given(raw_objects(raw_values))
def test_duplicate_keys_are_found_exactly(line: str) -> None:
    """A duplicate key is told exactly where the standard library sees one, whatever quotes and spaces stand around."""
    try:
        json.loads(line, object_pairs_hook=refuse_repeated)
        expected = False
    except Repeated:
        expected = True
    (item,) = read_bytes(line.encode())
    assert isinstance(item, BadRecord)
    assert item.reason.startswith("duplicate key") is expected


def test_duplicate_keys_in_a_conversation() -> None:
    """A message that says its content twice is refused, wherever the second one stands."""
    line = b'{"messages":[{"role":"user","content":"a \\"b\\": c"},{"role":"assistant","content":"x","content" :"y"}]}'
    assert reason_of(line) == 'duplicate key "content"'
    assert reason_of(b"\x1e" + line) == 'duplicate key "content"'


@pytest.mark.parametrize("size", [1, 250_000, 300_000, 1_500_000])
def test_lines_are_whole_however_long(size: int) -> None:
    """A line that lies in several blocks is one conversation, and a key that it repeats is found."""
    good = talk(id=1, note="x" * size)
    repeated = json.dumps(good)[:-1] + ', "id": 2}'
    items = read_bytes("\n".join([json.dumps(good), repeated, json.dumps(good)]).encode())
    assert [item.location.line for item in items] == [1, 2, 3]
    assert [item.reason for item in items if isinstance(item, BadRecord)] == ['duplicate key "id"']


ASKED = {"role": "user", "content": "Is it open?"}
SAID = {"role": "assistant", "content": "Until five."}


@pytest.mark.parametrize(
    "beside",
    [
        {"answer": "Until five."},
        {"reply": SAID},
        {"message": SAID},
        {"output": "Until five."},
        {"output": [SAID]},
        {"response": SAID, "output": None},
    ],
    ids=repr,
)
def test_a_reply_beside_messages_that_wait_for_one_is_said(beside: dict[str, Any]) -> None:
    """The assistant's words are not lost as metadata."""
    record = {"messages": [ASKED], "system": "Be brief.", **beside}
    (item,) = read_bytes(json.dumps(record).encode())
    assert isinstance(item, Transcript)
    assert [(m.role.value, m.text) for m in item.messages] == [
        ("user", "Is it open?"),
        ("assistant", "Until five."),
        ("system", "Be brief."),
    ]
    assert beside.keys() - item.metadata.keys()


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [ASKED, SAID], "answer": "9 of 10"},
        {"messages": [ASKED], "answer": "a", "reply": "b"},
        {"messages": [ASKED], "answer": " ", "output": {"score": 1}, "reply": []},
        {"messages": [ASKED], "message": ASKED},
    ],
    ids=repr,
)
def test_what_may_be_no_reply_stays_metadata(record: dict[str, Any]) -> None:
    """Beside an answered conversation, or where two fields could be the reply, nothing is guessed."""
    (item,) = read_bytes(json.dumps(record).encode())
    assert isinstance(item, Transcript)
    assert len(item.messages) == len(record["messages"])
    assert item.metadata.keys() == record.keys() - {"messages"}


def test_messages_in_a_string_of_json() -> None:
    """A column of a table holds the list as text."""
    (item,) = read_bytes(json.dumps({"id": "c", "messages": json.dumps([ASKED, {**SAID, "model": "m"}])}).encode())
    assert isinstance(item, Transcript)
    assert [m.text for m in item.messages] == ["Is it open?", "Until five."]
    assert item.metadata == {"model": "m"}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"content": [{"type": "input_audio", "transcript": "Hi"}]}, Message(Role.USER, "Hi")),
        ({"content": [{"type": "output_audio", "transcript": ""}]}, Message(Role.USER, "", ("audio",))),
        ({"content": None, "audio": {"id": "a", "transcript": "Hi"}}, Message(Role.USER, "Hi", ("audio",))),
        ({"content": "Hi", "audio": {"transcript": "Hi"}}, Message(Role.USER, "Hi")),
        ({"content": [{"toolUse": {"name": "w", "input": {}}}]}, Message(Role.USER, "", ("tool call w({})",))),
        ({"content": [{"toolResult": {"content": [{"text": "rain"}]}}]}, Message(Role.TOOL, "rain")),
        ({"content": [{"reasoningContent": {}}, {"text": "x"}]}, Message(Role.USER, "x", ("thinking, not read",))),
        ({"content": [{"image": {}}, {"cachePoint": {}}]}, Message(Role.USER, "", ("image", "part without a type"))),
        ({"content": [{"image": "x"}]}, Message(Role.USER, "", ("part without a type",))),
    ],
    ids=repr,
)
def test_speech_and_parts_of_other_apis(message: dict[str, Any], expected: Message) -> None:
    """What was said aloud is text, and what Bedrock's Converse API calls a tool's is a tool's."""
    (item,) = read_bytes(json.dumps({"messages": [{"role": "user", **message}]}).encode())
    assert isinstance(item, Transcript)
    assert item.messages == (expected,)
