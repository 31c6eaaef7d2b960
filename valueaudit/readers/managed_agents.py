"""Events of sessions with Claude's managed agents, one a line, bare or behind the call of the SDK that gave them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from valueaudit.readers.building import build_transcript
from valueaudit.readers.content import Unreadable, name_kind, parse_message, quote
from valueaudit.readers.format import Format, Record
from valueaudit.readers.steps import at, first_text, known
from valueaudit.transcript import BadRecord, Item, LeftOut, Location, Message, Metadata, Role

_CALLS = "client.beta.sessions."
_SPEECH = {"user.message": "user", "agent.message": "assistant"}
_SILENT_ROOTS = ("user.", "agent.", "session.", "span.")


def is_managed_agents(value: Any) -> bool:
    """Whether a record is an event of a session, or a call of the SDK's sessions with what it was given or gave."""
    if type(value) is list:
        return len(value) == 2 and isinstance(value[0], str) and value[0].startswith(_CALLS)
    kind = value.get("type") if type(value) is dict else None
    return isinstance(kind, str) and kind.startswith(_SILENT_ROOTS) and "processed_at" in value


class _Session:
    """One session: where it began, what is known of it, and what was said."""

    def __init__(self, location: Location, metadata: Metadata) -> None:
        self.location = location
        self.metadata = metadata
        self.messages: list[Message] = []
        self.sent: list[Message] = []
        self.seen: set[str] = set()


class ManagedAgents:
    """Gathers the events of a session; a new one begins where one is created."""

    def __init__(self) -> None:
        self._session: _Session | None = None

    def feed(self, record: Record) -> Iterator[Item]:
        """The session before where this record begins a new one, and what is no event."""
        value, location = record
        call, body = value if is_managed_agents(value) and type(value) is list else ("", value)
        if call == f"{_CALLS}create" and type(body) is dict:
            yield from self.close()
            self._session = _Session(location, _gather(body))
            return
        if self._session is None:
            self._session = _Session(location, {})
        try:
            if call == f"{_CALLS}events.send":
                for event in _sent(body):
                    self._session.sent += _read(event, location)
                return
            yield from _add(self._session, body, location)
        except Unreadable as error:
            yield BadRecord(location, error.reason)

    def close(self) -> Sequence[Item]:
        """The session that is open."""
        session, self._session = self._session, None
        if session is None:
            return ()
        # the stream repeats what was sent, at the place where the agent came to it
        messages = session.messages
        if not any(message.role is Role.USER for message in messages):
            messages = session.sent + messages
        if not messages:
            return (LeftOut(session.location, "a session in which nothing was said"),)
        metadata = session.metadata
        return (build_transcript(messages, session.location, identity=metadata.get("session_id"), metadata=metadata),)


def _add(session: _Session, event: Any, location: Location) -> Iterator[Item]:
    identity = event.get("id") if type(event) is dict else None
    if isinstance(identity, str):
        if identity in session.seen:
            yield LeftOut(location, "an event that was there before")
            return
        session.seen.add(identity)
    messages = _read(event, location)
    session.messages += messages
    if not messages:
        yield LeftOut(location, f"an event of type {quote(str(event['type']))}, which holds no speech of its own")


def _sent(body: Any) -> Sequence[Any]:
    """The events of a call that sends some: the id of the session, then the events."""
    events = at(body[-1], "events") if type(body) is list and body else None
    if type(events) is not list:
        raise Unreadable("a call that sends events without any")
    return events


def _read(event: Any, location: Location) -> list[Message]:
    """The message of an event, none where it holds no speech. Raises `Unreadable`."""
    if type(event) is not dict:
        raise Unreadable(f"an event is {name_kind(event)}, not an object")
    kind = event.get("type")
    if not isinstance(kind, str):
        raise Unreadable("an event has no type")
    if kind in _SPEECH:
        raw: dict[str, Any] = {"role": _SPEECH[kind], "content": event.get("content", [])}
    elif kind == "agent.thinking":
        raw = {"role": "assistant", "content": [{"type": "thinking"}]}
    elif kind.startswith("agent.") and kind.endswith("tool_use"):
        call = {"type": "tool_use", "name": event.get("name"), "input": event.get("input")}
        raw = {"role": "assistant", "content": [call]}
    elif kind.endswith("tool_result"):
        raw = {"role": "tool", "content": [{"type": "tool_result", "content": event.get("content")}]}
    elif kind.startswith(_SILENT_ROOTS):
        return []
    else:
        raise Unreadable(f"an event has the unknown type {quote(kind)}")
    return [parse_message(raw, 0)]


def _gather(session: dict[str, Any]) -> Metadata:
    """What the session and its agent say of themselves; the session's own metadata win."""
    own = session.get("metadata")
    told = known(
        (
            ("model", first_text(at(session, "agent", "model", "id"), at(session, "agent", "model"))),
            ("time", session.get("created_at")),
            ("session_id", session.get("id")),
            ("title", session.get("title")),
            ("agent", at(session, "agent", "name")),
            ("instructions", at(session, "agent", "system")),
        )
    )
    return told | (own if type(own) is dict else {})


MANAGED_AGENTS = Format(
    name="managed-agents",
    title="Claude managed agents, session events",
    recognises=is_managed_agents,
    start=ManagedAgents,
    example=(
        '["client.beta.sessions.create", {"id": "sesn_1", "agent": {"model": {"id": "example-1"}}}]\n'
        '["client.beta.sessions.events.stream", {"id": "sevt_1", "processed_at": "2026-01-05T10:00:00Z", '
        '"type": "user.message", "content": [{"type": "text", "text": "May I return a worn coat?"}]}]\n'
        '["client.beta.sessions.events.stream", {"id": "sevt_2", "processed_at": "2026-01-05T10:00:02Z", '
        '"type": "agent.message", "content": [{"type": "text", "text": "Yes, within 30 days."}]}]\n'
    ),
)
