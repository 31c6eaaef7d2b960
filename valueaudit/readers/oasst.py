"""OpenAssistant's trees of messages, as rows or whole trees: the way that was ranked best is the conversation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from valueaudit.readers.building import build_transcript, gather_metadata, names
from valueaudit.readers.content import Unreadable, find_role, name_kind, quote
from valueaudit.readers.format import Format, Record
from valueaudit.transcript import BadRecord, Item, Location, Message, Role, Transcript

_PROMPTER = "prompter"
_OF_THE_TREE = frozenset({"message_id", "parent_id", "message_tree_id", "text", "role", "rank", "replies", "prompt"})
_LAST = float("inf")


class _Node(Struct, frozen=True):
    id: str
    parent: str | None
    message: Message
    raw: dict[str, Any]
    location: Location


def is_oasst(value: Any) -> bool:
    """Whether a record is one message of a tree, or a whole one."""
    if type(value) is not dict:
        return False
    if "message_tree_id" in value and type(value.get("prompt")) is dict:
        return "role" in value["prompt"] and "text" in value["prompt"]
    return {"message_id", "parent_id", "role", "text"} <= value.keys()


class Oasst:
    """Gathers the messages of a source; a tree that is one record is told at once."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}

    def feed(self, record: Record) -> Iterable[Item]:
        """The conversation of a record that is a tree; of a message nothing yet, or one `BadRecord`."""
        try:
            if type(record.value) is not dict:
                raise Unreadable(f"{name_kind(record.value)}, not an object")
            if type(record.value.get("prompt")) is dict:
                return tuple(_build_all(_flatten(record.value, record.location), record.value))
            node = _parse_node(record.value, record.location, record.value.get("parent_id"))
            if node.id in self._nodes:
                raise Unreadable('a second message with this "message_id"')
            self._nodes[node.id] = node
        except Unreadable as error:
            return (BadRecord(record.location, error.reason),)
        return ()

    def close(self) -> Iterable[Item]:
        """One conversation for each first message, in the order of the source."""
        yield from _build_all(self._nodes, {})


def _flatten(tree: dict[str, Any], location: Location) -> dict[str, _Node]:
    """The messages of a tree by id. Raises `Unreadable`."""
    nodes: dict[str, _Node] = {}
    waiting: list[tuple[Any, str | None]] = [(tree["prompt"], None)]
    while waiting:
        raw, parent = waiting.pop(0)
        if type(raw) is not dict:
            raise Unreadable(f"a reply is {name_kind(raw)}, not an object")
        node = _parse_node(raw, location, parent)
        if node.id in nodes:
            raise Unreadable('two messages with the same "message_id"')
        nodes[node.id] = node
        replies = raw.get("replies")
        waiting += [(reply, node.id) for reply in replies] if type(replies) is list else []
    return nodes


def _parse_node(raw: dict[str, Any], location: Location, parent: object) -> _Node:
    if not names(raw.get("message_id")):
        raise Unreadable('no "message_id"')
    name = raw.get("role")
    role = Role.USER if name == _PROMPTER else find_role(name)
    if role is None:
        known = quote(name) if isinstance(name, str) else name_kind(name)
        raise Unreadable(f"the unknown role {known}; known are {_PROMPTER}, assistant")
    text = raw.get("text")
    if not isinstance(text, str):
        raise Unreadable(f'"text" is {name_kind(text)}, not a string')
    above = str(parent) if names(parent) else None
    return _Node(str(raw["message_id"]), above, Message(role, text), raw, location)


def _build_all(nodes: dict[str, _Node], tree: dict[str, Any]) -> Iterator[Item]:
    replies: dict[str, list[_Node]] = defaultdict(list)
    roots: list[_Node] = []
    for node in nodes.values():
        # a message whose parent is not in the file begins a conversation that lacks its beginning
        if node.parent is None or node.parent not in nodes:
            roots.append(node)
        else:
            replies[node.parent].append(node)
    reached: set[str] = set()
    for root in roots:
        yield _build(root, replies, tree, reached)
    for node in nodes.values():
        if node.id not in reached:
            yield BadRecord(node.location, 'the parents of this message lead back to it: "parent_id"')


def _build(root: _Node, replies: dict[str, list[_Node]], tree: dict[str, Any], reached: set[str]) -> Transcript:
    leaves = 0
    waiting = [root]
    while waiting:
        node = waiting.pop()
        reached.add(node.id)
        waiting += replies[node.id]
        leaves += not replies[node.id]
    way = [root]
    while replies[way[-1].id]:
        way.append(min(replies[way[-1].id], key=_preference))
    record = {name: value for name, value in {**root.raw, **tree}.items() if value is not None}
    metadata = gather_metadata(record, _OF_THE_TREE)
    model = next((node.raw["model_name"] for node in way if isinstance(node.raw.get("model_name"), str)), None)
    if model is not None:
        metadata["model"] = model
    identity = record.get("message_tree_id") or root.id
    return build_transcript(_messages(way), root.location, identity=identity, metadata=metadata, branches=leaves - 1)


def _messages(way: Sequence[_Node]) -> list[Message]:
    return [node.message for node in way]


def _preference(node: _Node) -> tuple[bool, float]:
    """The best ranked reply comes first (0 is the best), those that were deleted last; else the first in the source."""
    rank = node.raw.get("rank")
    return node.raw.get("deleted") is True, rank if isinstance(rank, int | float) else _LAST


OASST = Format(
    name="oasst",
    title="OpenAssistant: trees of messages, as rows or whole",
    recognises=is_oasst,
    start=Oasst,
    example=(
        '{"message_id": "m1", "parent_id": null, "message_tree_id": "m1", "role": "prompter", "text": "Is it open?"}\n'
        '{"message_id": "m2", "parent_id": "m1", "message_tree_id": "m1", "role": "assistant", "text": "Until five."}\n'
    ),
)
