"""Phrases people can read and edit, compiled to patterns that scan fast and can never backtrack without bound.

A phrase is words in lower case. `[a|b c|]` stands for one of the alternatives, and an empty one makes it optional;
`*` for up to three words; `word~` for a word that begins so; `<value>` for one to four words that are read as a value.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from valueaudit.classifiers.language import FUNCTION_WORDS
from valueaudit.errors import TaxonomyError

_TOKEN = re.compile(r"\[[^\[\]]*\]|[^\s\[\]]+|[\[\]]")
_WORD = re.compile(r"\w+")
_TEXT_WORD = re.compile(r"\w+(?:'\w+)*")
_SENTENCE = re.compile(r"[^.!?\x00]+")
_STEM = re.compile(r"\w+~")
_CHOICE = re.compile(r"[\w' ~-]*")
STEM = 4
_GAP = r"[^\w.!?'\x00]{1,4}"
_ANY = r"\w[\w'-]{0,30}"
_OUTSIDE = r"(?!\w)"


@dataclass(frozen=True, slots=True, eq=False)
class Phrase:
    """One compiled phrase of a topic. `needs` are sets of words: a text without one word of each cannot match."""

    topic: str
    source: str
    pattern: re.Pattern[str]
    needs: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a phrase of a topic stands in a folded text; `slot` is the span of its `<value>`, if it has one."""

    topic: str
    start: int
    end: int
    slot: tuple[int, int] | None = None


class Sentence(NamedTuple):
    """A piece of a folded text that no phrase crosses: its span and its words, in order."""

    start: int
    end: int
    words: list[str]


class PhraseBook:
    """Many phrases of many topics, searched together: only those whose words occur in a sentence are tried there."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_word: dict[str, list[Phrase]] = defaultdict(list)
        beginnings: set[str] = set()
        for phrase in phrases:
            rarest = max(phrase.needs, key=_rarity)
            for word in rarest:
                self._by_word[word].append(phrase)
            beginnings.update(word[:-1] for need in phrase.needs for word in need if word.endswith("~"))
        self._beginnings = frozenset(beginnings)

    def search(self, text: str, sentences: Iterable[Sentence]) -> list[Hit]:
        """Every place of every phrase in a folded text, in the order of the text; `sentences` are those of it."""
        found: dict[tuple[int, int, str], Hit] = {}
        triggers = self._by_word.keys()
        for sentence in sentences:
            words = self._find_keys(sentence.words)
            for word in triggers & words:
                for phrase in self._by_word[word]:
                    for need in phrase.needs:
                        if need.isdisjoint(words):
                            break
                    else:
                        for hit in _match(phrase, text, sentence):
                            found[hit.start, hit.end, hit.topic] = hit
        return [found[key] for key in sorted(found)]

    def _find_keys(self, listed: list[str]) -> set[str]:
        """The words of a sentence, the parts of those with an apostrophe, and how they begin."""
        words = set(listed)
        words.update([part for word in listed if "'" in word for part in word.split("'")])
        words.update([f"{begun}~" for word in words if (begun := word[:STEM]) in self._beginnings])
        return words


def _match(phrase: Phrase, text: str, sentence: Sentence) -> Iterator[Hit]:
    for match in phrase.pattern.finditer(text, sentence.start, sentence.end):
        start = match.start()
        # checked here, since a look-behind at its front would keep the pattern from being searched by its first letters
        if start == 0 or not text[start - 1].isalnum():
            slot = match.span("value") if "value" in phrase.pattern.groupindex else None
            yield Hit(phrase.topic, start, match.end(), slot)


def _rarity(words: frozenset[str]) -> tuple[bool, int, int]:
    return words.isdisjoint(FUNCTION_WORDS), -len(words & FUNCTION_WORDS), min(map(len, words))


def split_sentences(text: str) -> list[Sentence]:
    """The sentences of a folded text and their words; those without any are left out."""
    return [
        Sentence(match.start(), match.end(), words)
        for match in _SENTENCE.finditer(text)
        if (words := _TEXT_WORD.findall(match[0]))
    ]


def compile_phrase(topic: str, source: str) -> Phrase:
    """The phrase as a pattern. Raises `TaxonomyError` where it cannot be one."""
    needs: list[frozenset[str]] = []
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
                needs.extend(_find_needs(choices))
        begun = begun or not optional
        pattern += piece
    if not needs:
        raise TaxonomyError(f'the phrase "{source}" of "{topic}" has no word that must occur')
    if source.endswith("<value>"):
        pattern = pattern.replace("{0,3}?)", "{0,3})")
    return Phrase(topic, source, re.compile(pattern), tuple(needs))


def _spell(words: str) -> str:
    return _GAP.join(
        f"{re.escape(word[:-1])}\\w{{0,20}}{_OUTSIDE}" if word.endswith("~") else f"{re.escape(word)}{_OUTSIDE}"
        for word in words.split()
    )


def _is_phrase(choices: list[str]) -> bool:
    """Whether each alternative is made of words; `*` and `<value>` stand alone."""
    return choices in (["*"], ["<value>"]) or all(_CHOICE.fullmatch(choice) for choice in choices)


def _find_needs(choices: list[str]) -> list[frozenset[str]]:
    """The set of words of which one must occur, if each alternative has a word or beginning that can be looked up."""
    needed = {max(_keys(choice), key=len, default="") for choice in choices}
    return [] if "" in needed else [frozenset(needed)]


def _keys(choice: str) -> list[str]:
    whole = _WORD.findall(_STEM.sub(" ", choice))
    return whole or [f"{stem[:STEM]}~" for stem in _STEM.findall(choice) if len(stem) > STEM]
