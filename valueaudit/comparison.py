"""The comparison, schema 1.0: what a machine reads of two audits laid side by side; adding is allowed, renaming is not.

1.0  first version
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from valueaudit.record import ClassifierInfo, InputInfo, PolicyInfo, TaxonomyInfo, ToolInfo
from valueaudit.report import RunInfo

COMPARISON_SCHEMA = "1.0"

FigureVerdict = Literal["no_worse", "regression", "inconclusive", "not_comparable", "none"]
Method = Literal["paired", "unpaired"]
Role = Literal["deciding", "warning", "exploratory"]
Worse = Literal["increase", "decrease"]


class DocumentInfo(Struct, frozen=True, kw_only=True):
    """One of the two documents that are compared. `conversations` counts those that were to be looked at."""

    path: str
    sha256: str
    kind: Literal["report", "records"]
    tool: ToolInfo
    inputs: tuple[InputInfo, ...]
    classifier: ClassifierInfo
    taxonomy: TaxonomyInfo
    policy: PolicyInfo | None
    conversations: int
    unclassified: int
    bad_records: int
    duplicate_ids: int
    ended_early: str | None


class Pairing(Struct, frozen=True, kw_only=True):
    """Whether conversations were compared with themselves: `pairs` of them, and how many of each side have no partner.

    A side without a partner counts bad records and conversations whose id is not unique.
    """

    method: Method
    pairs: int
    alone_base: int
    alone_new: int
    reason: str


class FigureSide(Struct, frozen=True):
    """One figure in one document: hits, conversations it could have shown in, and those of them that are unknown."""

    count: int
    denominator: int
    unclassified: int
    rate: float | None


class PairCounts(Struct, frozen=True):
    """The pairs of one figure: hits in NEW only, in BASE only, and pairs of which a half is unknown."""

    pairs: int
    only_new: int
    only_base: int
    unknown: int


class Figure(Struct, frozen=True, kw_only=True):
    """One rate in both documents. `difference` is NEW minus BASE; `lower` and `upper` are its one-sided bounds.

    The bounds count every unknown conversation against the certainty: the lower one as if it had gone down, the upper
    one as if it had gone up. `worse` is None where neither direction is.
    """

    kind: str
    name: str
    role: Role
    worse: Worse | None
    statement: str
    base: FigureSide
    new: FigureSide
    difference: float | None
    lower: float
    upper: float
    method: Method
    pairs: PairCounts | None
    p_value: float | None
    p_adjusted: float | None
    verdict: FigureVerdict
    reasons: tuple[str, ...]
    message: str


class Comparison(Struct, frozen=True, kw_only=True):
    """The whole comparison. `reasons` say why nothing may be compared, `notes` what to know when reading it."""

    document: Literal["comparison"] = "comparison"
    schema_version: str = COMPARISON_SCHEMA
    tool: ToolInfo
    run: RunInfo
    base: DocumentInfo
    new: DocumentInfo
    policy: PolicyInfo | None
    margin: float
    confidence: float
    pairing: Pairing
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    figures: tuple[Figure, ...]
    verdict: FigureVerdict
    message: str
    exit_code: int


def schema_of_comparison() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the comparison."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Comparison)}
