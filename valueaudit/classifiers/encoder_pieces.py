"""A conversation as the encoder reads it: word pieces in order, each tied to its side and its sentence."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from valueaudit.classifiers.embedded_rules import Spoken

USER, ASSISTANT = 0, 1
START, STOP, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
NOWHERE = -1
# Of a long message its beginning and end are read, and so of a long conversation.
MESSAGE_HEAD, MESSAGE_TAIL = 150, 70
HEAD, TAIL = 110, 146
OPENING = 40
# Pieces have fewer characters than this on average, so that a long message need not be cut into pieces as a whole.
PIECE_CHARACTERS = 8

Numbers = npt.NDArray[np.int64]


class Pieces(Struct, frozen=True):
    """Word pieces of a conversation, one entry each: their numbers in the vocabulary and whose they are.

    `opening` marks the first ones of the last reply. `owners` are sentences as in `Reading`, the user's before the
    assistant's, `NOWHERE` for what stands in none: marks, code and quotations.
    """

    numbers: Numbers
    sides: Numbers
    opening: npt.NDArray[np.bool_]
    owners: Numbers


class PieceReader:
    """Cuts folded texts into the word pieces of a vocabulary (WordPiece, Wu et al. 2016)."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self._tokenizer = Tokenizer(WordPiece(numbers, unk_token=UNKNOWN))
        self._tokenizer.normalizer = BertNormalizer(lowercase=True)
        self._tokenizer.pre_tokenizer = BertPreTokenizer()
        self._start, self._stop = numbers[START], numbers[STOP]

    def read(self, asked: Sequence[Spoken], replies: Sequence[Spoken]) -> Pieces:
        """The pieces of a conversation: its start, then each message with a stop behind it."""
        rows = [(self._start, USER, False, NOWHERE)]
        starts = list(accumulate((len(message.sentences) for message in (*asked, *replies)), initial=0))
        sided = [(message, USER) for message in asked] + [(message, ASSISTANT) for message in replies]
        last = replies[-1].index if replies else None
        for (message, side), start in sorted(zip(sided, starts, strict=False), key=lambda item: item[0][0].index):
            for place, (number, owner) in enumerate(self._read_message(message, start)):
                rows.append((number, side, message.index == last and place < OPENING, owner))
        kept = rows if len(rows) <= HEAD + TAIL else rows[:HEAD] + rows[-TAIL:]
        numbers, sides, opening, owners = zip(*kept, strict=True)
        return Pieces(np.array(numbers), np.array(sides), np.array(opening), np.array(owners))

    def _read_message(self, message: Spoken, first: int) -> Iterator[tuple[int, int]]:
        beginnings = [sentence.start for sentence in message.sentences]
        for number, at in self._cut(message.folded.text):
            sentence = bisect_right(beginnings, at) - 1
            inside = sentence >= 0 and at < message.sentences[sentence].end
            yield number, first + sentence if inside else NOWHERE
        yield self._stop, NOWHERE

    def _cut(self, text: str) -> list[tuple[int, int]]:
        """Pieces with the characters where they begin: the first and the last ones of a long text."""
        head, tail = MESSAGE_HEAD * PIECE_CHARACTERS, MESSAGE_TAIL * PIECE_CHARACTERS
        if len(text) <= head + tail:
            pieces = self._find(text, 0)
            return (
                pieces if len(pieces) <= MESSAGE_HEAD + MESSAGE_TAIL else pieces[:MESSAGE_HEAD] + pieces[-MESSAGE_TAIL:]
            )
        return self._find(text[:head], 0)[:MESSAGE_HEAD] + self._find(text[-tail:], len(text) - tail)[-MESSAGE_TAIL:]

    def _find(self, text: str, start: int) -> list[tuple[int, int]]:
        found = self._tokenizer.encode(text, add_special_tokens=False)
        return [(number, start + begin) for number, (begin, _) in zip(found.ids, found.offsets, strict=True)]
