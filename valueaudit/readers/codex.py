"""Session files of Codex, in which the program speaks in the user's name and says every message twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from valueaudit.readers.building import build_transcript, point_below
from valueaudit.readers.content import Unreadable, describe_call, find_role, name_kind, quote
from valueaudit.readers.format import Format, Record
from valueaudit.readers.lenient import list_of, object_of, say
from valueaudit.readers.tree import read_key
from valueaudit.transcript import BadRecord, Item, LeftOut, Location, Message, Metadata, Role

_LINES = frozenset(
    {
        "session_meta",
        "response_item",
        "event_msg",
        "turn_context",
        "compacted",
        "world_state",
        "inter_agent_communication",
        "inter_agent_communication_metadata",
    }
)
_TEXTS = frozenset({"input_text", "output_text", "input_image"})
# not of the session: the vendor's own prompt, and what only says how the file is kept
_NOT_KEPT = frozenset({"id", "session_id", "instructions", "base_instructions", "dynamic_tools", "context_window"})
_PUT_IN = re.compile(
    r"\s*(?:<(?:environment_context|user_instructions|permissions instructions|collaboration_mode|multi_agent_mode"
    r"|apps_instructions|plugins_instructions|skills_instructions|skill|turn_aborted|user_shell_command"
    r"|subagent_notification|personality_spec|model_switch|INSTRUCTIONS)\b|# AGENTS\.md|You are `/root`)"
)
_REQUEST = "## My request for Codex:"


def is_codex(value: Any) -> bool:
    """Whether a record is a line of a session file, of today's or of the first shape, or a whole session of that."""
    if type(value) is not dict:
        return False
    kind = value.get("type")
    if kind is None:
        if value.get("record_type") == "state" or _is_whole(value):
            return True
        return "instructions" in value and "id" in value and "timestamp" in value
    if not isinstance(kind, str):
        return False
    if kind in _LINES:
        return "payload" in value
    return _is_bare(kind, value)


def _is_whole(value: dict[str, Any]) -> bool:
    session = value.get("session")
    return type(session) is dict and "id" in session and type(value.get("items")) is list


def _is_bare(kind: str, item: dict[str, Any]) -> bool:
    if kind == "message":
        parts = [part for part in list_of(item.get("content")) if isinstance(part, dict)]
        return "role" in item and "status" not in item and any(str(part.get("type")) in _TEXTS for part in parts)
    if kind == "reasoning":
        return "summary" in item and "status" not in item
    return kind in ("function_call", "function_call_output", "local_shell_call") and "call_id" in item


class _Thread:
    """One session while its lines come in."""

    def __init__(self, meta: dict[str, Any], location: Location) -> None:
        self.identity = meta.get("id", meta.get("session_id"))
        self.parents = (meta.get("forked_from_id"), meta.get("parent_thread_id"))
        self.model: str | None = None
        self.items: list[Message] = []
        self.events: list[Message] = []
        self._location = location
        self._metadata: Metadata = {key: meta[key] for key in meta if key not in _NOT_KEPT and meta[key] is not None}
        self._rolled_back = 0

    def roll_back(self, turns: Any) -> None:
        """Takes back the last turns of the user; they are a branch that was left."""
        asked = (index for index in range(len(self.items) - 1, -1, -1) if self.items[index].role is Role.USER)
        taken_back = list(islice(asked, min(turns, len(self.items)))) if isinstance(turns, int) and turns > 0 else []
        if taken_back:
            del self.items[taken_back[-1] :]
            self._rolled_back += 1

    def close(self) -> Iterable[Item]:
        """The conversation, nothing where nothing was said."""
        spoke = any(message.role in (Role.USER, Role.ASSISTANT) for message in self.items)
        messages = self.items if spoke else self.events or self.items
        if not messages:
            return
        metadata = self._metadata if self.model is None else self._metadata | {"model": self.model}
        yield build_transcript(
            messages, self._location, identity=self.identity, metadata=metadata, branches=self._rolled_back
        )


