"""What every format in the table must hold, so that a format that is added is held to it by being added."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from dataset_reading import read_text
from fakes import records_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from valueaudit.cli.inputs import plan_inputs
from valueaudit.readers.containers import is_document
from valueaudit.readers.format import Format, Record
from valueaudit.readers.pointers import MISSING, follow, parse_pointer
from valueaudit.registry import FORMATS
from valueaudit.transcript import BadRecord, Item, LeftOut, Location, Transcript

# the same examples on every machine, and no clock: a slow machine is no failure
steady = settings(
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
each_format = pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)

_ODD_TEXTS = st.sampled_from(
    ("", " ", "{}", "[]", "null", "user", "assistant", "a/b~c", "9" * 30, "\x1b[2J", "2026-01-01")
)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _ODD_TEXTS
_KEYS = st.text(st.characters(codec="utf-8"), max_size=8)
ANY_JSON = st.recursive(
    _SCALARS | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_DEEP = "[" * 60 + "]" * 60


def read_file(text: str, format: Format | None = None) -> list[Item]:
    """Everything that is read of a file with this text."""
    return read_text(text, format)[0]


def write_file(records: Sequence[Any], *, as_array: bool) -> str:
    """A file with these records."""
    if as_array:
        return json.dumps(records, indent=1)
    return "".join(json.dumps(record) + "\n" for record in records)


def values_of(example: str) -> list[Any]:
    """The records of an example, which are all sound."""
    records = records_of(example.encode())
    assert all(isinstance(record, Record) for record in records)
    return [record.value for record in records if isinstance(record, Record)]


def is_array(example: str) -> bool:
    """Whether the file is one array of records."""
    return is_document(example.encode()) and example.lstrip().startswith("[")


def assert_leads_somewhere(text: str, location: Location) -> None:
    """Fails where the line is outside of the file, or nothing lies where the pointer leads."""
    lines = text.split("\n")
    if location.line is not None:
        assert 1 <= location.line <= len(lines)
        text = "\n".join(lines[location.line - 1 :])
    if location.pointer is None:
        return
    value, _ = json.JSONDecoder().raw_decode(text.lstrip())
    assert follow(value, parse_pointer(location.pointer)) is not MISSING, location


def places_in(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value, with each key or index that it has."""
    children = list(value.items()) if type(value) is dict else list(enumerate(value)) if type(value) is list else []
    for key, child in children:
        yield value, key
        yield from places_in(child)


@st.composite
def mutations(draw: st.DrawFn, example: str) -> list[Any]:
    """The records of an example in which something was replaced, removed, renamed or said twice."""
    records = copy.deepcopy(values_of(example))
    for _ in range(draw(st.integers(1, 3))):
        places = list(places_in(records))
        if not places:
            break
        container, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(("replace", "remove", "twice", "rename", "bury"))):
            case "replace":
                container[key] = draw(ANY_JSON)
            case "remove":
                del container[key]
            case "bury":
                container[key] = json.loads(_DEEP)
            case "rename" if type(container) is dict:
                container[draw(_KEYS | _ODD_TEXTS)] = container.pop(key)
            case _ if type(container) is list:
                container.insert(key, copy.deepcopy(container[key]))
            case _:
                container[f"{key}~/"] = copy.deepcopy(container[key])
    return records


def test_names_are_unique_and_plain() -> None:
    """A name is small letters with hyphens, and names one format."""
    names = [format.name for format in FORMATS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)
    assert "auto" not in names


@each_format
def test_the_example_is_read_as_its_own_format(format: Format) -> None:
    """The example that people are shown is told by itself, and every record of it is read."""
    items, formats = read_text(format.example)
    assert formats == (format.name,)
    assert any(isinstance(item, Transcript) for item in items)
    assert not [item for item in items if isinstance(item, BadRecord)]
    assert format.example.endswith("\n")
    for item in items:
        assert_leads_somewhere(format.example, item.location)


@each_format
def test_forcing_the_format_reads_the_same(format: Format) -> None:
    """`--input-format` gives what telling it by the content gives."""
    assert read_file(format.example, format) == read_file(format.example)


@each_format
def test_the_example_has_words_of_both_sides(format: Format) -> None:
    """What is shown as an example can be audited."""
    said = [item for item in read_file(format.example) if isinstance(item, Transcript)]
    roles = {str(message.role) for each in said for message in each.messages if message.text.strip()}
    assert {"user", "assistant"} <= roles


