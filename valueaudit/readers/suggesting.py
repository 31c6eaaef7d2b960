"""The mapping that would read a record of a format nobody knows, so that a stranger's log is one flag away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from valueaudit.errors import UsageError
from valueaudit.readers.columns import CONVERSATION_IDS, squash
from valueaudit.readers.content import find_role
from valueaudit.readers.format import Record
from valueaudit.readers.mapping import parse_mapping
from valueaudit.readers.pointers import MISSING, Pointer, build_pointer, follow
from valueaudit.transcript import Location, Transcript

# most telling first: a message may have a "role" and a "name"
_SPEAKERS = (
    "role",
    "from",
    "speaker",
    "sender",
    "author",
    "senttype",
    "sendertype",
    "authortype",
    "participant",
    "actor",
    "party",
    "who",
    "by",
    "user",
    "name",
    "source",
    "direction",
    "type",
    "kind",
)
_WORDS = (
    "text",
    "content",
    "utterance",
    "message",
    "body",
    "value",
    "msg",
    "said",
    "words",
    "transcript",
    "sentence",
    "speech",
    "line",
)
_ASKING = ("user", "human", "prompt", "question", "query", "customer", "client", "q", "ask", "instruction", "input")
_ANSWERING = (
    "assistant",
    "response",
    "answer",
    "reply",
    "completion",
    "bot",
    "agent",
    "ai",
    "a",
    "generation",
    "output",
)
_ROW_IDS = CONVERSATION_IDS | {"call", "callid", "ticket", "ticketid", "case", "caseid", "dialogueid", "roomid"}
# fields that say who speaks only where they name somebody known
_WEAK = frozenset({"user", "name", "source", "direction", "type", "kind"})
# what speakers are called who are neither "user" nor "assistant"
_NAMES = {
    **dict.fromkeys(("customer", "client", "caller", "visitor", "guest", "patient", "student", "member"), "user"),
    **dict.fromkeys(("end-user", "end_user", "enduser", "usr", "me", "player", "seeker", "inbound"), "user"),
    **dict.fromkeys(("agent", "support", "operator", "representative", "advisor", "tutor", "outbound"), "assistant"),
    **dict.fromkeys(("chatbot", "virtual_agent", "virtual agent", "gpt", "chatgpt", "claude", "llm"), "assistant"),
}
_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_SPACE = re.compile(r"\s")
_DEEPEST = 4
_MOST_LOOKED_AT = 20
_LONGEST_NAME = 40


class Suggestion(Struct, frozen=True):
    """What to give to `--map`; `names_speakers` is False where somebody must still say who the speakers are."""

    mapping: str
    names_speakers: bool = True


def suggest_mapping(value: Any) -> Suggestion | None:
    """The mapping by which this record can be read, None where nothing in its shape says so.

    It was tried on the record. It names fields, and of what they hold only speakers that are called by a common noun.
    """
    for steps, messages in find_lists(value):
        found = _suggest_list(value, steps, messages)
        if found is not None:
            return found
    return _suggest_row(value) or _suggest_pair(value)


def find_lists(value: Any, steps: Pointer = ()) -> Iterator[tuple[Pointer, list[dict[str, Any]]]]:
    """Every list of objects in a record, with the way to it; those that lie in such a list are not looked for."""
    if type(value) is list:
        if value and all(type(each) is dict for each in value[:_MOST_LOOKED_AT]):
            yield steps, value
    elif type(value) is dict and len(steps) < _DEEPEST:
        for key, child in value.items():
            yield from find_lists(child, (*steps, key))


def _suggest_list(value: Any, steps: Pointer, messages: list[dict[str, Any]]) -> Suggestion | None:
    seen = messages[:_MOST_LOOKED_AT]
    role = _find_speaker(seen)
    text = None if role is None else _find_words(seen, role)
    if role is None or text is None:
        return None
    place = build_pointer(steps)
    named = f"messages={_escape(place)},role={_escape(build_pointer(role))},text={_escape(build_pointer(text))}"
    return _add_names(value, named, role, [follow(message, role) for message in messages])


def _suggest_row(value: Any) -> Suggestion | None:
    if type(value) is not dict:
        return None
    role = _find_speaker([value])
    text = None if role is None else _find_words([value], role, known_only=True)
    key = next((name for name in value if squash(name) in _ROW_IDS and type(value[name]) in (str, int)), None)
    if role is None or text is None or key is None:
        return None
    places = (f"role={_name(role)}", f"text={_name(text)}", f"id={_name((key,))}")
    return _add_names(value, ",".join(places), role, [follow(value, role)])


def _suggest_pair(value: Any) -> Suggestion | None:
    texts = {steps: text for steps, text in _leaves(value) if text.strip()}
    spoken = [steps for steps, text in texts.items() if _SPACE.search(text.strip())]
    asked = _find_column(texts, spoken, _ASKING)
    answered = _find_column(texts, spoken, _ANSWERING)
    if (asked is None or answered is None) and len(spoken) == 2:
        asked, answered = spoken
    if asked is None or answered is None or asked == answered:
        return None
    return _check(value, f"user={_name(asked)},assistant={_name(answered)}")


def _find_column(texts: dict[Pointer, str], spoken: list[Pointer], wanted: Sequence[str]) -> Pointer | None:
    """The column whose whole name is one of `wanted`, else one that is spoken and has it in its name."""
    named = (steps for name in wanted for steps in spoken if name in _tokens(steps[-1]))
    return _find_called(texts, wanted) or next(named, None)


def _tokens(name: str) -> list[str]:
    """The words of a name, `customer_message` or `botText`; single letters are none."""
    return [token.lower() for token in _TOKEN.findall(name) if len(token) > 1]


def _find_speaker(messages: list[dict[str, Any]]) -> Pointer | None:
    short = [steps for steps, text in _leaves(messages[0]) if 0 < len(text) <= _LONGEST_NAME]
    everywhere = [steps for steps in short if all(isinstance(follow(message, steps), str) for message in messages)]
    return _find_called(everywhere, _SPEAKERS)


def _find_words(messages: list[dict[str, Any]], role: Pointer, *, known_only: bool = False) -> Pointer | None:
    """Where a message has its words: a field that is called so, else the one with the longest texts."""
    leaves = {steps: text for steps, text in _leaves(messages[0]) if steps != role}
    everywhere = [s for s in leaves if all(follow(message, s) is not MISSING for message in messages)]
    spoken = [] if known_only else [steps for steps in everywhere if _SPACE.search(leaves[steps].strip())]
    longest = max(spoken, key=lambda steps: len(leaves[steps]), default=None)
    return _find_called(everywhere, _WORDS) or longest or _find_parts(messages)


def _find_parts(messages: list[dict[str, Any]]) -> Pointer | None:
    """Where every message has a list of parts with texts."""
    lists = [key for key in messages[0] if all(type(message.get(key)) is list for message in messages)]
    return next(((key,) for key in lists if any(type(p) is dict and "text" in p for p in messages[0][key])), None)


def _find_called(places: Iterable[Pointer], wanted: Sequence[str]) -> Pointer | None:
    """The place whose last step has the first of these names, however it is written."""
    ranks = {steps: wanted.index(name) for steps in places if (name := squash(steps[-1])) in wanted}
    return min(ranks, key=lambda steps: ranks[steps], default=None)


def _leaves(value: Any, steps: Pointer = ()) -> Iterator[tuple[Pointer, str]]:
    """Every text in nested objects, with the way to it."""
    if isinstance(value, str) and steps:
        yield steps, value
    elif type(value) is dict and len(steps) < _DEEPEST:
        for key, child in value.items():
            yield from _leaves(child, (*steps, key))


def _add_names(value: Any, mapping: str, role: Pointer, speakers: Sequence[Any]) -> Suggestion | None:
    names = dict.fromkeys(name.strip().lower() for name in speakers if isinstance(name, str))
    strangers = [name for name in names if find_role(name) is None]
    known = "".join(f",role:{name}={_NAMES[name]}" for name in strangers if name in _NAMES)
    others = [name for name in strangers if name not in _NAMES]
    if len(others) == len(names) and squash(role[-1]) in _WEAK:
        return None
    # whoever is not known is anybody's guess, which only matters for the trial
    trial = "".join(f",role:{_escape(name)}=user" for name in others)
    return _check(value, mapping + known, trial)


def _check(value: Any, mapping: str, trial: str = "") -> Suggestion | None:
    """The suggestion where it makes a conversation of the record that it was made from."""
    try:
        parser = parse_mapping(mapping + trial).start()
    except UsageError:
        return None
    items = [*parser.feed(Record(value, Location(""))), *parser.close()]
    reads = bool(items) and all(isinstance(item, Transcript) for item in items)
    return Suggestion(mapping, names_speakers=not trial) if reads else None


def _name(steps: Pointer) -> str:
    """A column by its name, what lies deeper by a pointer."""
    return _escape(steps[0] if len(steps) == 1 and not steps[0].startswith("/") else build_pointer(steps))


def _escape(name: str) -> str:
    return name.replace(",", "\\,")
