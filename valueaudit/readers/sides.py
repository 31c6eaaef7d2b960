"""What went into a traced call and what came out, whatever wrote it, as the messages of one conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from valueaudit.readers.content import Unreadable, parse_message
from valueaudit.readers.dialects import encode, is_message, is_part, translate
from valueaudit.readers.keys import count_keys
from valueaudit.transcript import Message, Role

Raw = list[dict[str, Any]]

_SYSTEM = ("system", "system_instruction", "systemInstruction", "system_instructions")
_ASKED = ("messages", "contents", "input", "inputs", "prompt", "prompts", "kwargs")
_HISTORY = ("chat_history", "history")
_ASKED_WORDS = ("question", "query", "user_message", "user_input", "user_prompt", "new_message")
_REPLIED = ("messages", "choices", "candidates", "generations", "output", "outputs", "message", "return_values")
_REPLIED_WORDS = ("completion", "response", "answer", "output_text", "text", "result", "content")
_STRINGS_IN_STRINGS = 3


def parse_exchange(asked: Any, replied: Any, *, is_call: bool = True) -> tuple[Message, ...]:
    """The conversation of one call: what it was given, then what it gave, without repeating what the reply repeats.

    Empty where neither side holds words in a form that we know. `is_call`: a model gave the reply, so that whatever it
    is (the fields of an object, too) was said. Raises `Unreadable` where a message is broken.
    """
    given = read_side(asked, "user") or []
    gave = read_side(replied, "assistant")
    if gave is None and is_call and decode(replied) not in (None, "", {}, []):
        gave = [{"role": "assistant", "content": encode(decode(replied))}]
    before = parse_messages(given)
    after = parse_messages(gave or [])
    spoken = [(message.role, message.text) for message in before if message.role is not Role.SYSTEM]
    if spoken and spoken == [(message.role, message.text) for message in after[: len(spoken)]]:
        return (*(message for message in before if message.role is Role.SYSTEM), *after)
    return before + after


def parse_messages(raw: Sequence[Any]) -> tuple[Message, ...]:
    """Messages in the shape of `translate`. Raises `Unreadable`."""
    return tuple(parse_message(message, index) for index, message in enumerate(raw))


def read_side(value: Any, role: str) -> Raw | None:
    """The messages that one side of a call holds, None where it holds none in a form that we know.

    `role` (`user` or `assistant`) speaks where the source does not say who does. Raises `Unreadable`.
    """
    value = decode(value)
    if isinstance(value, str):
        return [{"role": role, "content": value}] if value else None
    if type(value) is list:
        return _read_list(value, role)
    return _read_object(value, role) if type(value) is dict else None


def is_shaped(value: Any) -> bool:
    """Whether a reply is a message or a list of them, or holds such, rather than a bare string."""
    value = decode(value)
    if type(value) is list:
        return any(is_message(each) for each in value)
    return type(value) is dict and (is_message(value) or any(is_shaped(value.get(field)) for field in _REPLIED))


def decode(value: Any) -> Any:
    """A value that some exporters write as JSON in a string, even twice; a string of anything else stays one."""
    for _ in range(_STRINGS_IN_STRINGS):
        if not isinstance(value, str) or not value.lstrip().startswith(("{", "[", '"')):
            break
        try:
            inner = msgspec.json.decode(value)
            count_keys({"": inner})
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, Unreadable):
            break
        value = inner
    return value


def _read_list(values: list[Any], role: str) -> Raw | None:
    if not values:
        return None
    if all(type(value) is list for value in values):
        if len(values) > 1 and role == "user":
            raise Unreadable(f"{len(values)} lists of messages in one call")
        return _read_list(values[0], role)
    if all(type(value) is dict and "toolCallId" in value and "role" not in value for value in values):
        calls = [
            call for value in values for message in translate(value, role) for call in message.get("tool_calls", ())
        ]
        return [{"role": "assistant", "content": "", "tool_calls": calls}] if calls else None
    if all(is_part(value) for value in values):
        return translate({"role": role, "content": values}, role)
    if all(isinstance(value, str) or is_message(value) for value in values):
        return [message for value in values for message in translate(value, role)]
    return None


def _read_object(value: dict[str, Any], role: str) -> Raw | None:
    if is_message(value) and "messages" not in value:
        return translate(value, role)
    before = _read_system(value)
    if role == "user":
        before += next(filter(None, (_read_history(value.get(field)) for field in _HISTORY)), [])
    for field in _ASKED if role == "user" else _REPLIED:
        found = _read_field(value, field, role)
        if found is not None:
            return before + found
    arguments = value.get("args")
    if role == "user" and type(arguments) is list and len(arguments) == 1:
        found = read_side(arguments[0], role)
        if found is not None:
            return before + found
    for field in _ASKED_WORDS if role == "user" else _REPLIED_WORDS:
        words = value.get(field)
        if isinstance(words, str) and words:
            return [*before, {"role": role, "content": words}]
        if role == "assistant" and field in ("content", "text") and type(words) in (list, dict):
            return _read_content(value, field)
    return None


def _read_history(value: Any) -> Raw:
    """The messages of a conversation so far, which lie beside what is asked now."""
    value = decode(value)
    return (_read_list(value, "user") or []) if type(value) is list else []


def _read_content(value: dict[str, Any], field: str) -> Raw | None:
    """A reply that is its content alone: parts, or Gemini's object with parts."""
    content = value[field]
    if type(content) is list and all(is_part(part) for part in content):
        return translate({"role": "assistant", "content": content}, "assistant")
    if type(content) is dict and type(content.get("parts")) is list:
        return translate({"role": "assistant", **content}, "assistant")
    return None


def _read_field(value: dict[str, Any], field: str, role: str) -> Raw | None:
    """The first reply of several, else what `read_side` finds."""
    inner = decode(value.get(field))
    if field in ("choices", "candidates", "generations") and type(inner) is list and inner:
        first = inner[0]
        while type(first) is list and first:
            first = first[0]
        return _read_reply(first)
    if field == "messages" and inner is not None and type(inner) is not list:
        raise Unreadable('"messages" is not a list')
    return read_side(inner, role)


def _read_reply(reply: Any) -> Raw | None:
    if type(reply) is not dict:
        return read_side(reply, "assistant")
    inner = reply.get("message")
    if type(inner) is dict:
        return translate(inner, "assistant")
    found = _read_content(reply, "content") if "content" in reply else None
    return found if found is not None else _read_object(reply, "assistant")


def _read_system(value: dict[str, Any]) -> Raw:
    """The system prompt beside the messages."""
    config = value.get("config")
    for place in (value, config if type(config) is dict else {}):
        for field in _SYSTEM:
            system = read_system(place.get(field))
            if system:
                return system
    return []


def read_system(prompt: Any) -> Raw:
    """A system prompt: a string, parts, or an object with parts; nothing where there are no words in it."""
    prompt = decode(prompt)
    if isinstance(prompt, str) and prompt:
        return [{"role": "system", "content": prompt}]
    if type(prompt) is list and prompt and all(isinstance(part, str | dict) for part in prompt):
        return translate({"role": "system", "parts": prompt}, "system")
    if type(prompt) is dict and "parts" in prompt:
        return translate({**prompt, "role": "system"}, "system")
    return []
