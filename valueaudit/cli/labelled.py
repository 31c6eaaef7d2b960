"""Labelled conversations from the command line: every line that cannot be used is told, before any judge is asked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from valueaudit.benching import BadLabelsError, Labels, parse_labels
from valueaudit.benching.labels import LABELS, REFUSAL
from valueaudit.cli.inputs import Inputs
from valueaudit.errors import LabelsError, NothingToAuditError
from valueaudit.record import InputInfo
from valueaudit.taxonomy import Taxonomy
from valueaudit.transcript import BadRecord, Location, Transcript

SOURCE = "source"
MOST_PROBLEMS = 20
_HELP = "correct these lines or take them out; docs/bench.md says what a labelled line holds"


class Labelled(Struct, frozen=True):
    """One conversation without its labels, which no judge may see, and the labels."""

    transcript: Transcript
    labels: Labels

    @property
    def source(self) -> str:
        """The `source` beside its messages, else the file."""
        named = self.transcript.metadata.get(SOURCE)
        return named if isinstance(named, str) and named else self.transcript.location.source


class LabelledInputs(Struct, frozen=True):
    """All conversations that have any label, how many have none, and the files."""

    conversations: tuple[Labelled, ...]
    unlabelled: int
    infos: tuple[InputInfo, ...]

    @property
    def by_location(self) -> dict[Location, Labelled]:
        """The labelled conversations by their place."""
        return {each.transcript.location: each for each in self.conversations}


def read_labelled(inputs: Inputs, taxonomy: Taxonomy) -> LabelledInputs:
    """The labelled conversations in `inputs`.

    Raises `LabelsError` with every line that cannot be used, `InputError` for a file, `NothingToAuditError` where
    there is no label.
    """
    conversations: list[Labelled] = []
    problems: list[str] = []
    total = 0
    for item in inputs:
        total += 1
        if isinstance(item, BadRecord):
            problems.append(f"{item.location}: {item.reason}")
            continue
        try:
            labels = parse_labels(item.metadata, taxonomy)
        except BadLabelsError as error:
            problems.append(f"{item.location}: {error}")
        else:
            if not labels.is_empty:
                conversations.append(Labelled(_without_labels(item), labels))
    if problems:
        raise LabelsError(_shorten(problems), help=_HELP)
    if not conversations:
        raise NothingToAuditError(f"none of {total} conversations has a label", help=_HELP)
    return LabelledInputs(tuple(conversations), total - len(conversations), inputs.infos)


def _without_labels(transcript: Transcript) -> Transcript:
    kept = {key: value for key, value in transcript.metadata.items() if key not in {LABELS, REFUSAL}}
    return msgspec.structs.replace(transcript, metadata=kept)


def _shorten(problems: Sequence[str]) -> tuple[str, ...]:
    more = len(problems) - MOST_PROBLEMS
    return (*problems[:MOST_PROBLEMS], *([f"and {more} more lines that cannot be used"] if more > 0 else []))
