"""Long conversations in parts that a judge can read, and their observations made one again.

Parts are cut between turns (before a message of the user), and between messages where one turn alone is too long.
Nothing is left out and no message is cut: one that is too long by itself cannot be judged, which is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from valueaudit.observation import Declared, HumanValue, Observation, ObservedValue, Polarity, ResponseType, State
from valueaudit.transcript import Message, Role

BYTES_PER_TOKEN = 3
MESSAGE_OVERHEAD = 20
SMALLEST_BUDGET = 500

_STATE_ORDER = (State.VIOLATED, State.SHOWN, State.UNSUPPORTED, State.UPHELD, State.ABSENT)
_RESPONSE_ORDER = (
    ResponseType.STRONG_RESISTANCE,
    ResponseType.MILD_RESISTANCE,
    ResponseType.REFRAMING,
    ResponseType.STRONG_SUPPORT,
    ResponseType.MILD_SUPPORT,
    ResponseType.NEUTRAL_ACKNOWLEDGMENT,
    ResponseType.NO_VALUES,
)

Part = tuple[int, ...]
V = TypeVar("V", ObservedValue, HumanValue)


def estimate_tokens(message: Message) -> int:
    """About how many tokens a message has, on the safe side: one for every three bytes of UTF-8."""
    size = len(message.text.encode("utf-8", "replace")) + sum(
        len(a.encode("utf-8", "replace")) for a in message.attachments
    )
    return size // BYTES_PER_TOKEN + MESSAGE_OVERHEAD


def split_messages(messages: Sequence[Message], budget: int | None) -> tuple[Part, ...]:
    """The indexes of the messages in as few parts as fit `budget` tokens each (None: all in one)."""
    everything = tuple(range(len(messages)))
    sizes = [estimate_tokens(m) for m in messages]
    if budget is None or sum(sizes) <= budget:
        return (everything,)
    parts: list[Part] = []
    current: list[int] = []
    for turn in _turns(messages):
        for piece in (turn,) if sum(sizes[i] for i in turn) <= budget else tuple((i,) for i in turn):
            if current and sum(sizes[i] for i in (*current, *piece)) > budget:
                parts.append(tuple(current))
                current = []
            current.extend(piece)
    return (*parts, tuple(current))


def fit_messages(
    messages: Sequence[Message], instructions: str, context_tokens: int | None, reply_tokens: int
) -> tuple[Part, ...]:
    """The indexes of the messages in as few parts as leave room for the instructions and the reply in the context."""
    if context_tokens is None:
        return split_messages(messages, None)
    taken = len(instructions.encode()) // BYTES_PER_TOKEN + reply_tokens
    return split_messages(messages, max(context_tokens - taken, SMALLEST_BUDGET))


def halve(messages: Sequence[Message], part: Part) -> tuple[Part, Part] | None:
    """Two parts in place of one that was too long after all; None for a single message."""
    if len(part) < 2:
        return None
    middle = len(part) // 2
    borders = [i for i in range(1, len(part)) if messages[part[i]].role is Role.USER] or list(range(1, len(part)))
    cut = min(borders, key=lambda border: abs(border - middle))
    return part[:cut], part[cut:]


def merge_observations(observations: Sequence[Observation]) -> Observation:
    """One observation of all parts of a conversation.

    Values are united. A declared value takes the gravest state of any part (violated or shown before unsupported
    before upheld before absent); the response type the firmest (resistance before reframing before support);
    subjectivity the highest; task and language those of the first part that has one.
    """
    if len(observations) == 1:
        return observations[0]
    responding = min(
        (o for o in observations if o.response_type is not None),
        key=lambda o: _RESPONSE_ORDER.index(o.response_type or ResponseType.NO_VALUES),
        default=Observation(),
    )
    return Observation(
        subjectivity=max((o.subjectivity for o in observations if o.subjectivity is not None), default=None),
        task=next((o.task for o in observations if o.task), None),
        language=next((o.language for o in observations if o.language), None),
        response_type=responding.response_type,
        response_evidence=responding.response_evidence,
        ai_values=_unite([o.ai_values for o in observations]),
        declared=_merge_declared(observations),
        human_values=_unite([o.human_values for o in observations]),
    )


def _turns(messages: Sequence[Message]) -> list[Part]:
    turns: list[list[int]] = []
    for index, message in enumerate(messages):
        if message.role is Role.USER or not turns:
            turns.append([])
        turns[-1].append(index)
    return [tuple(turn) for turn in turns]


def _unite(lists: Sequence[tuple[V, ...] | None]) -> tuple[V, ...] | None:
    """Each value once, with evidence before without, adverse before not; None if one part did not assess them."""
    united: dict[str, V] = {}
    for values in lists:
        if values is None:
            return None
        for value in values:
            known = united.get(value.value)
            if known is None or _weight(value) > _weight(known):
                united[value.value] = value
    return tuple(united.values())


def _weight(value: ObservedValue | HumanValue) -> tuple[bool, bool]:
    return value.supported, isinstance(value, ObservedValue) and value.polarity is Polarity.ADVERSE


def _merge_declared(observations: Sequence[Observation]) -> dict[str, Declared]:
    merged: dict[str, Declared] = {}
    for observation in observations:
        for value, declared in observation.declared.items():
            known = merged.get(value)
            if known is None or _STATE_ORDER.index(declared.state) < _STATE_ORDER.index(known.state):
                merged[value] = declared
    return merged
