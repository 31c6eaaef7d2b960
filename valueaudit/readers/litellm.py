"""Spend logs of the LiteLLM proxy: one row a call, its words as JSON in strings, and mostly not stored at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valueaudit.readers.bodies import tell_api, unpack_json
from valueaudit.readers.content import Unreadable, name_kind
from valueaudit.readers.exchange import Exchange, build_exchange
from valueaudit.readers.format import Format, alone
from valueaudit.transcript import Item, LeftOut, Location, Transcript

_PACKED = ("messages", "response", "proxy_server_request", "metadata", "request_tags")
_ROW = frozenset({"call_type", "startTime"})
_WORDS = frozenset({"messages", "response", "proxy_server_request"})
_ASKED = ("messages", "input", "prompt")
# parts of the names of calls that are no conversation
_SILENT = (
    *("embedding", "moderation", "rerank", "search", "ocr", "transcription", "speech", "image", "video"),
    *("file", "batch", "fine_tuning", "vector_store", "mcp"),
)
# what litellm writes in the place of words, and where it has cut a long one
_REDACTED = "redacted-by-litellm"
_TRUNCATED = "litellm_truncated"


def is_litellm(value: Any) -> bool:
    """Whether a record is a row of the spend logs, or the standard logging payload of a callback."""
    return type(value) is dict and value.keys() >= _ROW and not _WORDS.isdisjoint(value)


def parse_litellm(record: Any, location: Location) -> Sequence[Item]:
    """The conversation of a row; a row of a call that is none is left out. Raises `Unreadable`."""
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    kind = record.get("call_type")
    if isinstance(kind, str) and any(silent in kind for silent in _SILENT):
        return (LeftOut(location, "a call that is no conversation, as its call_type says"),)
    row = {**record, **{field: unpack_json(record[field]) for field in _PACKED if field in record}}
    request, response = _find_request(row), row.get("response") or None
    if request is None and response is None:
        raise Unreadable(
            'no content is stored: "messages", "proxy_server_request" and "response" are empty; '
            "the proxy keeps it with store_prompts_in_spend_logs: true"
        )
    if tell_api(response) is None and (request is None or not isinstance(response, str)):
        raise Unreadable(_explain_missing(row))
    metadata = row.get("metadata")
    if isinstance(metadata, dict):
        # most are null, and one of them would stand before the status of the call
        row["metadata"] = {key: value for key, value in metadata.items() if value is not None}
    beside = {key: value for key, value in row.items() if key not in _WORDS}
    return (_mark(build_exchange(Exchange(request, response, beside), location, row.get("request_id"))),)


def _find_request(row: dict[str, Any]) -> dict[str, Any] | None:
    """What was asked: the messages of the row, else the body that the proxy was sent."""
    messages = row.get("messages")
    if isinstance(messages, dict) and any(messages.get(field) for field in _ASKED):
        return messages
    if messages and isinstance(messages, list | str):
        return {"messages" if isinstance(messages, list) else "prompt": messages}
    sent = row.get("proxy_server_request")
    sent = sent.get("body", sent) if isinstance(sent, dict) else sent
    return sent if isinstance(sent, dict) and any(sent.get(field) for field in _ASKED) else None


def _explain_missing(row: dict[str, Any]) -> str:
    if row.get("status") == "failure":
        return "the call failed: there is no response"
    return 'no content is stored: "response" holds no answer'


def _mark(transcript: Transcript) -> Transcript:
    """The transcript, its metadata saying where words were cut. Raises `Unreadable` where they were taken out."""
    texts = [message.text for message in transcript.messages]
    if _REDACTED in texts:
        raise Unreadable("no content is stored: litellm has redacted it")
    if any(_TRUNCATED in text for text in texts):
        transcript.metadata[_TRUNCATED] = True
    return transcript


LITELLM = Format(
    name="litellm",
    title="rows of the spend logs of a LiteLLM proxy",
    recognises=is_litellm,
    start=alone(parse_litellm),
    example=(
        '{"request_id": "chatcmpl-1", "call_type": "acompletion", "startTime": "2026-11-02 09:20:46", '
        '"model": "example-1", "metadata": "{\\"user_api_key_alias\\": \\"shop\\"}", "messages": "{}", '
        '"proxy_server_request": "{\\"messages\\": [{\\"role\\": \\"user\\", '
        '\\"content\\": \\"May I return a worn coat?\\"}]}", '
        '"response": "{\\"choices\\": [{\\"message\\": {\\"role\\": \\"assistant\\", '
        '\\"content\\": \\"Yes, within 30 days.\\"}}]}"}\n'
    ),
)
