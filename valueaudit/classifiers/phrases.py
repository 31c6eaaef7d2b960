"""Phrases people can read and edit, compiled to patterns that scan fast and can never backtrack without bound.

A phrase is words in lower case. `[a|b c|]` stands for one of the alternatives, and an empty one makes it optional;
`*` for up to three words; `word~` for a word that begins so; `<value>` for one to four words that are read as a value.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_

from msgspec import Struct

from valueaudit.classifiers.language import FUNCTION_WORDS
from valueaudit.classifiers.words import Sentence
from valueaudit.errors import TaxonomyError

_TOKEN = re.compile(r"\[[^\[\]]*\]|[^\s\[\]]+|[\[\]]")
_WORD = re.compile(r"\w+")
_STEM = re.compile(r"\w+~")
_CHOICE = re.compile(r"[\w' ~-]*")
# Beginnings are looked up by so many of their letters.
STEMS = (4, 6)
# A word that every text has is as common as one that this many phrases need.
FUNCTION_WORD_USES = 60
# So many of the rarest places of a phrase are looked at: with fewer more phrases are tried in vain, more cost more.
PLACES = 4
# Words kept with their keys: most of any text, in a few megabytes whatever the texts.
MOST_KEPT, LONGEST_KEPT = 20_000, 40
_GAP = r"[^\w.!?'\x00]{1,4}"
_ANY = r"\w[\w'-]{0,30}"
_OUTSIDE = r"(?!\w)"


Need = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Phrase:
    """One phrase of a topic. `needs` are choices of sets of words: a text without one set of each cannot match.

    `spelled` is its regular expression, compiled when it is first tried: most of a scan never needs most of them.
    """

    topic: str
    source: str
    spelled: str
    needs: tuple[Need, ...]


class Hit(Struct, frozen=True, gc=False):
    """Where a phrase of a topic stands in a folded text; `slot` is the span of its `<value>`, if it has one."""

    topic: str
    start: int
    end: int
    slot: tuple[int, int] | None = None


class PhraseBook:
    """Many phrases of many topics, searched together: only those whose words occur in a sentence are tried there.

    What a word may serve for is one integer: bit `place * len(phrases) + number` says that it fills that place of that
    phrase. So the words of a sentence, joined by `or`, tell which phrases have all their places filled.
    """

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._phrases = tuple(phrases)
        uses = Counter(key for phrase in self._phrases for need in phrase.needs for choice in need for key in choice)
        uses.update(dict.fromkeys(FUNCTION_WORDS & uses.keys(), FUNCTION_WORD_USES))
        marks: dict[str, int] = defaultdict(int)
        self._unneeded = 0
        for number, phrase in enumerate(self._phrases):
            filled = [part for need in phrase.needs for part in _find_parts(need, uses)]
            filled.sort(key=lambda part: sum(map(uses.__getitem__, part)))
            for place in range(PLACES):
                # the rarest place has the highest bits, so that the integers of common words are short
                bit = 1 << (PLACES - 1 - place) * len(self._phrases) + number
                if place >= len(filled):
                    self._unneeded |= bit
                else:
                    for key in filled[place]:
                        marks[key] |= bit
        self._marks = _Marks(marks)

    def search(self, text: str, sentences: Iterable[Sentence]) -> list[Hit]:
        """Every place of every phrase in a folded text, in the order of the text; `sentences` are those of it."""
        found: dict[tuple[int, int, str], Hit] = {}
        find_marks, count = self._marks.__getitem__, len(self._phrases)
        for sentence in sentences:
            places = reduce(or_, map(find_marks, sentence.words), self._unneeded)
            tried = places
            for _ in range(PLACES - 1):
                places >>= count
                tried &= places
            while tried:
                number = tried.bit_length() - 1
                tried ^= 1 << number
                topic, pattern = self._phrases[number].topic, _compile(self._phrases[number].spelled)
                for match in pattern.finditer(text, sentence.start, sentence.end):
                    start, end = match.span()
                    # here, since a look-behind at its front would keep a pattern from being searched by first letters
                    if start == 0 or not text[start - 1].isalnum():
                        slot = match.span("value") if pattern.groups else None
                        found[start, end, topic] = Hit(topic, start, end, slot)
        return [found[place] for place in sorted(found)]


def _find_parts(need: Need, uses: Mapping[str, int]) -> list[set[str]]:
    """Words of which a text must have one for each part: the rarest of each choice, the next rarest, and so on."""
    choices = [sorted(choice, key=lambda key: (uses[key], key)) for choice in need]
    return [{choice[min(part, len(choice) - 1)] for choice in choices} for part in range(max(map(len, choices)))]


class _Marks(dict[str, int]):
    """What each word may serve for: by itself, its parts around apostrophes, how these begin; kept for next time."""

    def __init__(self, known: Mapping[str, int]) -> None:
        super().__init__()
        self._known = known

    def __missing__(self, word: str) -> int:
        parts = {word, *word.split("'")}
        keys = self._known.keys() & (parts | {f"{part[:size]}~" for part in parts for size in STEMS})
        # without a start value, so that words of one key share its integer
        marks = reduce(or_, map(self._known.__getitem__, keys)) if keys else 0
        if len(word) <= LONGEST_KEPT:
            if len(self) >= MOST_KEPT:
                self.clear()
            self[word] = marks
        return marks


@cache
def _compile(spelled: str) -> re.Pattern[str]:
    return re.compile(spelled)


def compile_phrase(topic: str, source: str) -> Phrase:
    """The phrase as a pattern. Raises `TaxonomyError` where it cannot be one."""
    needs: list[Need] = []
    pattern, begun = "", False
    for token in _TOKEN.findall(source):
        choices = token[1:-1].split("|") if len(token) > 1 and token[0] == "[" else [token]
        if not _is_phrase(choices):
            raise TaxonomyError(f'the phrase "{source}" of "{topic}" cannot be read at "{token}"')
        optional = "" in choices
        if token == "*":
            piece = f"(?:{_GAP}{_ANY}){{0,3}}"
        elif token == "<value>":
            piece = f"{_GAP * begun}(?P<value>{_ANY}(?:{_GAP}{_ANY}){{0,3}}?){_OUTSIDE}"
        else:
            spelled = f"(?:{'|'.join(_spell(choice) for choice in choices if choice)})"
            piece = f"{_GAP}{spelled}" if begun else f"{spelled}{_GAP}" if optional else spelled
            piece = f"(?:{piece})?" if optional else piece
            if not optional:
                needs.extend(_find_needs(choices, first=not begun))
        begun = begun or not optional
        pattern += piece
    if not needs:
        raise TaxonomyError(f'the phrase "{source}" of "{topic}" has no word that must occur')
    if source.endswith("<value>"):
        pattern = pattern.replace("{0,3}?)", "{0,3})")
    return Phrase(topic, source, pattern, tuple(needs))


def _spell(words: str) -> str:
    return _GAP.join(
        f"{re.escape(word[:-1])}\\w{{0,20}}{_OUTSIDE}" if word.endswith("~") else f"{re.escape(word)}{_OUTSIDE}"
        for word in words.split()
    )


def _is_phrase(choices: list[str]) -> bool:
    """Whether each alternative is made of words; `*` and `<value>` stand alone."""
    return choices in (["*"], ["<value>"]) or all(_CHOICE.fullmatch(choice) for choice in choices)


def _find_needs(choices: list[str], *, first: bool) -> list[Need]:
    """The words that must occur for each alternative, if each has a word or beginning that can be looked up."""
    needed = tuple({_find_keys(choice, first=first) for choice in choices})
    return [needed] if all(needed) else []


def _find_keys(choice: str, *, first: bool) -> frozenset[str]:
    stems = [stem.removesuffix("~") for stem in _STEM.findall(choice)]
    begun = [f"{stem[:size]}~" for stem in stems if (size := max((s for s in STEMS if s <= len(stem)), default=0))]
    whole = _WORD.findall(_STEM.sub(" ", choice))
    # the first word of a phrase may follow an underscore, and so be no word of the text: another has to do
    if first and whole and whole[0] != max(whole, key=len):
        whole = whole[1:]
    return frozenset(whole + begun * (not first or not whole))
