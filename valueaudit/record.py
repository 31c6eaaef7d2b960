"""The records file: one line per conversation, from which every figure and verdict can be rebuilt without a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from valueaudit.correction import JudgeCounts
from valueaudit.observation import Classified, Evidence, Observation, Outcome, Reason, Unclassified
from valueaudit.transcript import BadRecord, Location, Metadata, Transcript

SCHEMA_VERSION = "1.0"
LONGEST_METADATA = 256
WITHHELD = "(withheld: "
_SHORTEST_LEAK = 16


class ToolInfo(Struct, frozen=True):
    """The program that wrote a document."""

    name: str
    version: str


class ClassifierInfo(Struct, frozen=True):
    """Who judged, and everything that decides what it answers.

    `assessed` is `judgement` for an LLM, `screening` for the embedded classifier; `questions` maps each declared value
    to the sha256 of its own question, `confirmations` each prohibited one to how many further questions were to agree
    on a hit; `left_out` are parameters that the endpoint did not take; `primed` says that the
    policy's values stood in the prompt of the open question; `calibration` says how the embedded classifier stood to
    labels that it had not seen (None for an LLM: what was used of the policy's calibration stands at each rule).
    """

    model: str
    resolved_model: str | None = None
    assessed: str = "judgement"
    provider: str | None = None
    endpoint: str | None = None
    parameters: dict[str, Any] = {}
    structured_output: str | None = None
    left_out: tuple[str, ...] = ()
    prompt_sha256: str | None = None
    questions: dict[str, str] = {}
    confirmations: dict[str, int] = {}
    primed: bool = False
    calibration: dict[str, JudgeCounts] | None = None


class TaxonomyInfo(Struct, frozen=True):
    """Which taxonomy placed the labels."""

    id: str
    sha256: str


class PolicyInfo(Struct, frozen=True):
    """Which policy decided."""

    name: str
    path: str
    sha256: str


class Sampling(Struct, frozen=True):
    """How a conversation came into the sample: the phase and its probability of selection, in (0, 1]."""

    phase: str = "all"
    probability: float = 1.0


class InputInfo(Struct, frozen=True):
    """One input file as it was read; `sha256` is over the bytes on disk, None where it was not read to its end.

    `format` names the formats met in it, joined by `+`, empty where none was. `duplicates` are conversations that have
    the id of an earlier one of the run and say word for word the same: they are in no other count. `messages`,
    `attachments` and `branches` are of the conversations; `left_out` are records without speech, such as summaries.
    `changed` says that the file was written to, replaced or removed while it was read.
    """

    path: str
    sha256: str | None
    format: str
    conversations: int
    bad_records: int
    messages: int = 0
    attachments: int = 0
    branches: int = 0
    left_out: int = 0
    duplicates: int = 0
    changed: bool = False

    @property
    def is_unread(self) -> bool:
        """Whether this is a log that gave no conversation: empty, or with bad records only."""
        silent = not (self.conversations or self.duplicates)
        return silent and bool(self.bad_records or not (self.format or self.left_out))

    @property
    def is_no_log(self) -> bool:
        """Whether no record of it is in a known format, in a file that nobody named as a log."""
        return bool(self.left_out and not self.format and not self.bad_records)


class Coverage(Struct, frozen=True):
    """How much of what was found could be looked at: sampled = classified + unclassified."""

    found: int
    sampled: int
    classified: int
    unclassified: int
    bad_records: int
    subjective: int
    unsupported_labels: int
    reasons: dict[str, int]
    duplicate_ids: int = 0


class Cost(Struct, frozen=True):
    """What the judge was asked in this run. `usd` is None where the price of the model is not known."""

    calls: int = 0
    cached_calls: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None


class HeaderRecord(Struct, frozen=True, tag_field="kind", tag="header"):
    """First line: who looked at what, with which policy."""

    schema_version: str
    tool: ToolInfo
    inputs: tuple[str, ...]
    classifier: ClassifierInfo
    taxonomy: TaxonomyInfo
    policy: PolicyInfo | None
    sampling: Sampling


class ConversationRecord(Struct, frozen=True, tag_field="kind", tag="conversation"):
    """One conversation and its outcome, without its text."""

    id: str
    source: str
    line: int | None
    pointer: str | None
    metadata: Metadata
    sampling: Sampling
    classified: bool
    reason: Reason | None
    detail: str | None
    observation: Observation | None
    reply_sha256: str | None

    @property
    def location(self) -> Location:
        """Where the conversation lies."""
        return Location(self.source, self.line, self.pointer)


class BadRecordRecord(Struct, frozen=True, tag_field="kind", tag="bad_record"):
    """One line that is no conversation, and why."""

    source: str
    line: int | None
    pointer: str | None
    reason: str

    @property
    def location(self) -> Location:
        """Where the bad record lies."""
        return Location(self.source, self.line, self.pointer)


class FooterRecord(Struct, frozen=True, tag_field="kind", tag="footer"):
    """Last line of a run that came to its end; `ended_early` says why it did not look at everything."""

    inputs: tuple[InputInfo, ...]
    coverage: Coverage
    classifier: ClassifierInfo
    cost: Cost
    started: str
    finished: str
    ended_early: str | None = None


Record = ConversationRecord | BadRecordRecord
RecordLine = HeaderRecord | ConversationRecord | BadRecordRecord | FooterRecord

_decoder = msgspec.json.Decoder(RecordLine)


def build_record(
    transcript: Transcript, outcome: Outcome, *, include_text: bool, known: frozenset[str] = frozenset()
) -> ConversationRecord:
    """The record of one conversation; without `include_text` it holds no words of the transcript.

    `known` are texts that stand in the policy: metadata equal to one of them tells nothing new and is kept.
    """
    classified = isinstance(outcome, Classified)
    observation = outcome.observation if isinstance(outcome, Classified) else None
    if observation is not None and not include_text:
        observation = _without_quotes(observation)
    metadata = transcript.metadata if include_text else withhold_text(transcript, known)
    return ConversationRecord(
        id=transcript.id,
        source=transcript.location.source,
        line=transcript.location.line,
        pointer=transcript.location.pointer,
        metadata=metadata,
        sampling=Sampling(),
        classified=classified,
        reason=outcome.reason if isinstance(outcome, Unclassified) else None,
        detail=(outcome.detail or None) if isinstance(outcome, Unclassified) else None,
        observation=observation,
        reply_sha256=outcome.reply_sha256 if isinstance(outcome, Classified) else None,
    )


def build_bad_record(bad: BadRecord) -> BadRecordRecord:
    """The record of one line that is no conversation."""
    return BadRecordRecord(bad.location.source, bad.location.line, bad.location.pointer, bad.reason)


def encode_line(line: RecordLine) -> bytes:
    """One line of the records file, with its line feed."""
    return msgspec.json.encode(line) + b"\n"


def parse_lines(lines: Iterable[bytes]) -> Iterator[RecordLine]:
    """The records in a records file. Raises `msgspec.ValidationError` or `msgspec.DecodeError` on a foreign line."""
    return (_decoder.decode(line) for line in lines if line.strip())


def _without_quotes(observation: Observation) -> Observation:
    def bare(evidence: Evidence | None) -> Evidence | None:
        return None if evidence is None else Evidence(evidence.message, evidence.span)

    replace = msgspec.structs.replace
    return replace(
        observation,
        response_evidence=bare(observation.response_evidence),
        ai_values=None
        if observation.ai_values is None
        else tuple(replace(v, evidence=bare(v.evidence)) for v in observation.ai_values),
        declared={k: replace(d, evidence=bare(d.evidence)) for k, d in observation.declared.items()},
        human_values=None
        if observation.human_values is None
        else tuple(replace(v, evidence=bare(v.evidence)) for v in observation.human_values),
    )


def withhold_text(transcript: Transcript, known: frozenset[str] = frozenset()) -> Metadata:
    """The metadata of a transcript without anything that repeats its text: extra fields of chat logs often do.

    A string of more than 256 characters is replaced by a note, and so is one that shares 16 characters in a row with a
    message or an attachment, whatever the case and the white space. Keys are treated like values. Numbers, and strings
    that are `known`, stay.
    """

    # most metadata is too short to repeat anything, and a long text is not folded for nothing
    @cache
    def fold() -> list[str]:
        return [_squeeze(text) for m in transcript.messages for text in (m.text, *m.attachments)]

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return value if value in known else _withhold(value, fold)
        if isinstance(value, dict):
            return {clean(key): clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [clean(item) for item in value]
        return value

    return {clean(key): clean(value) for key, value in transcript.metadata.items()}


def _withhold(value: str, fold: Callable[[], list[str]]) -> str:
    if len(value) > LONGEST_METADATA:
        return f"{WITHHELD}{len(value)} characters)"
    squeezed = _squeeze(value)
    windows = (squeezed[at : at + _SHORTEST_LEAK] for at in range(len(squeezed) - _SHORTEST_LEAK + 1))
    if any(window in text for window in windows for text in fold()):
        return f"{WITHHELD}text of the conversation)"
    return value


def _squeeze(text: str) -> str:
    return " ".join(text.casefold().split())


def schema_of_records() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one line of the records file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(RecordLine)}
