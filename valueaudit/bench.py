"""The measurement of a judge against labels, schema 1.0: what a machine reads; adding is allowed, renaming is not.

1.0  first version
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from valueaudit.correction import JudgeCounts
from valueaudit.record import ClassifierInfo, Cost, InputInfo, PolicyInfo, TaxonomyInfo, ToolInfo
from valueaudit.report import RunInfo

BENCH_SCHEMA = "1.0"

Kind = Literal["choice", "yes_no", "set"]


class Estimate(Struct, frozen=True):
    """A figure of the labelled conversations and its bootstrap interval; None where either cannot be said."""

    value: float | None
    interval: tuple[float, float] | None


class View(Struct, frozen=True, kw_only=True):
    """The figures over `conversations` of them. All but `kappa` are None for a choice among more than two answers."""

    conversations: int
    kappa: Estimate
    precision: Estimate | None = None
    recall: Estimate | None = None
    specificity: Estimate | None = None
    f1: Estimate | None = None


class Views(Struct, frozen=True):
    """`told` is over the conversations that have an answer, `whole` over all labelled ones: untold is never right."""

    told: View
    whole: View


class Counts(Struct, frozen=True, kw_only=True):
    """One answer against all others: the four counts as a calibration takes them, and what was left untold."""

    judged: JudgeCounts
    untold_positives: int
    untold_negatives: int


class AnswerFigures(Struct, frozen=True):
    """One answer of a choice, or one member of a set, as a question of its own: this one, or not."""

    answer: str
    counts: Counts
    views: Views


class Confusion(Struct, frozen=True):
    """Conversations by label (a row each, in the order of `answers`) and answer (a column each, the last is untold)."""

    answers: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]


class ReliabilityBin(Struct, frozen=True):
    """Answers with a probability above `lower` and up to `upper`, their mean, and how often they were right."""

    lower: float
    upper: float
    count: int
    mean_probability: float
    rate: float


class Calibration(Struct, frozen=True):
    """Whether the classifier's probabilities hold, over the `count` answers that came with one."""

    count: int
    ece: float
    brier: float
    bins: tuple[ReliabilityBin, ...]


class EvidenceFigures(Struct, frozen=True):
    """How many claims of one kind came with a quotation that is in the transcript, of all that were made."""

    name: str
    claimed: int
    verified: int
    share: Estimate


class SourceFigures(Struct, frozen=True):
    """The same question over the conversations of one source."""

    source: str
    labelled: int
    views: Views


class QuestionFigures(Struct, frozen=True, kw_only=True):
    """One question. labelled = answered + untold + unclassified; `calibration` is None without probabilities."""

    name: str
    kind: Kind
    labelled: int
    answered: int
    untold: int
    unclassified: int
    views: Views
    counts: Counts | None
    confusion: Confusion | None
    answers: tuple[AnswerFigures, ...]
    calibration: Calibration | None
    sources: tuple[SourceFigures, ...]


class BenchCoverage(Struct, frozen=True, kw_only=True):
    """What was judged: `unlabelled` conversations were not, classified + unclassified were."""

    conversations: int
    unlabelled: int
    classified: int
    unclassified: int
    reasons: dict[str, int]
    duplicate_ids: int


class Bootstrap(Struct, frozen=True):
    """How the intervals were made."""

    resamples: int
    seed: int
    confidence: float


class Bench(Struct, frozen=True, kw_only=True):
    """The whole measurement."""

    document: Literal["bench"] = "bench"
    schema_version: str = BENCH_SCHEMA
    tool: ToolInfo
    run: RunInfo
    inputs: tuple[InputInfo, ...]
    classifier: ClassifierInfo
    taxonomy: TaxonomyInfo
    policy: PolicyInfo | None
    coverage: BenchCoverage
    bootstrap: Bootstrap
    questions: tuple[QuestionFigures, ...]
    evidence: tuple[EvidenceFigures, ...]
    message: str
    exit_code: int
    cost: Cost


def schema_of_bench() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the measurement."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Bench)}
