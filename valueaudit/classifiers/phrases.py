"""Phrases people can read and edit, compiled to patterns that scan fast and can never backtrack without bound.

A phrase is words in lower case. `[a|b c|]` stands for one of the alternatives, and an empty one makes it optional;
`*` for up to three words; `word~` for a word that begins so; `<value>` for one to four words that are read as a value.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import NamedTuple

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


class Candidate(NamedTuple):
    """A phrase whose rarest words were seen: `rest` belong to them, and of each of `others` one or all words must."""

    phrase: Phrase
    rest: frozenset[str]
    others: tuple[tuple[frozenset[str], Need], ...]


class PhraseBook:
    """Many phrases of many topics, searched together: only those whose words occur in a sentence are tried there."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_key: dict[str, list[Candidate]] = defaultdict(list)
        listed = tuple(phrases)
        uses = Counter(key for phrase in listed for need in phrase.needs for choice in need for key in choice)
        uses.update(dict.fromkeys(FUNCTION_WORDS & uses.keys(), FUNCTION_WORD_USES))
        for phrase in listed:
            rarest, *others = sorted(phrase.needs, key=lambda need: sum(min(map(uses.__getitem__, c)) for c in need))
            further = tuple(map(_part, others))
            for choice in rarest:
                key = min(sorted(choice), key=uses.__getitem__)
                self._by_key[key].append(Candidate(phrase, choice - {key}, further))
        self._keys = _Keys(uses.keys())

    def search(self, text: str, sentences: Iterable[Sentence]) -> list[Hit]:
        """Every place of every phrase in a folded text, in the order of the text; `sentences` are those of it."""
        found: dict[tuple[int, int, str], Hit] = {}
        triggers, find_keys = self._by_key.keys(), self._keys.__getitem__
        for sentence in sentences:
            keys = set(chain.from_iterable(map(find_keys, sentence.words)))
            for key in triggers & keys:
                for phrase, rest, others in self._by_key[key]:
                    if rest and not rest <= keys:
                        continue
                    for single, several in others:
                        if single.isdisjoint(keys) and not (several and _has_one(several, keys)):
                            break
                    else:
                        for hit in _match(phrase, text, sentence):
                            found[hit.start, hit.end, hit.topic] = hit
        return [found[place] for place in sorted(found)]


def _has_one(need: Need, keys: set[str]) -> bool:
    for choice in need:  # noqa: SIM110 - a generator for `any` costs more than the comparisons
        if choice <= keys:
            return True
    return False


def _part(need: Need) -> tuple[frozenset[str], Need]:
    """The words that are a choice alone, and the choices of several words."""
    return frozenset(key for choice in need if len(choice) == 1 for key in choice), tuple(c for c in need if len(c) > 1)


class _Keys(dict[str, tuple[str, ...]]):
    """What phrases may know a word by: itself, its parts around apostrophes, how these begin; kept for next time."""

    def __init__(self, known: Iterable[str]) -> None:
        super().__init__()
        self._known = frozenset(known)

    def __missing__(self, word: str) -> tuple[str, ...]:
        parts = {word, *word.split("'")}
        keys = tuple(self._known.intersection(parts | {f"{part[:size]}~" for part in parts for size in STEMS}))
        if len(word) <= LONGEST_KEPT:
            if len(self) >= MOST_KEPT:
                self.clear()
            self[word] = keys
        return keys


def _match(phrase: Phrase, text: str, sentence: Sentence) -> list[Hit]:
    hits: list[Hit] = []
    pattern = _compile(phrase.spelled)
    match = pattern.search(text, sentence.start, sentence.end)
    while match is not None:
        start, end = match.span()
        # checked here, since a look-behind at its front would keep the pattern from being searched by its first letters
        if start == 0 or not text[start - 1].isalnum():
            hits.append(Hit(phrase.topic, start, end, match.span("value") if pattern.groups else None))
        match = pattern.search(text, end, sentence.end)
    return hits


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
