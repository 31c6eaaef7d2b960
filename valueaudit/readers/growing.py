"""Which steps of a trace are conversations of their own, so that an exchange logged many times counts once."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from itertools import islice

from msgspec import Struct

from valueaudit.transcript import Item, LeftOut, Message, Role, Transcript

_WITHIN = "part of a longer conversation of the same trace"
_REPEATS = "repeats what a model call of the same trace says"
_AROUND = "a value around the model calls of the same trace, not a message"
_SILENT = "no words of a user or an assistant in it"
_ONE_SIDED = "no conversation in its input and output"

_MOST_COMPARED = 100

Word = tuple[Role, str]


class _Rank(IntEnum):
    """In which order candidates claim their words."""

    CALL = 0
    STEP = 1
    REPLY_TO_NOTHING = 2
    BARE_STRING = 3
    ONE_SIDED = 4


class Candidate(Struct, frozen=True):
    """What one call or step of a trace holds.

    `is_call`: the step is a call of a model, not something around one. `is_shaped`: its reply is a message, not a bare
    string, which a function that only routes gives, too.
    """

    transcript: Transcript
    is_call: bool
    is_shaped: bool = True
    trace: str | None = None


class Traces:
    """Gathers candidates by their trace or thread, and passes on what is certain already.

    Conversations are held until the end of the source, because a later call may continue any of them.
    """

    def __init__(self) -> None:
        self._settled: list[Item] = []
        self._items: list[Item] = []
        self._groups: dict[str, list[tuple[int, Candidate]]] = {}
        self._alone: list[tuple[int, Candidate]] = []
        self._threads: dict[str, str] = {}

    def settle(self, item: Item) -> None:
        """Adds an item that waits for nothing."""
        self._settled.append(item)

    def drain(self) -> list[Item]:
        """The items that wait for nothing, once."""
        settled, self._settled = self._settled, []
        return settled

    def add(self, candidate: Candidate) -> None:
        """Adds a candidate; without a trace it stands alone."""
        group = self._alone if candidate.trace is None else self._groups.setdefault(candidate.trace, [])
        group.append((len(self._items), candidate))
        self._items.append(candidate.transcript)

    def join(self, trace: str, thread: str) -> None:
        """Says that a trace is a turn of a thread, whose traces are then looked at together."""
        self._threads[trace] = thread

    def close(self) -> Iterator[Item]:
        """What is not passed on yet, and every candidate in order: `LeftOut` where it is part of another."""
        yield from self.drain()
        threads: defaultdict[tuple[bool, str], list[tuple[int, Candidate]]] = defaultdict(list)
        for trace, group in self._groups.items():
            thread = self._threads.get(trace)
            threads[thread is not None, trace if thread is None else thread] += group
        for group in (*threads.values(), *([alone] for alone in self._alone)):
            group.sort(key=lambda placed: placed[0])
            for (place, candidate), reason in zip(group, find_parts([each for _, each in group]), strict=True):
                if reason is not None:
                    self._items[place] = LeftOut(candidate.transcript.location, reason)
        items, self._items = self._items, []
        self._groups, self._alone, self._threads = {}, [], {}
        yield from items


def find_parts(candidates: Sequence[Candidate]) -> list[str | None]:
    """For each candidate of one trace why it is no conversation of its own, None where it is one.

    Model calls that were given something come first, the longest before the others: one whose words all come in the
    same order in another is its earlier state. Steps around the calls then count only for replies that no call gave,
    and calls of which only the reply is known only for replies that are nowhere else. Bare strings that a step gives
    are replies only in traces in which no call replied.
    """
    reasons: list[str | None] = [None] * len(candidates)
    speech = [_words(candidate.transcript.messages) for candidate in candidates]
    kept = _Kept()
    answered = {each.trace for each, words in zip(candidates, speech, strict=True) if each.is_call and _replies(words)}
    ranked = sorted(range(len(candidates)), key=lambda i: _order(candidates[i], speech[i], i))
    for place in ranked:
        words, rank = speech[place], _rank(candidates[place], speech[place])
        if not words:
            reasons[place] = _SILENT
        elif rank is _Rank.CALL:
            reasons[place] = _WITHIN if kept.holds(words) else None
        elif rank is _Rank.ONE_SIDED:
            reasons[place] = _ONE_SIDED
        elif kept.replied(words):
            reasons[place] = _REPEATS
        elif rank is _Rank.BARE_STRING and candidates[place].trace in answered:
            reasons[place] = _AROUND
        if reasons[place] is None:
            kept.add(words)
    return reasons


def _order(candidate: Candidate, words: Sequence[Word], place: int) -> tuple[int, int, int, int]:
    # of two with the same words, the one with more tool messages, then the later: the inner call of two
    return _rank(candidate, words), -len(words), -len(candidate.transcript.messages), -place


def _rank(candidate: Candidate, words: Sequence[Word]) -> _Rank:
    asked = any(role is Role.USER for role, _ in words)
    if candidate.is_call:
        return _Rank.CALL if asked else _Rank.REPLY_TO_NOTHING
    if not asked or not _replies(words):
        return _Rank.ONE_SIDED
    return _Rank.STEP if candidate.is_shaped else _Rank.BARE_STRING


def _replies(words: Sequence[Word]) -> bool:
    return any(role is Role.ASSISTANT for role, _ in words)


def _words(messages: Sequence[Message]) -> tuple[Word, ...]:
    """What users and assistants said, blanks folded."""
    spoken = ((m.role, " ".join(m.text.split())) for m in messages if m.role in (Role.USER, Role.ASSISTANT))
    return tuple((role, text) for role, text in spoken if text)


class _Kept:
    """The conversations that are kept, found by what they say."""

    def __init__(self) -> None:
        # where each word stands in each of the conversations that have it
        self._said: dict[Word, dict[int, list[int]]] = {}
        self._count = 0

    def add(self, words: tuple[Word, ...]) -> None:
        for place, word in enumerate(words):
            self._said.setdefault(word, {}).setdefault(self._count, []).append(place)
        self._count += 1

    def holds(self, words: tuple[Word, ...]) -> bool:
        """Whether all of the words come in this order in one conversation.

        Of those that have the rarest word, the first 100 are looked at: where more share every word of a call, somebody
        says the same few things in ever other orders, and comparing each with each would not end.
        """
        places = [self._said.get(word, {}) for word in words]
        rarest = min(places, key=len)
        return any(_comes_in(places, known) for known in islice(rarest, _MOST_COMPARED))

    def replied(self, words: tuple[Word, ...]) -> bool:
        """Whether every reply in the words was given in some conversation."""
        return all(word in self._said for word in words if word[0] is Role.ASSISTANT)


def _comes_in(places: Sequence[Mapping[int, Sequence[int]]], known: int) -> bool:
    """Whether words that stand at `places` in each conversation follow one another in the one of this number."""
    at = 0
    for word in places:
        here = word.get(known, ())
        following = bisect_left(here, at)
        if following == len(here):
            return False
        at = here[following] + 1
    return True
