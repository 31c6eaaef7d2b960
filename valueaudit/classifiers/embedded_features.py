"""What the trained model reads of a conversation: word rows by field, each tied to its sentence, and a few figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, chain, pairwise, repeat

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from valueaudit.classifiers.embedded_rules import Spoken
from valueaudit.classifiers.phrase_data import PhraseData
from valueaudit.classifiers.screening import Screening
from valueaudit.observation import ResponseType
from valueaudit.taxonomy import Taxonomy

# all words of the user and of the assistant, the last reply's first words, the first words of every reply
FIELDS = ("user", "assistant", "last_opening", "openings")
LAST_OPENING_WORDS = 30
OPENING_WORDS = 20
UNKNOWN = -1
OPENING = 240

_RESPONSE_TOPICS = (
    *("refusal", "opposition", "caution", "endorsement", "support", "neutral", "correction", "offer", "no"),
)
_KINDS = (None, *ResponseType)
_LEVELS = (None, 1, 2, 3, 4)

Rows = npt.NDArray[np.int64]


class Reading(Struct, frozen=True):
    """A conversation as the model sees it.

    Entry i of `rows`, `fields` and `owners` is one word or pair of neighbours: its row in the vocabulary, the index of
    its field in `FIELDS`, the index of its sentence, the user's before the assistant's. `asked` and `said` are how many
    sentences these have; `figures` are those of `Figures.build`.
    """

    asked: int
    said: int
    rows: Rows
    fields: Rows
    owners: Rows
    figures: npt.NDArray[np.float32]


class Vocabulary:
    """Row numbers of words and of pairs of words. `pairs` are first * number of words + second, in rising order."""

    def __init__(self, words: Sequence[str], pairs: Rows) -> None:
        self.words = words
        self.pairs = pairs
        self._numbers = {word: number for number, word in enumerate(words)}
        # as if there were one word more, so that an unknown word makes no pair's key; the last key ends every search
        self._columns = len(words) + 1
        self._keys = np.append(pairs + pairs // max(len(words), 1) + 1, np.iinfo(np.int64).max)

    def __len__(self) -> int:
        return len(self.words) + len(self.pairs)

    def number(self, words: Sequence[str]) -> Rows:
        """The row of each word, `UNKNOWN` where it has none."""
        return np.fromiter(map(self._numbers.get, words, repeat(UNKNOWN)), np.int64, len(words))

    def pair(self, first: Rows, second: Rows) -> Rows:
        """The row of each pair of words, `UNKNOWN` where it has none."""
        keys = first * self._columns + (second + 1)
        at = self._keys.searchsorted(keys)
        return np.where(self._keys.take(at) == keys, at + len(self.words), UNKNOWN)


def read_features(vocabulary: Vocabulary, seen: Screening, figures: npt.NDArray[np.float32]) -> Reading:
    """What the model reads of a conversation. Quotations, code and written dialogue of either side are left out."""
    messages = [[sentence.words for sentence in message.sentences] for message in (*seen.asked, *seen.replies)]
    sentences = list(chain.from_iterable(messages))
    words = vocabulary.number(list(chain.from_iterable(sentences)))
    owners = np.arange(len(sentences)).repeat(list(map(len, sentences)))
    pairs = vocabulary.pair(words[:-1], words[1:])
    pairs[owners[:-1] != owners[1:]] = UNKNOWN
    ends = accumulate((sum(map(len, message)) for message in messages), initial=0)
    spans = _find_spans(list(ends)[len(seen.asked) :])
    # each span is its words, then its pairs, which lie behind all words
    cuts = [cut for _, a, b in spans for cut in ((a, b), (len(words) + a, len(words) + max(a, b - 1)))]
    rows, owners = np.concatenate((words, pairs)), np.concatenate((owners, owners[:-1]))
    known = (rows >= 0).nonzero()[0]
    bounds = known.searchsorted(cuts).tolist()
    chosen = np.concatenate([known[a:b] for a, b in bounds])
    fields = np.array([field for field, _, _ in spans for _ in range(2)]).repeat([b - a for a, b in bounds])
    asked = sum(map(len, messages[: len(seen.asked)]))
    return Reading(asked, len(sentences) - asked, rows.take(chosen), fields, owners.take(chosen), figures)


def _find_spans(ends: Sequence[int]) -> list[tuple[int, int, int]]:
    """The words of each field, as its index, first and end; `ends` are those of the user's words and of each reply."""
    spans = [(0, 0, ends[0])]
    if len(ends) > 1:
        last = ends[-2]
        spans += [(1, ends[0], ends[-1]), (2, last, min(last + LAST_OPENING_WORDS, ends[-1]))]
        spans += [(3, start, min(start + OPENING_WORDS, end)) for start, end in pairwise(ends)]
    return spans


class Figures:
    """The figures of a conversation beside its words, in the order of `names`."""

    def __init__(self, taxonomy: Taxonomy, phrases: PhraseData) -> None:
        self._taxonomy = taxonomy
        self._tasks = tuple(sorted(name for topic in phrases.sources if (name := topic.removeprefix("task/")) != topic))
        self._subcategories = tuple(sorted(taxonomy.subcategories))
        self.names = (
            *(f"{topic} {what}" for topic in _RESPONSE_TOPICS for what in ("hits", "early", "early in the last reply")),
            *(f"rules say {kind}" for kind in _KINDS),
            *(f"rules say subjectivity {level}" for level in _LEVELS),
            *(f"rules say {name}" for name in (*self._tasks, *self._subcategories)),
            *("positive values", "adverse values", "stated values"),
            *("words of the user", "words of the assistant", "replies", "questions asked", "questions back"),
            *("exclamations", "lines", "code"),
        )

    def build(self, seen: Screening) -> npt.NDArray[np.float32]:
        """The figures of one conversation."""
        kind = None if seen.response is None else seen.response.kind
        level = seen.subjectivity
        found = {self._taxonomy.values[name].subcategory for name in (*seen.positive, *seen.adverse)}
        counts = (len(seen.positive), len(seen.adverse), len(seen.human), *_measure(seen.replies, seen.asked))
        listed = [
            *_count_topics(seen.replies),
            *[kind is known for known in _KINDS],
            *[level == known for known in _LEVELS],
            *[task in seen.tasks for task in self._tasks],
            *[subcategory in found for subcategory in self._subcategories],
            *map(_damp, counts),
        ]
        return np.array(listed, np.float32)


def _count_topics(replies: Sequence[Spoken]) -> list[float]:
    last = replies[-1].index if replies else -1
    counts = dict.fromkeys(_RESPONSE_TOPICS, 0)
    early, late = set(), set()
    for message in replies:
        for topic, hit in message.sections.get("response", ()):
            if topic in counts:
                counts[topic] += 1
                if hit.start < OPENING:
                    early.add(topic)
                    if message.index == last:
                        late.add(topic)
    return [x for topic, count in counts.items() for x in (_damp(count), topic in early, topic in late)]


def _measure(replies: Sequence[Spoken], asked: Sequence[Spoken]) -> tuple[int, ...]:
    # with a mark between them that none of what is counted holds
    said = "|".join([message.folded.text for message in replies])
    wanted = "|".join([message.folded.text for message in asked])
    return (
        wanted.count(" "),
        said.count(" "),
        len(replies),
        wanted.count("?"),
        *[said.count(mark) for mark in ("?", "!", "\n", "```")],
    )


def _damp(count: int) -> float:
    return math.log1p(count) / 3
