"""Bodies of requests and responses of the model APIs as messages, the same in pairs, batches, recordings, proxies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from valueaudit.readers.content import Unreadable, name_kind, parse_message, parse_message_at, parse_system, quote
from valueaudit.readers.events import is_stream, parse_stream
from valueaudit.readers.faults import refuse_hidden
from valueaudit.readers.items import is_item, parse_items
from valueaudit.transcript import Message, Role

Api = Literal["chat", "responses", "anthropic", "ollama", "error"]

# the fields of a request that are the conversation
ASKED = frozenset({"messages", "prompt", "input", "system", "instructions"})
# the fields of a response that are the answer
ANSWERED = frozenset({"choices", "output", "output_text", "content", "message", "role", "type", "object", "done"})
_STATUS = ("status", "status_code", "statusCode")
_FAILED = 400
# what a message of Anthropic's has and an item of OpenAI's that is a message has not
_OF_ANTHROPIC = frozenset({"model", "usage", "stop_reason"})


class Question(Struct, frozen=True):
    """What a request says. `beside` are the system prompts that stand beside a list of messages.

    They come last in the conversation, so that every index is the one the message has in the list.
    """

    messages: tuple[Message, ...]
    beside: tuple[Message, ...]


class Answer(Struct, frozen=True):
    """What a response says: its messages, and how many other answers it held."""

    messages: tuple[Message, ...]
    branches: int = 0


def unpack_json(value: Any) -> Any:
    """The value that a string of JSON or of server-sent events holds, any other value as it is.

    JSON with a fault that the record itself may not have (a key twice, too deep) stays a string.
    """
    if not isinstance(value, str):
        return value
    text = value.lstrip()
    if text.startswith(("{", "[")):
        try:
            decoded = msgspec.json.decode(text)
            refuse_hidden(decoded, text.encode())
        except (msgspec.DecodeError, RecursionError, Unreadable):
            return value
        return decoded
    return parse_stream(text) if is_stream(text) else value


def unpack_body(value: Any) -> tuple[Any, dict[str, Any]]:
    """The body of a recorded HTTP message, and what stands beside it but the headers; other values are bodies.

    A status of failure makes the body an error.
    """
    value = unpack_json(value)
    if not isinstance(value, dict) or "body" not in value:
        return value, {}
    body = unpack_json(value["body"])
    status = next((value[key] for key in _STATUS if key in value), None)
    if isinstance(status, int) and status >= _FAILED and tell_api(body) != "error":
        body = {"error": {"code": f"HTTP status {status}"}}
    return body, {key: field for key, field in value.items() if key not in ("body", "headers")}


def tell_api(body: Any) -> Api | None:
    """Which API answers like this, None where none does."""
    if not isinstance(body, dict):
        return None
    output, message = body.get("output"), body.get("message")
    if _has_choices(body):
        return "chat"
    if body.get("type") == "message" and body.get("role") == "assistant" and not _OF_ANTHROPIC.isdisjoint(body):
        return "anthropic"
    if isinstance(output, list) and (body.get("object") == "response" or (output and all(map(is_item, output)))):
        return "responses"
    if isinstance(message, dict) and "done" in body and not {"role", "content"}.difference(message):
        return "ollama"
    return "error" if body.get("error") and isinstance(body["error"], dict | str) else None


def parse_response(body: Any) -> Answer:
    """The answer in the body of a response, or a string that is one. Raises `Unreadable`."""
    if isinstance(body, str):
        return Answer((Message(Role.ASSISTANT, body),))
    match tell_api(body):
        case "chat":
            return _parse_choices(body["choices"])
        case "anthropic":
            return Answer((parse_message_at({"role": "assistant", "content": body.get("content")}, "response"),))
        case "responses":
            return _parse_output(body)
        case "ollama":
            return Answer((parse_message_at(body["message"], "response.message"),))
        case "error":
            raise Unreadable(f"the response is an error{_name_error(body['error'])}")
    if body is None:
        raise Unreadable("there is no response")
    kind = f"an object{_name_fields(body)}" if isinstance(body, dict) else name_kind(body)
    raise Unreadable(f"the response is {kind}, not an answer of a known API")


def parse_request(body: dict[str, Any]) -> Question:
    """What the body of a request says. Raises `Unreadable`."""
    asked = next((body[field] for field in ("messages", "input", "prompt") if body.get(field) is not None), None)
    if asked is None:
        raise Unreadable('the request has no "messages", "input" or "prompt"')
    if isinstance(asked, list) and len(asked) == 1 and isinstance(asked[0], str):
        asked = asked[0]
    prompts = (parse_instructions(body.get(field)) for field in ("system", "instructions"))
    systems = tuple([prompt for prompt in prompts if prompt is not None])
    if isinstance(asked, str):
        return Question((*systems, Message(Role.USER, asked)), ())
    if not isinstance(asked, list):
        raise Unreadable(f"what was asked is {name_kind(asked)}, not a string or a list")
    if not any(isinstance(item, dict) for item in asked):
        kind = "a list of texts or of tokens, not one conversation" if asked else "empty"
        raise Unreadable(f"what was asked is {kind}")
    if isinstance(body.get("messages"), list):
        return Question(tuple([parse_message(raw, index) for index, raw in enumerate(asked)]), systems)
    return Question(tuple(parse_items(asked, "input")), systems)


def parse_instructions(value: Any) -> Message | None:
    """A system prompt as a string, as parts or as items, None where there is no text in it. Raises `Unreadable`."""
    if isinstance(value, list) and value and all(map(is_item, value)):
        said = [message.text for message in parse_items(value, "instructions") if message.text]
        return Message(Role.SYSTEM, "\n".join(said)) if said else None
    return parse_system(value)


def _has_choices(body: dict[str, Any]) -> bool:
    choices = body.get("choices")
    if not isinstance(choices, list):
        return False
    if str(body.get("object")).startswith(("chat.completion", "text_completion")):
        return True
    first = choices[0] if choices and isinstance(choices[0], dict) else {}
    # the options of a question in a test have a text too
    return isinstance(first.get("message"), dict) or ("text" in first and "finish_reason" in first)


def _name_error(error: Any) -> str:
    """The kind of an error, as the end of a sentence; its message may quote what was asked."""
    while isinstance(error, dict):
        kind = next((str(error[key]) for key in ("code", "type") if isinstance(error.get(key), str | int)), "error")
        inner = error.get("error")
        if inner is None or kind != "error":
            return f" of type {quote(kind)}" if kind != "error" else ""
        error = inner
    return ""


def _parse_choices(choices: Sequence[Any]) -> Answer:
    if not choices:
        raise Unreadable("response.choices is empty")
    first, where = choices[0], "response.choices[0]"
    if not isinstance(first, dict):
        raise Unreadable(f"{where} is {name_kind(first)}, not an object")
    message = first.get("message")
    if isinstance(message, dict):
        spoken = parse_message_at({"content": None, **message, "role": "assistant"}, f"{where}.message")
        return Answer((_add_thinking(spoken, message),), len(choices) - 1)
    text = first.get("text", message)
    if not isinstance(text, str):
        raise Unreadable(f'{where} has no "message" and no "text"')
    return Answer((Message(Role.ASSISTANT, text),), len(choices) - 1)


def _add_thinking(message: Message, raw: dict[str, Any]) -> Message:
    """The message with the thinking that stands beside."""
    thought = ("thinking, not read",) if raw.get("reasoning_content") or raw.get("reasoning") else ()
    return Message(message.role, message.text, (*thought, *message.attachments))


def _parse_output(body: dict[str, Any]) -> Answer:
    messages = parse_items(body["output"], "response.output")
    if body.get("error") and not any(message.text for message in messages):
        raise Unreadable(f"the response is an error{_name_error(body['error'])}")
    return Answer(tuple(messages))


def _name_fields(body: dict[str, Any]) -> str:
    return f" with the fields {', '.join(map(quote, list(body)[:8]))}" if body else " without fields"