@steady
@example({"gen_ai.": None})
@given(st.dictionaries(_KEYS, ANY_JSON, max_size=5))
def test_foreign_objects_belong_to_no_format(value: dict[str, Any]) -> None:
    """A record that nobody wrote as a conversation is recognised by no format."""
    assert [format.name for format in FORMATS if format.recognises(value)] == []


@steady
@given(ANY_JSON)
def test_recognition_never_raises(value: Any) -> None:
    """Every format says yes or no to any JSON value."""
    assert {type(format.recognises(value)) for format in FORMATS} == {bool}


@steady
@given(st.lists(ANY_JSON, min_size=1, max_size=3), st.booleans())
def test_any_json_ends_in_items(values: list[Any], as_array: bool) -> None:
    """Whatever the records are, read as whatever format, none vanishes, nothing raises, and every place is real."""
    text = write_file(values, as_array=as_array)
    for format in (None, *FORMATS):
        items = read_file(text, format)
        assert items or not records_of(text.encode())
        for item in items:
            assert_leads_somewhere(text, item.location)


@each_format
def test_an_object_around_the_example_changes_nothing(format: Format) -> None:
    """Records in a list under any name are read as what they are, at a pointer that leads to them."""
    text = json.dumps({"count": 1, "items~/": values_of(format.example)})
    items, formats = read_text(text)
    assert formats == (format.name,)
    assert said_in(items) == said_in(read_file(format.example))
    for item in items:
        assert_leads_somewhere(text, item.location)


@each_format
@steady
@given(st.data())
def test_a_broken_example_ends_in_items(format: Format, data: st.DataObject) -> None:
    """An example with anything replaced, removed, renamed or repeated is read without a loss or an exception."""
    values = data.draw(mutations(format.example))
    text = write_file(values, as_array=is_array(format.example))
    for forced in (None, format):
        items = read_file(text, forced)
        assert items or not records_of(text.encode())
        for item in items:
            assert isinstance(item, Transcript | BadRecord | LeftOut)
            assert_leads_somewhere(text, item.location)


@each_format
@steady
@given(st.data())
def test_each_record_alone_ends_in_items(format: Format, data: st.DataObject) -> None:
    """A parser that is given one record says something of it by the time it is closed."""
    for value in data.draw(mutations(format.example)):
        parser = format.start()
        record = Record(value, Location("log.jsonl", 1, None))
        assert [*parser.feed(record), *parser.close()]
        assert not list(format.start().close())


@pytest.mark.parametrize("formats", [FORMATS, FORMATS[::-1]], ids=["in order", "reversed"])
def test_formats_stay_apart_in_a_mixed_file(formats: tuple[Format, ...]) -> None:
    """The examples of all formats in one file give what each gives in a file of its own."""
    values = [value for format in formats for value in values_of(format.example)]
    items, met = read_text(write_file(values, as_array=False))
    assert met == tuple(format.name for format in formats)
    alone = [item for format in formats for item in read_file(format.example)]
    assert not [item for item in items if isinstance(item, BadRecord)]
    assert said_in(items) == said_in(alone)


def said_in(items: list[Item]) -> Counter[str]:
    """The conversations by what was said in them."""
    return Counter(repr(item.messages) for item in items if isinstance(item, Transcript))


def test_formats_stay_apart_in_a_folder(folder: Path) -> None:
    """A folder with a file of each format is read whole, each file in its own."""
    for format in FORMATS:
        (folder / f"{format.name}.jsonl").write_text(format.example, encoding="utf-8")
    inputs = plan_inputs(["."])
    assert not [item for item in inputs if isinstance(item, BadRecord)]
    told = {Path(info.path).stem: info.format for info in inputs.infos}
    assert told == {format.name: format.name for format in FORMATS}
    assert all(info.conversations + info.duplicates for info in inputs.infos)


def test_line_ends_of_windows_change_nothing() -> None:
    """An example with carriage returns gives what it gives without."""
    for format in FORMATS:
        assert [item.messages for item in transcripts_of(format.example.replace("\n", "\r\n"))] == [
            item.messages for item in transcripts_of(format.example)
        ]


def transcripts_of(text: str) -> list[Transcript]:
    """The conversations of a file with this text."""
    return [item for item in read_file(text) if isinstance(item, Transcript)]
