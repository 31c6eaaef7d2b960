"""ChatGPT's data export: conversations as trees of nodes, of which one branch is what the person saw last."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from valueaudit.readers.building import build_transcript, gather_metadata, names
from valueaudit.readers.content import Unreadable, describe_call, find_role, name_kind, quote
from valueaudit.readers.format import Format, alone
from valueaudit.readers.lenient import list_of, name_file, object_of, say
from valueaudit.readers.tree import Link, find_way, read_key, read_keys, read_time
from valueaudit.transcript import Item, LeftOut, Location, Message, Role

_IDS = ("conversation_id", "id")
_LOOKED_AT = 8
_THOUGHTS = frozenset({"thoughts", "reasoning_recap"})
# what the person or the model wrote down once for all conversations, repeated in each
_CONTEXTS = frozenset({"user_editable_context", "model_editable_context"})
_CONTEXT_FIELDS = ("user_profile", "user_instructions", "model_set_context", "repository", "repo_summary")


def is_chatgpt(value: Any) -> bool:
    """Whether a record has a mapping of nodes."""
    if type(value) is not dict or "mapping" not in value:
        return False
    mapping = value["mapping"]
    if "current_node" in value or not isinstance(mapping, dict):
        return "current_node" in value
    nodes = [node for node in islice(mapping.values(), _LOOKED_AT) if isinstance(node, dict)]
    return any("message" in node for node in nodes) or (not mapping and "create_time" in value)


def parse_chatgpt(record: Any, location: Location) -> Sequence[Item]:
    """The branch of a record that is current. Raises `Unreadable`."""
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    mapping = record.get("mapping")
    if type(mapping) is not dict:
        raise Unreadable(f'"mapping" is {name_kind(mapping)}, not an object')
    nodes = {key: node for key, node in mapping.items() if isinstance(node, dict)}
    way = find_way({key: _read_link(node) for key, node in nodes.items()}, read_key(record.get("current_node")))
    raws = [(key, nodes[key]["message"]) for key in way.keys if nodes[key].get("message") is not None]
    said = [(raw, _read_message(raw, key)) for key, raw in raws]
    messages = [message for _, message in said if message.text or message.attachments]
    if not messages:
        return (LeftOut(location, "a conversation in which nothing was said"),)
    id_field = next((field for field in _IDS if names(record.get(field))), None)
    metadata = gather_metadata(record, {"mapping", "current_node", *_IDS})
    if "model" not in metadata:
        slugs = [object_of(raw.get("metadata")).get("model_slug") for raw, one in said if one.role is Role.ASSISTANT]
        model = next((slug for slug in (*slugs, record.get("default_model_slug")) if isinstance(slug, str)), None)
        metadata |= {} if model is None else {"model": model}
    identity = record[id_field] if id_field is not None else None
    return (build_transcript(messages, location, identity=identity, metadata=metadata, branches=way.branches),)


def _read_link(node: dict[str, Any]) -> Link:
    when = read_time(object_of(node.get("message")).get("create_time"))
    return Link(read_key(node.get("parent")), read_keys(node.get("children")), when)


def _read_message(raw: Any, key: str) -> Message:
    if not isinstance(raw, dict):
        raise Unreadable(f"the message of node {quote(key)} is {name_kind(raw)}, not an object")
    name = object_of(raw.get("author")).get("role")
    if not isinstance(name, str):
        raise Unreadable(f'the message of node {quote(key)} has no "author.role"')
    content = raw.get("content")
    kind = str(object_of(content).get("content_type"))
    if kind in _CONTEXTS:
        return Message(Role.SYSTEM, _read_context(object_of(content)))
    # plugins and parts of the program have roles of their own
    role = find_role(name) or Role.TOOL
    hidden = object_of(raw.get("metadata")).get("is_visually_hidden_from_conversation") is True
    said = _read_content(content, role)
    if role is Role.ASSISTANT:
        return _read_assistant(raw, said, kind, hidden=hidden)
    if role is Role.USER and not hidden:
        return Message(role, said.text, (*said.attachments, *_name_files(raw, said)))
    return Message(Role.SYSTEM if role is Role.USER else role, said.text, said.attachments)


def _read_assistant(raw: dict[str, Any], said: Message, kind: str, *, hidden: bool) -> Message:
    recipient = raw.get("recipient")
    if kind in _THOUGHTS or raw.get("channel") == "analysis":
        return Message(Role.ASSISTANT, "", ("thinking, not read",))
    if kind == "code" or (isinstance(recipient, str) and recipient != "all"):
        named = recipient if recipient != "all" else object_of(raw.get("content")).get("language")
        return Message(Role.ASSISTANT, "", (describe_call(named, said.text),)) if said.text else Message(said.role, "")
    if hidden and said.text:
        return Message(Role.ASSISTANT, "", ("text hidden from the user, not read",))
    return said


def _read_content(content: Any, role: Role) -> Message:
    if not isinstance(content, dict):
        return say(role, content)
    parts = [_read_part(part) for part in list_of(content.get("parts")) if part is not None]
    if not parts:
        parts = [content[field] for field in ("text", "result") if isinstance(content.get(field), str)]
    message = say(role, parts)
    return Message(role, message.text, message.attachments)


def _read_part(part: Any) -> Any:
    """The part by the names that `say` knows."""
    if not isinstance(part, dict):
        return part
    kind = str(part.get("content_type", part.get("type")))
    if kind == "audio_transcription":
        return {"type": "text", "text": part.get("text")}
    medium = next((name for name in ("video", "audio", "image") if name in kind), None)
    return {"type": medium or kind}


def _read_context(content: dict[str, Any]) -> str:
    return "\n".join(content[field] for field in _CONTEXT_FIELDS if isinstance(content.get(field), str)).strip()


def _name_files(raw: dict[str, Any], said: Message) -> tuple[str, ...]:
    """The files beside a message; an image that is a part of it too is named there."""
    files = list_of(object_of(raw.get("metadata")).get("attachments"))
    shown = "image" in said.attachments
    images = [shown and str(object_of(file).get("mime_type")).startswith("image/") for file in files]
    return tuple(name_file(file, "name") for file, is_shown in zip(files, images, strict=True) if not is_shown)


CHATGPT = Format(
    name="chatgpt",
    title="the data export of ChatGPT (conversations.json)",
    recognises=is_chatgpt,
    start=alone(parse_chatgpt),
    example=(
        '[{"id": "c1", "title": "Coat", "create_time": 1767225600, "current_node": "b", "mapping": {'
        '"a": {"id": "a", "parent": null, "children": ["b"], "message": {"author": {"role": "user"}, '
        '"content": {"content_type": "text", "parts": ["May I return a worn coat?"]}}}, '
        '"b": {"id": "b", "parent": "a", "children": [], "message": {"author": {"role": "assistant"}, '
        '"content": {"content_type": "text", "parts": ["Yes, within 30 days."]}, '
        '"metadata": {"model_slug": "example-1"}}}}}]\n'
    ),
)
