"""Everything the phrases and rules see in one conversation, gathered once for the observation and for the model."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from valueaudit.classifiers.embedded_rules import Place, Response, Spoken, find_topics, judge_response, read_messages
from valueaudit.classifiers.human_values import find_human_values
from valueaudit.classifiers.phrase_data import PhraseData
from valueaudit.observation import HumanValue
from valueaudit.taxonomy import Taxonomy
from valueaudit.transcript import Role, Transcript


class Screening(Struct, frozen=True):
    """What was found: canonical values with their places, the response, and the kinds of request."""

    replies: tuple[Spoken, ...]
    asked: tuple[Spoken, ...]
    positive: dict[str, Place]
    adverse: dict[str, Place]
    human: tuple[HumanValue, ...]
    response: Response | None
    levels: tuple[int, ...]
    tasks: tuple[str, ...]

    @property
    def subjectivity(self) -> int | None:
        """How subjective the user's requests are, 1 to 4, by the most subjective one; None where no phrase tells."""
        return max(self.levels, default=None)


def screen(taxonomy: Taxonomy, phrases: PhraseData, transcript: Transcript) -> Screening:
    """What phrases and rules see in a transcript."""
    replies = read_messages(transcript, Role.ASSISTANT, phrases.assistant)
    asked = read_messages(transcript, Role.USER, phrases.user)
    return Screening(
        replies=replies,
        asked=asked,
        positive=find_topics(replies, "positive", strict=False),
        adverse=find_topics(replies, "adverse", strict=True),
        human=find_human_values(taxonomy, asked),
        response=judge_response(replies),
        levels=tuple(int(name) for name in _named(asked, "subjectivity")),
        tasks=tuple(_named(asked, "task")),
    )


def _named(spoken: Iterable[Spoken], section: str) -> list[str]:
    return [name for message in spoken for name, _ in message.sections.get(section, ())]
