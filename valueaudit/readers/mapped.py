"""Records in a shape that their owner describes by naming where roles, texts and ids lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from valueaudit.readers.building import build_transcript, gather_metadata, names
from valueaudit.readers.content import Unreadable, find_role, name_kind, parse_message_at, quote
from valueaudit.readers.format import Record
from valueaudit.readers.gathering import Gathering
from valueaudit.readers.pointers import MISSING, Pointer, follow
from valueaudit.transcript import BadRecord, Item, Location, Message, Metadata, Role


class Place(Struct, frozen=True):
    """Where something lies in a record or a message: the steps to it, and how the user wrote them."""

    steps: Pointer
    written: str


class Beside(Struct, frozen=True):
    """What a record says beside its speech. Of several ids or models the first that is there counts."""

    system: tuple[Place, ...]
    id: tuple[Place, ...]
    model: tuple[Place, ...]
    metadata: tuple[tuple[str, Place], ...]


class Pair(Struct, frozen=True):
    """A prompt and a reply; where one has several places, those that are there are one text, a line each."""

    user: tuple[Place, ...]
    assistant: tuple[Place, ...]


class Spoken(Struct, frozen=True):
    """A message; `roles` are those of the names that speakers have in the log, in small letters."""

    role: Place
    text: Place
    roles: dict[str, Role]


def parse_mapped_pair(pair: Pair, beside: Beside, record: Any, location: Location) -> Sequence[Item]:
    """The conversation of a record with a prompt and a reply. Raises `Unreadable`."""
    lacking = [places[0] for places in (pair.user, pair.assistant) if not _any_there(record, places)]
    if lacking:
        raise Unreadable(f"no {', '.join(quote(place.written) for place in lacking)}")
    messages = [
        *_parse_system(beside, record),
        Message(Role.USER, _join_texts(record, pair.user)),
        Message(Role.ASSISTANT, _join_texts(record, pair.assistant)),
    ]
    return (_build(beside, record, location, messages, (*pair.user, *pair.assistant)),)


def parse_mapped_list(
    messages: Place, spoken: Spoken, beside: Beside, record: Any, location: Location
) -> Sequence[Item]:
    """The conversation of a record with a list of messages. Raises `Unreadable`."""
    raws = follow(record, messages.steps)
    if raws is MISSING:
        raise Unreadable(f"no {quote(messages.written)}")
    if type(raws) is not list:
        raise Unreadable(f"{quote(messages.written)} is {name_kind(raws)}, not a list")
    said = [_parse_message(spoken, raw, f"{quote(messages.written)}[{index}]") for index, raw in enumerate(raws)]
    # after the last, so that every index is the one the message has in the source
    return (_build(beside, record, location, said + _parse_system(beside, record), (messages,)),)


class MappedRows:
    """One message a record, gathered by the id of the conversation until the source ends."""

    def __init__(self, spoken: Spoken, beside: Beside) -> None:
        self._spoken = spoken
        self._beside = beside
        self._gathering = Gathering()

    def feed(self, record: Record) -> Iterable[Item]:
        """Nothing yet, or one `BadRecord`."""
        row, spoken, beside = record.value, self._spoken, self._beside
        try:
            message = _parse_message(spoken, row, "the record")
            identity = _find_name(row, beside.id)
            if identity is None:
                raise Unreadable(f"no {quote(beside.id[0].written)}")
        except Unreadable as error:
            return (BadRecord(record.location, error.reason),)
        self._gathering.add(
            str(identity),
            record.location,
            (message,),
            row if type(row) is dict else {},
            _gather(beside, row, (spoken.role, spoken.text)),
            identity=identity,
            model=_find_name(row, beside.model) if message.role is Role.ASSISTANT else None,
        )
        return ()

    def close(self) -> Iterable[Item]:
        """Every conversation."""
        return self._gathering.close()


def _build(
    beside: Beside, record: Any, location: Location, messages: Sequence[Message], speech: Sequence[Place]
) -> Item:
    metadata = _gather(beside, record, speech)
    model = _find_name(record, beside.model)
    if model is not None:
        metadata["model"] = model
    return build_transcript(messages, location, identity=_find_name(record, beside.id), metadata=metadata)


def _gather(beside: Beside, record: Any, speech: Sequence[Place]) -> Metadata:
    """The fields of a record of which nothing is named, and what is named as metadata."""
    named = (*beside.id, *beside.model, *(place for _, place in beside.metadata))
    columns = [place for place in named if len(place.steps) == 1]
    left_out = {place.steps[0] for place in (*speech, *beside.system, *columns) if place.steps}
    metadata = gather_metadata(record, left_out) if type(record) is dict else {}
    found = ((name, follow(record, place.steps)) for name, place in beside.metadata)
    return metadata | {name: value for name, value in found if value is not MISSING}


def _parse_message(spoken: Spoken, raw: Any, where: str) -> Message:
    speaker, text = follow(raw, spoken.role.steps), follow(raw, spoken.text.steps)
    for value, place in ((speaker, spoken.role), (text, spoken.text)):
        if value is MISSING:
            raise Unreadable(f"{where} has no {quote(place.written)}")
    if not isinstance(speaker, str):
        raise Unreadable(f"{quote(spoken.role.written)} of {where} is {name_kind(speaker)}, not a string")
    role = spoken.roles.get(speaker.strip().lower()) or find_role(speaker)
    if role is None:
        raise Unreadable(f"{where} has the unknown role {quote(speaker)}; say what it is with role:NAME=user")
    if text is not None and not isinstance(text, str | list):
        raise Unreadable(f"{quote(spoken.text.written)} of {where} is {name_kind(text)}, not a text")
    return parse_message_at({"role": role, "content": text}, where)


def _parse_system(beside: Beside, record: Any) -> list[Message]:
    if not _any_there(record, beside.system):
        return []
    text = _join_texts(record, beside.system, may_be_empty=True)
    return [Message(Role.SYSTEM, text)] if text else []


def _any_there(record: Any, places: Sequence[Place]) -> bool:
    return any(follow(record, place.steps) not in (MISSING, None) for place in places)


def _join_texts(record: Any, places: Sequence[Place], *, may_be_empty: bool = False) -> str:
    texts: list[str] = []
    for place in places:
        text = follow(record, place.steps)
        if text is MISSING or text is None:
            continue
        if not isinstance(text, str):
            raise Unreadable(f"{quote(place.written)} is {name_kind(text)}, not a text")
        texts.append(text)
    joined = "\n".join(text for text in texts if text.strip())
    if not joined and not may_be_empty:
        raise Unreadable(f"{quote(places[0].written)} is empty")
    return joined


def _find_name(record: Any, places: Sequence[Place]) -> Any:
    """The first of these that can name something."""
    found = (follow(record, place.steps) for place in places)
    return next((value for value in found if names(value)), None)