class _Threads:
    """The parser of one file: its session, or those that were joined in it."""

    def __init__(self) -> None:
        self._threads: list[_Thread] = []

    def feed(self, record: Record) -> Iterable[Item]:
        """The lines that are no speech; conversations come at the end of the file."""
        value, location = record
        try:
            if not isinstance(value, dict):
                raise Unreadable(f"{name_kind(value)}, not an object")
            if _is_whole(value):
                self._threads.append(_Thread(value["session"], location))
                items = enumerate(list_of(value.get("items")))
                fed = [self._feed_item(item, point_below(location, "items", index)) for index, item in items]
                return [item for one in fed for item in one]
            return self._feed_line(value, location)
        except Unreadable as error:
            return (BadRecord(location, error.reason),)

    def close(self) -> Iterable[Item]:
        """Every session, in its order."""
        for thread in self._threads:
            yield from thread.close()

    def _feed_line(self, line: dict[str, Any], location: Location) -> Sequence[Item]:
        kind, payload = line.get("type"), line.get("payload")
        if not isinstance(kind, str) or kind not in _LINES:
            if isinstance(kind, str):
                return self._feed_item(line, location)
            if "id" in line:
                self._threads.append(_Thread(line, location))
            return (LeftOut(location, "no speech: the head of a session, or its state"),)
        if not isinstance(payload, dict):
            raise Unreadable(f'"payload" is {name_kind(payload)}, not an object')
        if kind == "response_item":
            return self._feed_item(payload, location)
        if kind == "session_meta":
            self._begin(payload, location)
        elif kind == "turn_context":
            thread = self._thread(location)
            thread.model = thread.model or read_key(payload.get("model"))
        elif kind == "event_msg":
            self._feed_event(payload, location)
        return (LeftOut(location, f"no speech of its own: a line of type {quote(kind)}"),)

    def _thread(self, location: Location) -> _Thread:
        if not self._threads:
            self._threads.append(_Thread({}, location))
        return self._threads[-1]

    def _begin(self, meta: dict[str, Any], location: Location) -> None:
        last = self._threads[-1] if self._threads else None
        identity = meta.get("id", meta.get("session_id"))
        # a fork repeats the head and the lines of the session it was forked from behind its own head
        if last is None or (last.items and identity != last.identity and identity not in last.parents):
            self._threads.append(_Thread(meta, location))

    def _feed_item(self, item: Any, location: Location) -> Sequence[Item]:
        """Raises nothing: what is wrong with an item is a bad record."""
        try:
            message = _read_item(item)
        except Unreadable as error:
            return (BadRecord(location, error.reason),)
        if message is None:
            return (LeftOut(location, f"no speech: an item of type {quote(str(item.get('type')))}"),)
        said = self._thread(location).items
        if _is_silent(message) and said and _is_silent(said[-1]):
            message = Message(message.role, "", (*said.pop().attachments, *message.attachments))
        said.append(message)
        return ()

    def _feed_event(self, event: dict[str, Any], location: Location) -> None:
        thread = self._thread(location)
        kind = event.get("type")
        if kind == "thread_rolled_back":
            thread.roll_back(event.get("num_turns"))
        item = object_of(event.get("item")) if kind == "item_completed" else event
        text = item.get("message", item.get("content"))
        if kind == "user_message" or item.get("type") == "UserMessage":
            thread.events.append(_read_request(say(Role.USER, text)))
        elif kind == "agent_message" or item.get("type") == "AgentMessage":
            thread.events.append(say(Role.ASSISTANT, text))


def _is_silent(message: Message) -> bool:
    return message.role is Role.ASSISTANT and not message.text


def _read_item(item: Any) -> Message | None:
    """The message of an item, None where it holds no speech. Raises `Unreadable`."""
    if not isinstance(item, dict):
        raise Unreadable(f"{name_kind(item)}, not an object")
    kind = item.get("type", "message")
    if kind == "message":
        return _read_message(item)
    if kind == "reasoning":
        return Message(Role.ASSISTANT, "", ("thinking, not read",))
    if isinstance(kind, str) and kind.endswith("_output"):
        return say(Role.TOOL, [{"type": "tool_result", "content": _unpack(item.get("output", item.get("tools")))}])
    if isinstance(kind, str) and kind.endswith("_call"):
        arguments = next((item[key] for key in ("arguments", "input", "action") if key in item), None)
        return Message(Role.ASSISTANT, "", (describe_call(item.get("name", kind.removesuffix("_call")), arguments),))
    return None


def _read_message(item: dict[str, Any]) -> Message:
    role = find_role(item.get("role"))
    if role is None:
        raise Unreadable(f'a message has no known "role", but {name_kind(item.get("role"))}')
    content = item.get("content")
    if not isinstance(content, str | list):
        raise Unreadable(f'"content" is {name_kind(content)}, not a string or a list of parts')
    if role is not Role.USER:
        return say(role, content)
    own = [part for part in list_of(content) if not _PUT_IN.match(str(object_of(part).get("text")))]
    if 0 < len(own) < len(content):
        return _read_request(say(role, own, ("context put in by the program, not read",)))
    return _read_request(say(role, content))


def _read_request(message: Message) -> Message:
    """What the user asked, without what the program put before it; a message of the program alone is a system one."""
    if _PUT_IN.match(message.text):
        return Message(Role.SYSTEM, message.text, message.attachments)
    before, found, request = message.text.partition(_REQUEST)
    if not found:
        return message
    context = ("context of the editor, not read",) if before.strip() else ()
    return Message(message.role, request.strip(), (*message.attachments, *context))


def _unpack(output: Any) -> Any:
    return output["content"] if isinstance(output, dict) and "content" in output else output


CODEX = Format(
    name="codex",
    title="session files of Codex (rollout JSONL)",
    recognises=is_codex,
    start=_Threads,
    example=(
        '{"timestamp": "2026-01-01T10:00:00Z", "type": "session_meta", "payload": {"id": "s1", "cwd": "/work"}}\n'
        '{"timestamp": "2026-01-01T10:00:01Z", "type": "response_item", "payload": {"type": "message", '
        '"role": "user", "content": [{"type": "input_text", "text": "Which files are there?"}]}}\n'
        '{"timestamp": "2026-01-01T10:00:02Z", "type": "response_item", "payload": {"type": "message", '
        '"role": "assistant", "content": [{"type": "output_text", "text": "Only one, a.txt."}]}}\n'
    ),
)
