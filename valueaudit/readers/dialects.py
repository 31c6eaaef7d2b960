"""One message in the words of any framework that writes traces, brought to the shape that `content` reads."""

from __future__ import annotations

import json
from typing import Any

from valueaudit.readers.content import Unreadable, name_kind

_SPEAKERS = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "developer": "developer",
    "tool": "tool",
    "function": "tool",
}
_PLAIN_ROLES = ("user", "assistant", "system", "tool")
_ROLES = {"chatbot": "assistant"}
_EVENTS = {"gen_ai.choice": "assistant"}
_BODY = (
    "content",
    "parts",
    "blocks",
    "contents",
    "tool_calls",
    "toolCalls",
    "function_call",
    "message",
    "text",
    "refusal",
)
_CALL_TYPES = frozenset({"tool_call", "function_call", "tool-call", "mcp_tool_use", "server_tool_use"})
_RESULT_TYPES = frozenset({"tool_call_response", "tool-result", "tool_call_result"})
_THOUGHT_TYPES = frozenset({"reasoning", "thinking", "redacted_thinking", "redacted-reasoning"})
_SPEECH_TYPES = frozenset({"text", "input_text", "output_text", "refusal"})
_PART_TYPES = (
    _SPEECH_TYPES
    | _RESULT_TYPES
    | {
        "thinking",
        "redacted_thinking",
        "tool_use",
        "server_tool_use",
        "tool_result",
        "tool-call",
        "image",
        "image_url",
        "document",
    }
)
_FILES = ("inlineData", "inline_data", "fileData", "file_data")
_RESULTS = ("response", "result", "output", "content")
_ARGUMENTS = ("arguments", "args", "input", "action")
_DEFINITION = frozenset({"type", "function"})


def is_message(raw: Any) -> bool:
    """Whether `raw` looks like one message of a framework that we know, whatever is wrong with it."""
    if type(raw) is not dict:
        return False
    if "role" in raw:
        return any(field in raw for field in _BODY)
    kind = raw.get("type")
    if isinstance(kind, str):
        if kind in _SPEAKERS or kind.endswith("MessageChunk"):
            return "content" in raw or "data" in raw
        if kind in ("reasoning", "placeholder") or kind.endswith(("_call", "_call_output")):
            return True
    if raw.get("lc") == 1 or type(raw.get("message")) is dict or type(raw.get("parts")) is list:
        return True
    return _event_name(raw).startswith("gen_ai.") or _is_bare_call(raw) or {"content", "finish_reason"} <= raw.keys()


def is_part(raw: Any) -> bool:
    """Whether `raw` is a piece of one message's content."""
    return type(raw) is dict and "role" not in raw and isinstance(raw.get("type"), str) and raw["type"] in _PART_TYPES


def translate(raw: Any, default: str) -> list[dict[str, Any]]:
    """The messages that `raw` stands for, with `role` and `content`; `default` speaks where no role is given.

    None for the definition of a tool and for a placeholder; several for several results of tools in one message.
    Raises `Unreadable`.
    """
    if isinstance(raw, str):
        return [{"role": default, "content": raw}]
    if type(raw) is not dict:
        raise Unreadable(f"a message is {name_kind(raw)}, not an object")
    if len(raw) == 2 and type(raw.get("content")) is str and raw.get("role") in _PLAIN_ROLES:
        return [raw]
    raw = _unwrap(raw)
    kind = raw.get("type")
    if kind in ("placeholder", "remove") or _is_definition(raw):
        return []
    if isinstance(kind, str) and "role" not in raw:
        item = _translate_item(raw, kind)
        if item is not None:
            return [item]
    if _is_bare_call(raw):
        return [{"role": "assistant", "content": "", "tool_calls": [_call(raw)]}]
    inner = raw.get("message")
    if type(inner) is dict and "content" not in raw:
        return translate(inner, _role(raw, default))
    return _translate_plain(raw, _role(raw, default))


