"""The phrase file and what it means to each rule, read once so that scanning costs no parsing."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from valueaudit.classifiers.language import SUPPORTED
from valueaudit.classifiers.phrases import Phrase, PhraseBook, compile_phrase
from valueaudit.errors import TaxonomyError

SECTIONS = ("response", "positive", "adverse", "human", "stated", "task", "subjectivity", "exempt")
_SAID_BY_ASSISTANT = ("response", "positive", "adverse", "exempt")


@dataclass(frozen=True, slots=True)
class PhraseData:
    """Every phrase of the file, in one book for what an assistant says and one for what a user says.

    The topic of a phrase is `section/name`. `sources` holds the phrases of each topic as they are written, for hashing.
    """

    assistant: PhraseBook
    user: PhraseBook
    sources: Mapping[str, tuple[str, ...]]
    sha256: str


@cache
def load_phrases() -> PhraseData:
    """The phrases that come with the package, `data/phrases.toml`."""
    return parse_phrases(files("valueaudit").joinpath("data/phrases.toml").read_bytes())


def parse_phrases(content: bytes) -> PhraseData:
    """The phrases in a TOML document. Raises `TaxonomyError` naming what is wrong with it."""
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TaxonomyError(f"the phrases cannot be read: {error}") from error
    phrases = [compile_phrase(topic, source) for topic, source in _walk(document)]
    sources: dict[str, tuple[str, ...]] = {}
    for phrase in phrases:
        sources[phrase.topic] = (*sources.get(phrase.topic, ()), phrase.source)
    return PhraseData(
        assistant=PhraseBook(p for p in phrases if _is_assistants(p)),
        user=PhraseBook(p for p in phrases if not _is_assistants(p)),
        sources=sources,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _is_assistants(phrase: Phrase) -> bool:
    return phrase.topic.partition("/")[0] in _SAID_BY_ASSISTANT


def _walk(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for section, topics in document.items():
        if section not in SECTIONS or not isinstance(topics, dict):
            raise TaxonomyError(f'"{section}" is no section of the phrases, known are {", ".join(SECTIONS)}')
        for name, languages in topics.items():
            for language, listed in languages.items() if isinstance(languages, dict) else [("", None)]:
                if language not in SUPPORTED or not isinstance(listed, list):
                    known = ", ".join(SUPPORTED)
                    raise TaxonomyError(f'"{section}.{name}" needs a list of phrases per language, known are {known}')
                yield from ((f"{section}/{name}", str(phrase)) for phrase in listed)
