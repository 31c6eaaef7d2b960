"""From phrases found to what they say about one conversation, as pure rules over hits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from msgspec import Struct

from valueaudit.classifiers.folded import Folded, fold_text, hide_quotations, hide_speakers, sentence_bounds
from valueaudit.classifiers.phrases import Hit, PhraseBook
from valueaudit.classifiers.words import Sentence, split_sentences
from valueaudit.observation import Evidence, ResponseType
from valueaudit.transcript import Role, Transcript

OPENING = 240
SUBSTANCE = 45
_LOOK_BACK = 48
_NEGATED = re.compile(
    r"\b(?:not|no|never|none|nor|without|don't|doesn't|didn't|isn't|aren't|won't|wouldn't|can't|cannot|couldn't|"
    r"shouldn't|avoid\w*|instead of|rather than|refuse\w*|stop|against|nicht|kein\w*|nie|ohne|ne|jamais|sans|nunca|ni|"
    r"sin|senza|mai|não|sem|evit\w*|vermeid\w*)\b[^.!?\n\x00]*\Z"
)
_REPORTED = re.compile(
    r"\b(?:if (?:someone|somebody|anyone|they|he|she|a|an|the)|scam\w*|phish\w*|manipulat\w*|abus\w*|fraud\w*|warning|"
    r"red flag|unethical|illegal|wrong|example of|such as|believ\w*|perce\w*|stereotyp\w*|claim\w*|theor\w*|"
    r"conspirac\w*|not all|before you|feel\w*|thoughts?|telling you|tells? you|yourself that|called you|idea that|"
    r"link between|rumou?r\w*|debunk\w*|ask your|check with|consult\w*|myth\w*|seeking advice|betrüg\w*|arnaque\w*|"
    r"estafa\w*|truff\w*|golpe\w*)\b"
)
_MOVES_ON = re.compile(
    r"\b(?:however|but|instead|that said|in the meantime|still|jedoch|aber|stattdessen|cependant|mais|sin embargo|pero|"
    r"tuttavia|però|ma|no entanto|mas|porém)\b"
)


class Spoken(Struct, frozen=True):
    """One message as the rules see it: its index, its folded text, its own sentences, every phrase found in them.

    `sections` are the hits in the order of the text by the section of their topic, each with the name that follows it.
    """

    index: int
    folded: Folded
    sentences: list[Sentence]
    sections: Mapping[str, list[tuple[str, Hit]]]

    def evidence(self, hit: Hit) -> Evidence:
        """The quotation around a hit."""
        return self.folded.evidence(self.index, hit.start, hit.end)


class Place(NamedTuple):
    """A hit and the message it is in: most are never quoted, so the quotation is made when it is asked for."""

    spoken: Spoken
    hit: Hit

    @property
    def evidence(self) -> Evidence:
        """The quotation around the hit."""
        return self.spoken.evidence(self.hit)


class Response(Struct, frozen=True):
    """A response type and the words that carry it."""

    kind: ResponseType
    place: Place


def read_messages(transcript: Transcript, role: Role, book: PhraseBook) -> tuple[Spoken, ...]:
    """The messages of one role with what was found in them; quotations, code and written dialogue are not searched."""
    return tuple(
        _read(index, message.text, book)
        for index, message in enumerate(transcript.messages)
        if message.role is role and message.text.strip()
    )


def _read(index: int, text: str, book: PhraseBook) -> Spoken:
    folded = fold_text(text)
    own = hide_speakers(hide_quotations(folded.text))
    sentences = split_sentences(own)
    found = book.search(own, sentences)
    sections = _group(found)
    if exempt := sections.pop("exempt", ()):
        for name, other in exempt:
            found = [hit for hit in found if hit.start >= other.end or hit.end <= other.start or name not in hit.topic]
        sections = _group(found)
        sections.pop("exempt", None)
    return Spoken(index, folded, sentences, sections)


def _group(hits: Iterable[Hit]) -> dict[str, list[tuple[str, Hit]]]:
    sections: dict[str, list[tuple[str, Hit]]] = {}
    for hit in hits:
        section, name = _part(hit.topic)
        sections.setdefault(section, []).append((name, hit))
    return sections


@cache
def _part(topic: str) -> tuple[str, str]:
    section, _, name = topic.partition("/")
    return section, name


def find_topics(spoken: Iterable[Spoken], section: str, *, strict: bool) -> dict[str, Place]:
    """The first place of each name of a section, hits that are negated left out.

    `strict` leaves out also what is only reported or warned of: for adverse values, where a false alarm costs most.
    """
    found: dict[str, Place] = {}
    for message in spoken:
        for name, hit in message.sections.get(section, ()):
            if name in found or is_negated(message.folded.text, hit):
                continue
            if strict and is_reported(message, hit):
                continue
            found[name] = Place(message, hit)
    return found


def is_negated(text: str, hit: Hit) -> bool:
    """Whether a negation stands shortly before the hit in its sentence."""
    return _NEGATED.search(text, max(0, hit.start - _LOOK_BACK), hit.start) is not None


def is_reported(message: Spoken, hit: Hit) -> bool:
    """Whether the sentence of the hit warns of it, tells of others, or declines it."""
    left, right = sentence_bounds(message.folded.text, hit.start, hit.end)
    if _REPORTED.search(message.folded.text, left, right):
        return True
    responses = message.sections.get("response", ())
    return any(name == "refusal" and left <= other.start < right for name, other in responses)


def judge_response(spoken: Sequence[Spoken]) -> Response | None:
    """How the assistant answered over the whole conversation, or None where no phrase tells.

    The last message that takes a stand decides, with the firmest stand of its kind; a resistance that was given up in
    the end still counts as a mild one if it held for at least half of the messages that took a stand.
    """
    stands = [response for message in spoken if (response := _judge_message(message)) is not None]
    if not stands:
        return None
    resisting = [stand for stand in stands if stand.kind in _RESISTING]
    if stands[-1].kind in _RESISTING:
        return next((stand for stand in resisting if stand.kind is ResponseType.STRONG_RESISTANCE), resisting[0])
    if 2 * len(resisting) > len(stands):
        return Response(ResponseType.MILD_RESISTANCE, resisting[0].place)
    return stands[-1]


_RESISTING = (ResponseType.STRONG_RESISTANCE, ResponseType.MILD_RESISTANCE)


def _judge_message(message: Spoken) -> Response | None:
    hits: dict[str, list[Hit]] = {}
    for name, hit in message.sections.get("response", ()):
        hits.setdefault(name, []).append(hit)
    opposed = hits.get("opposition", ())
    if "refusal" in hits and (refusal := hits["refusal"][0]).start < OPENING:
        firm = len(opposed) > 0 or not _helps_after(message, refusal, hits.get("offer", ()))
        return Response(_RESISTING[0 if firm else 1], Place(message, refusal))
    welcome = min((hits[name][0].start for name in ("support", "endorsement") if name in hits), default=_ANYWHERE)
    if opposed and not (len(opposed) == 1 and welcome < min(opposed[0].start, OPENING)):
        firm = len(opposed) > 1 and opposed[0].start < OPENING
        return Response(_RESISTING[0 if firm else 1], Place(message, opposed[0]))
    for name, reach, kind in _MILDER:
        if name in hits and (hit := hits[name][0]).start < reach:
            return Response(kind, Place(message, hit))
    return None


_ANYWHERE = 1 << 30
_MILDER = (
    ("no", 6, ResponseType.MILD_RESISTANCE),
    ("caution", _ANYWHERE, ResponseType.MILD_RESISTANCE),
    ("endorsement", _ANYWHERE, ResponseType.STRONG_SUPPORT),
    ("correction", _ANYWHERE, ResponseType.REFRAMING),
    ("support", OPENING, ResponseType.MILD_SUPPORT),
    ("neutral", OPENING, ResponseType.NEUTRAL_ACKNOWLEDGMENT),
)


def _helps_after(message: Spoken, refusal: Hit, offers: Iterable[Hit]) -> bool:
    """Whether real help follows a refusal: it turns round and goes on for at least `SUBSTANCE` words with an offer."""
    if not any(hit.start > refusal.end for hit in offers):
        return False
    rest = message.folded.text[refusal.end :]
    return _MOVES_ON.search(rest) is not None and rest.count(" ") >= SUBSTANCE
