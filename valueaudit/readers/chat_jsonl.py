"""Chat logs in JSON Lines with a `messages` list, the shape in which OpenAI and Anthropic conversations are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import jsonlines
import msgspec

from valueaudit.ports import Source
from valueaudit.readers.content import Unreadable, name_kind, parse_message, parse_system, quote
from valueaudit.readers.faults import explain_fault, refuse_hidden
from valueaudit.readers.lines import LONGEST_LINE, Lines, LineTooLong
from valueaudit.transcript import BadRecord, Location, Message, Metadata, Role, Transcript

_IDS = ("id", "chat_id", "conversation_id")
_MOST_KEYS_NAMED = 8
# the telling field of formats that people try instead
_OTHER_FORMATS = {
    "mapping": "a ChatGPT export",
    "chat_messages": "a Claude export",
    "conversations": "the ShareGPT format",
    "conversation": "a log with its messages under another name",
    "turns": "a log with its messages under another name",
    "body": "a batch request, with the conversation one level down",
    "prompt": "one prompt per line",
    "choices": "a completion without its request",
}


def read_chat_jsonl(source: Source, *, longest_line: int = LONGEST_LINE) -> Iterator[Transcript | BadRecord]:
    """One `Transcript` or `BadRecord` for each non-blank line of `source`, in its order.

    Where the stream itself breaks off, one last `BadRecord` says so. Lines of more than `longest_line` bytes are
    skipped and named. Raises nothing, whatever the lines hold.
    """
    lines = Lines(source.stream, longest_line)
    read = jsonlines.Reader(lines, loads=msgspec.json.Decoder().decode).read
    name = source.name
    outcome: Transcript | BadRecord
    while True:
        try:
            record = read(allow_none=True)
            outcome = _build_transcript(record, lines.current, Location(name, lines.number, None))
        except EOFError:
            return
        except OSError as error:
            yield BadRecord(Location(name, lines.number, None), (error.strerror or str(error)).lower())
            return
        except Unreadable as error:
            outcome = BadRecord(Location(name, lines.number, None), error.reason)
        except (jsonlines.InvalidLineError, RecursionError, LineTooLong) as error:
            outcome = BadRecord(Location(name, lines.number, None), explain_fault(error, lines.current))
        yield outcome


def _build_transcript(record: Any, line: bytes, location: Location) -> Transcript:
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    refuse_hidden(record, line)
    messages = record.get("messages")
    if type(messages) is not list:
        raise Unreadable(_explain_missing(record))
    if not messages:
        raise Unreadable('"messages" is empty')
    parsed = [parse_message(raw, index) for index, raw in enumerate(messages)]
    system = parse_system(record.get("system"))
    if system is not None:
        # after the last, so that every index is the one the message has in the source
        parsed.append(system)
    normal = tuple(parsed)
    id_field = _find_id(record)
    identity = str(record[id_field]) if id_field is not None else _digest(normal)
    left_out = {"messages", id_field} if system is None else {"messages", id_field, "system"}
    metadata = _build_metadata(record, left_out)
    if "model" not in metadata:
        first = next((raw for raw, said in zip(messages, parsed, strict=False) if said.role is Role.ASSISTANT), None)
        if first is not None and isinstance(first.get("model"), str):
            metadata["model"] = first["model"]
    return Transcript(identity, location, normal, metadata)


def _explain_missing(record: dict[str, Any]) -> str:
    if "messages" in record:
        return f'"messages" is {name_kind(record["messages"])}, not a list'
    if not record:
        return 'no "messages" list: the object is empty'
    names = ", ".join(quote(key) for key in list(record)[:_MOST_KEYS_NAMED])
    more = ", …" if len(record) > _MOST_KEYS_NAMED else ""
    hint = next((f"; this looks like {name}" for field, name in _OTHER_FORMATS.items() if field in record), "")
    return f'no "messages" list; the fields are {names}{more}{hint}'


def _find_id(record: dict[str, Any]) -> str | None:
    """The field that names the conversation, None where none is a number or a string that is not blank."""
    for field in _IDS:
        value = record.get(field)
        if value.strip() if isinstance(value, str) else type(value) in (int, float):
            return field
    return None


def _digest(messages: tuple[Message, ...]) -> str:
    """An id for a conversation that has none: the same roles and texts give the same one."""
    spoken = msgspec.json.encode([(message.role, message.text) for message in messages])
    return f"sha256:{hashlib.sha256(spoken).hexdigest()[:16]}"


def _build_metadata(record: dict[str, Any], left_out: set[str | None]) -> Metadata:
    """Every other field of the record; a nested `metadata` object is lifted, and its fields win.

    A field of the record that has the name of one of those is kept as `record.<name>`.
    """
    nested = record.get("metadata")
    metadata: Metadata = {}
    if isinstance(nested, dict):
        metadata = dict(nested)
        left_out = {*left_out, "metadata"}
    for field, value in record.items():
        if field in left_out:
            continue
        name = field
        while name in metadata:
            name = f"record.{name}"
        metadata[name] = value
    return metadata
