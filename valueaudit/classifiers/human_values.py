"""Values a user states in the user's own voice, read from first-person phrases and never from a mere question."""

from __future__ import annotations

from collections.abc import Sequence

from valueaudit.classifiers.embedded_rules import Spoken, find_topics, is_negated
from valueaudit.classifiers.phrases import Hit
from valueaudit.observation import HumanValue
from valueaudit.taxonomy import Taxonomy, Value, fold


def find_human_values(taxonomy: Taxonomy, asked: Sequence[Spoken]) -> tuple[HumanValue, ...]:
    """The values the user states, each with the quotation; values of the taxonomy or of the phrase file, no others."""
    found: dict[str, HumanValue] = {}
    for name, place in find_topics(asked, "human", strict=False).items():
        known = taxonomy.find(name)
        value = fold(name) if known is None else known.name
        found.setdefault(value, HumanValue(name, value, True, place.evidence))
    for message in asked:
        for _, hit in message.sections.get("stated", ()):
            if not is_negated(message.folded.text, hit):
                for label, known in _name_values(taxonomy, message, hit):
                    found.setdefault(known.name, HumanValue(label, known.name, True, message.evidence(hit)))
    return tuple(found.values())


def _name_values(taxonomy: Taxonomy, message: Spoken, hit: Hit) -> list[tuple[str, Value]]:
    """The canonical values named in a phrase's slot, the longest names first taken."""
    if hit.slot is None:
        return []
    words = message.folded.text[hit.slot[0] : hit.slot[1]].split()
    named: list[tuple[str, Value]] = []
    start = 0
    while start < len(words):
        for end in range(len(words), start, -1):
            label = " ".join(words[start:end])
            known = taxonomy.find(label)
            if known is not None:
                named.append((label, known))
                start = end
                break
        else:
            start += 1
    return named