def encode(value: Any) -> str:
    """A JSON value as text; a string as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _translate_plain(raw: dict[str, Any], role: str) -> list[dict[str, Any]]:
    content = _content(raw, role)
    calls = _calls(raw)
    message = {"role": role, "content": content}
    if isinstance(raw.get("refusal"), str):
        message["refusal"] = raw["refusal"]
    if calls:
        message["tool_calls"] = calls
    results = content if isinstance(content, list) else []
    if role != "tool" and type(raw.get("parts")) is not list:
        # Anthropic's results stay one message, as in a chat
        return [message]
    if len(results) > 1 and not calls and all(type(r) is dict and r.get("type") == "tool_result" for r in results):
        return [{"role": "tool", "content": [result]} for result in results]
    return [message]


def _unwrap(raw: dict[str, Any]) -> dict[str, Any]:
    """The message inside a dump of LangChain (`lc` and `kwargs`, or `type` and `data`); others as they are."""
    inner = raw.get("kwargs")
    if raw.get("lc") == 1 and type(inner) is dict:
        path = raw.get("id")
        name = path[-1] if isinstance(path, list) and path and isinstance(path[-1], str) else ""
        speaker = name.removesuffix("Chunk").removesuffix("Message").lower()
        known = _SPEAKERS.get(speaker)
        return inner if "role" in inner or known is None else {**inner, "role": known}
    inner = raw.get("data")
    if type(inner) is dict and raw.get("type") in _SPEAKERS:
        return {**inner, "type": raw["type"]}
    return raw


def _role(raw: dict[str, Any], default: str) -> str:
    role = raw.get("role")
    if role is None:
        event = _event_name(raw)
        if event.startswith("gen_ai."):
            role = _EVENTS.get(event, event.removeprefix("gen_ai.").removesuffix(".message"))
        else:
            kind = raw.get("type")
            role = (
                kind.removesuffix("MessageChunk").removesuffix("Message").lower() if isinstance(kind, str) else default
            )
            role = _SPEAKERS.get(role) or _ROLES.get(role) or default
    if not isinstance(role, str):
        raise Unreadable(f"the role of a message is {name_kind(role)}, not a string")
    # LlamaIndex writes the name of an enum: MessageRole.USER
    role = role.rpartition(".")[2].strip().lower()
    return _ROLES.get(role, role)


def _event_name(raw: dict[str, Any]) -> str:
    name = raw.get("event.name", raw.get("event_name"))
    return name if isinstance(name, str) else ""


def _is_bare_call(raw: dict[str, Any]) -> bool:
    return "toolCallId" in raw and "toolName" in raw and "role" not in raw and "type" not in raw


def _is_definition(raw: dict[str, Any]) -> bool:
    content = raw.get("content")
    return type(content) is dict and content.get("type") == "function" and content.keys() >= _DEFINITION


def _translate_item(raw: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """An item of OpenAI's Responses API that is no message; None for any other type."""
    if kind == "reasoning" and "text" not in raw:
        return {"role": "assistant", "content": [{"type": "thinking"}]}
    if kind.endswith("_call_output"):
        return {"role": "tool", "content": encode(raw.get("output") or "")}
    if kind.endswith("_call"):
        return {"role": "assistant", "content": "", "tool_calls": [_call({"name": kind, **raw})]}
    return None


def _content(raw: dict[str, Any], role: str) -> str | list[Any]:
    parts = next((raw[field] for field in ("parts", "blocks", "contents") if type(raw.get(field)) is list), None)
    if parts is not None:
        return _join([_part(part) for part in parts])
    content: Any = next((raw[field] for field in ("content", "message", "text") if raw.get(field) is not None), [])
    if type(content) is dict:
        if type(content.get("parts")) is list:
            return _join([_part(part) for part in content["parts"]])
        if role != "tool" and isinstance(content.get("text"), str):
            return str(content["text"])
    if type(content) is not list:
        return encode(content)
    if role == "tool" and any(type(part) is dict and "type" not in part and "text" not in part for part in content):
        return encode(content)
    return [_part(part) for part in content]


