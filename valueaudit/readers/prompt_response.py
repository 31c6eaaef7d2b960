"""Rows with a prompt and a response, because that is what most people have in a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from valueaudit.readers.building import build_transcript, gather_metadata, names
from valueaudit.readers.columns import find_conversation_id, find_index, find_time, pick
from valueaudit.readers.content import Unreadable, find_role, name_kind, parse_message, parse_message_at, quote
from valueaudit.readers.format import Format, Record
from valueaudit.readers.gathering import Gathering
from valueaudit.readers.hh_text import is_turn_text, split_turns
from valueaudit.transcript import BadRecord, Item, LeftOut, Location, Message, Role


def _combine(speakers: Iterable[str], kinds: Iterable[str]) -> frozenset[str]:
    return frozenset(f"{speaker}{kind}" for speaker in speakers for kind in kinds)


_KINDS = ("message", "text", "prompt", "input", "query", "question", "request")
_ASKED = _combine(("user", "human"), _KINDS) | {"prompt", "instruction", "question", "query", "request", "input"}
_REPLIES = ("message", "text", "response", "completion", "output", "answer", "reply")
_SPEAKERS = ("assistant", "model", "bot", "chatbot", "ai", "llm", "gpt", "chatgpt")
_PLAIN_REPLIES = frozenset({"response", "completion", "output", "answer", "reply", "generation", "generatedtext"})
_ANSWERED = _combine(_SPEAKERS, _REPLIES) | _PLAIN_REPLIES
# names of speakers count only where nothing says more: `user` is often an account
_ASKER = frozenset({"user", "human"})
_ANSWERER = frozenset({"assistant", "bot", "chatbot", "ai", "gpt"})
_SYSTEM = frozenset({"system", "systemprompt", "systemmessage", "systeminstruction", "systeminstructions"})
_CONTEXT = frozenset({"context"})
_HISTORY = frozenset({"history"})
_SUPPLEMENT = frozenset({"input"})
_INSTRUCTION = frozenset({"instruction"})
_MESSAGES = frozenset({"messages", "conversation", "conversations", "turns", "chosen", "rejected"})
# beside these an `answer` is the key of a test, which no assistant said
_TEST = frozenset({"choices", "options", "distractors", "incorrectanswers", "wronganswers", "correctanswer"})
_KEY = frozenset({"answer"})
# columns of tables of web or database requests
_ANY_REQUEST = frozenset({"request", "query", "input"})
_WEB = frozenset({"method", "url", "path", "status", "statuscode", "httpstatus", "headers", "sql", "rows", "host"})
_IDS = ("id", "prompt_id", "example_id", "row_id", "conversation_id", "chat_id")


class Columns(Struct, frozen=True):
    """Which columns of a row are speech: who asks (and goes on asking), who answers, what lies before."""

    asked: str | None
    supplement: str | None
    answered: str | None
    before: tuple[str, ...]
    history: str | None


@lru_cache(maxsize=4096)
def find_columns(names_of_columns: tuple[str, ...]) -> Columns:
    """The speech among these columns. `asked` or `answered` is None where none or more than one could be it."""
    instruction = pick(names_of_columns, _INSTRUCTION)
    supplement = pick(names_of_columns, _SUPPLEMENT) if instruction else []
    asked = [name for name in pick(names_of_columns, _ASKED) if name not in supplement]
    asked = asked or pick(names_of_columns, _ASKER)
    answered = pick(names_of_columns, _ANSWERED) or pick(names_of_columns, _ANSWERER)
    if pick(asked, _ANY_REQUEST) and pick(names_of_columns, _WEB):
        asked = []
    if pick(answered, _KEY) and pick(names_of_columns, _TEST):
        answered = []
    return Columns(
        asked[0] if len(asked) == 1 else None,
        supplement[0] if supplement else None,
        answered[0] if len(answered) == 1 else None,
        (*pick(names_of_columns, _SYSTEM), *pick(names_of_columns, _CONTEXT)),
        next(iter(pick(names_of_columns, _HISTORY)), None),
    )


def is_messages(value: object) -> bool:
    """Whether a value is a list of messages, told by its first."""
    return type(value) is list and bool(value) and is_message(value[0])


def is_message(value: object) -> bool:
    """Whether a value is a message: a known role and a content."""
    return type(value) is dict and "content" in value and find_role(value.get("role")) is not None


def is_prompt_response(value: Any) -> bool:
    """Whether a record has exactly one column of a prompt and one of a response, as texts or as messages."""
    if type(value) is not dict or any(isinstance(value[name], list | dict) for name in pick(value, _MESSAGES)):
        return False
    columns = find_columns(tuple(value))
    if columns.asked is None or columns.answered is None:
        return False
    asked, answered = value[columns.asked], value[columns.answered]
    if not (_is_text(answered) or is_messages(answered) or is_message(answered)):
        return False
    if is_messages(asked):
        return True
    return _is_text(asked) and not _is_something_else(columns.asked, columns.answered, asked or "")


def parse_before(record: dict[str, Any], columns: Columns, asked: str) -> list[Message]:
    """What lies before the reply: system prompt and context, earlier turns, the prompt `asked`. Raises `Unreadable`."""
    texts = (record[name] for name in columns.before)
    before = [Message(Role.SYSTEM, text) for text in texts if isinstance(text, str) and text.strip()]
    if columns.history is not None and _is_history(record[columns.history]):
        before += _parse_history(record[columns.history], columns.history)
    return before + _parse_prompt(record, asked, columns.supplement)


def parse_reply(reply: Any, name: str) -> list[Message]:
    """The messages of a reply, which is a text, a message or a list of them. Raises `Unreadable`."""
    if isinstance(reply, str):
        if not reply.strip():
            raise Unreadable(f"{quote(name)} is empty")
        return [Message(Role.ASSISTANT, reply)]
    if type(reply) is dict:
        return [parse_message_at(reply, name)]
    if type(reply) is not list:
        raise Unreadable(f"{quote(name)} is {name_kind(reply)}, not a text or a list of messages")
    if not reply:
        raise Unreadable(f"{quote(name)} is empty")
    return [parse_message(raw, index, name) for index, raw in enumerate(reply)]


def speech_columns(columns: Columns, record: dict[str, Any]) -> set[str | None]:
    """The columns whose words became messages, which are no metadata."""
    history = columns.history if columns.history is not None and _is_history(record[columns.history]) else None
    before = (name for name in columns.before if isinstance(record[name], str))
    return {columns.asked, columns.supplement, columns.answered, history, *before}


def find_id(record: dict[str, Any]) -> str | None:
    """The column that names the row."""
    return next((name for name in _IDS if names(record.get(name))), None)


class PromptResponse:
    """Rows of a prompt and a response; those that name the same conversation are one, gathered until the end."""

    def __init__(self) -> None:
        self._gathering = Gathering()

    def feed(self, record: Record) -> Iterable[Item]:
        """The conversation of this row, or nothing yet where the row names one."""
        try:
            return self._parse(record.value, record.location)
        except Unreadable as error:
            return (BadRecord(record.location, error.reason),)

    def close(self) -> Iterable[Item]:
        """The conversations of several rows."""
        return self._gathering.close()

    def _parse(self, row: Any, location: Location) -> Sequence[Item]:
        if type(row) is not dict:
            raise Unreadable(f"{name_kind(row)}, not an object")
        columns = find_columns(tuple(row))
        if columns.asked is None or columns.answered is None:
            missing = "a prompt" if columns.asked is None else "a response"
            raise Unreadable(f"no column, or more than one, that can be {missing}")
        if row.get("if_chosen") is False:
            return (LeftOut(location, "a reply that the person did not go on with"),)
        messages = parse_before(row, columns, columns.asked) + parse_reply(row[columns.answered], columns.answered)
        left_out = speech_columns(columns, row)
        key = find_conversation_id(row)
        if key is None:
            id_field = find_id(row)
            metadata = gather_metadata(row, {*left_out, id_field})
            return (build_transcript(messages, location, identity=row.get(id_field or ""), metadata=metadata),)
        orders = (found[0] for found in (find_index(row), find_time(row)) if found)
        metadata = gather_metadata(row, {*left_out, key, "model", *orders})
        self._gathering.add(str(row[key]), location, messages, row, metadata, identity=row[key], model=row.get("model"))
        return ()


def _parse_prompt(record: dict[str, Any], name: str, supplement: str | None) -> list[Message]:
    asked = record[name]
    if type(asked) is list:
        return [parse_message(raw, index, name) for index, raw in enumerate(asked)]
    if not isinstance(asked, str):
        raise Unreadable(f"{quote(name)} is {name_kind(asked)}, not a text or a list of messages")
    if not asked.strip():
        raise Unreadable(f"{quote(name)} is empty")
    if is_turn_text(asked):
        turns = split_turns(asked)
        return turns if turns[-1].text else turns[:-1]
    more = record.get(supplement or "")
    return [Message(Role.USER, f"{asked}\n{more}" if isinstance(more, str) and more.strip() else asked)]


def _is_history(value: object) -> bool:
    if type(value) is not list:
        return False
    return all(is_message(turn) for turn in value) or all(_is_exchange(turn) for turn in value)


def _is_exchange(value: object) -> bool:
    return type(value) is list and len(value) == 2 and all(isinstance(text, str) for text in value)


def _parse_history(history: list[Any], name: str) -> list[Message]:
    messages: list[Message] = []
    for index, turn in enumerate(history):
        if type(turn) is dict:
            messages.append(parse_message(turn, index, name))
        else:
            messages += (Message(Role.USER, turn[0]), Message(Role.ASSISTANT, turn[1]))
    return messages


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_something_else(asked: str, answered: str, text: str) -> bool:
    """Whether what stands in the place of a prompt is none: the name of an account, the body of a request."""
    if pick([asked], _ASKER) and pick([answered], _ANSWERED):
        return not re.search(r"\s", text.strip())
    return bool(pick([asked], _ANY_REQUEST)) and text.lstrip().startswith(("{", "["))


PROMPT_RESPONSE = Format(
    name="prompt-response",
    title="rows with one prompt and one response",
    recognises=is_prompt_response,
    start=PromptResponse,
    example='{"prompt": "Is the shop open?", "response": "Until five.", "model": "example-1"}\n',
)