def _join(parts: list[Any]) -> list[Any]:
    """Pieces of text that follow each other as one: a model that streams breaks them anywhere."""
    joined: list[Any] = []
    for part in parts:
        if joined and _is_speech(part) and _is_speech(joined[-1]):
            joined[-1] = {"type": "text", "text": joined[-1]["text"] + part["text"]}
        else:
            joined.append(part)
    return joined


def _is_speech(part: Any) -> bool:
    return type(part) is dict and part.get("type") == "text" and isinstance(part.get("text"), str)


def _part(raw: Any) -> Any:
    """A piece of content as OpenAI or Anthropic write it; what is in no form we know is left as it is."""
    if isinstance(raw, str):
        return {"type": "text", "text": raw}
    if type(raw) is not dict:
        return {"type": name_kind(raw)}
    if type(raw.get("message_content")) is dict:
        raw = raw["message_content"]
    kind = raw.get("type", raw.get("block_type"))
    if not isinstance(kind, str):
        kind = None
    if raw.get("thought") is True or kind in _THOUGHT_TYPES:
        return {"type": "thinking"}
    for call in ("functionCall", "function_call", "toolUse"):
        if type(raw.get(call)) is dict:
            return _call_part(raw[call])
    for result in ("functionResponse", "function_response", "toolResult"):
        if type(raw.get(result)) is dict:
            return _result_part(raw[result])
    if kind in _CALL_TYPES:
        return _call_part(raw)
    if kind in _RESULT_TYPES:
        return _result_part(raw)
    return _plain_part(raw, kind)


def _plain_part(raw: dict[str, Any], kind: Any) -> dict[str, Any]:
    text = raw.get("text")
    if text is None and kind in _SPEECH_TYPES:
        text = raw.get("content")
    if type(text) is dict and isinstance(text.get("value"), str):
        text = text["value"]
    if text is not None and (kind is None or kind in _SPEECH_TYPES):
        return {"type": "text", "text": encode(text)}
    carried = next((raw[field] for field in _FILES if type(raw.get(field)) is dict), None)
    if carried is not None or kind in ("blob", "uri"):
        return {"type": _modality(carried or raw)}
    return raw if kind is None or "type" in raw else {**raw, "type": kind}


def _modality(raw: dict[str, Any]) -> str:
    mime = raw.get("mimeType", raw.get("mime_type"))
    modality = raw.get("modality", mime.partition("/")[0] if isinstance(mime, str) else None)
    return modality if modality in ("image", "audio", "video") else "file"


def _call_part(raw: dict[str, Any]) -> dict[str, Any]:
    call = _call(raw)
    return {"type": "tool_use", "name": call["name"], "input": call["arguments"]}


def _result_part(raw: dict[str, Any]) -> dict[str, Any]:
    result = next((raw[field] for field in _RESULTS if raw.get(field) is not None), "")
    if type(result) is dict and "value" in result:
        result = result["value"]
    if type(result) is list and all(is_part(part) for part in result):
        return {"type": "tool_result", "content": [_part(part) for part in result]}
    return {"type": "tool_result", "content": encode(result)}


def _calls(raw: dict[str, Any]) -> list[Any]:
    more = raw.get("additional_kwargs")
    places = (raw, more) if type(more) is dict else (raw,)
    for place in places:
        for field in ("tool_calls", "toolCalls"):
            if type(place.get(field)) is list and place[field]:
                return [_call(call) for call in place[field]]
        if place.get("function_call"):
            return [_call(place["function_call"])]
    return []


def _call(raw: Any) -> dict[str, Any]:
    """A tool call as a name and arguments."""
    if type(raw) is dict and type(raw.get("tool_call")) is dict:
        raw = raw["tool_call"]
    if type(raw) is dict and type(raw.get("function")) is dict:
        raw = raw["function"]
    if type(raw) is not dict:
        return {"name": None, "arguments": None}
    name = raw.get("name", raw.get("toolName", raw.get("tool_name")))
    arguments = next((raw[field] for field in _ARGUMENTS if raw.get(field) is not None), None)
    return {"name": name, "arguments": None if arguments is None else encode(arguments)}
