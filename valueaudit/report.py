"""The report, schema 1.0: what a machine reads. Names are a contract; adding is allowed, renaming is a new version.

1.0  first version
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from valueaudit.observation import Polarity
from valueaudit.record import (
    SCHEMA_VERSION,
    ClassifierInfo,
    Cost,
    Coverage,
    InputInfo,
    PolicyInfo,
    TaxonomyInfo,
    ToolInfo,
)

UNCALIBRATED = "uncalibrated"
RuleVerdict = Literal["pass", "fail", "inconclusive", "off"]
WaiverState = Literal["in force", "expired", "unused"]
RunVerdict = Literal["pass", "fail", "inconclusive", "incomplete", "none"]


class RunInfo(Struct, frozen=True):
    """What the clock, the command line and the reply store say; the only part in which two equal runs may differ.

    `looks` is the number of runs that looked at these conversations, this one included, as far as the store knows;
    None where there is no store to know.
    """

    command: str
    started: str
    finished: str
    seed: int | None = None
    ended_early: str | None = None
    looks: int | None = None


class Share(Struct, frozen=True, kw_only=True):
    """A count of conversations among `denominator` of them, with a two-sided 95% Clopper-Pearson interval."""

    count: int
    denominator: int
    rate: float | None
    interval: tuple[float, float]


class ValueShare(Share, frozen=True, kw_only=True):
    """How many conversations show one value."""

    value: str
    category: str | None
    subcategory: str | None
    polarity: Polarity | None


class NamedShare(Share, frozen=True, kw_only=True):
    """How many conversations fall under one name: a category, a response type, a task."""

    name: str


class SubcategoryShare(NamedShare, frozen=True, kw_only=True):
    """How many conversations show a positive or unrated value of one subcategory."""

    category: str


class Example(Struct, frozen=True, omit_defaults=True):
    """Where to look: a conversation, its place, the message and the span in it. Text only where it was asked for."""

    conversation: str
    source: str
    line: int | None = None
    pointer: str | None = None
    message: int | None = None
    span: tuple[int, int] | None = None
    quote: str | None = None


class AdverseShare(ValueShare, frozen=True, kw_only=True):
    """An adverse value and where to look for it."""

    examples: tuple[Example, ...]


class Mirroring(Share, frozen=True, kw_only=True):
    """Conversations in which the assistant shows a value that the user stated, among those with a stated value."""

    by_response_type: tuple[NamedShare, ...]


class Profile(Struct, frozen=True):
    """The measurement. Every share is of conversations; the denominators are named in docs/report.md."""

    values: tuple[ValueShare, ...]
    subcategories: tuple[SubcategoryShare, ...]
    categories: tuple[NamedShare, ...]
    human_values: tuple[ValueShare, ...]
    response_types: tuple[NamedShare, ...]
    tasks: tuple[NamedShare, ...]
    languages: tuple[NamedShare, ...]
    mirroring: Mirroring
    adverse: tuple[AdverseShare, ...]
    adverse_conversations: NamedShare


class WaiverInfo(Struct, frozen=True):
    """Who accepted what until when; a replaced limit or the ids of accepted conversations, and whether it counts."""

    reason: str
    approved_by: str
    expires: str
    limit: float | None
    conversations: tuple[str, ...]
    state: WaiverState


class BaselineInfo(Struct, frozen=True, kw_only=True):
    """What a change was held against: the records, the check whose conversations were compared, and their counts there.

    `difference` is the rate now minus the rate then; `only_new` and `only_base` are pairs with a hit on one side only.
    `reasons` say why the two are not comparable, and then nothing was counted.
    """

    path: str
    sha256: str | None
    check: str
    confirmed: int = 0
    denominator: int = 0
    unclassified: int = 0
    rate: float | None = None
    difference: float | None = None
    method: Literal["paired", "unpaired"] | None = None
    pairs: int | None = None
    only_new: int | None = None
    only_base: int | None = None
    reasons: tuple[str, ...] = ()


class RuleCheck(Struct, frozen=True, kw_only=True):
    """One rule held against the tally: guarded acceptance, docs/decision.md.

    `count` are flagged hits, `confirmed` those that count as hits, `unclassified` those of the `denominator` that are
    neither hit nor clean. `lower` and `upper` are the one-sided bounds the verdict rests on. `needed` is the number of
    further conversations at this rate that would decide it, None where none would. `reasons` are what the verdict turns
    on beside the figures; `message` is figures and reasons in one line. `rule` is the rule of the policy that states
    the limit and `line` its line in the policy file; `breaks` says that the verdict as it stands keeps the run from
    passing. These three are None where they are not known. `waiver` is the first of `waivers` that is in force, else
    the first. With a
    `baseline`, `lower` and `upper` bound the change for the worse since then, and `limit` is its margin.
    """

    id: str
    kind: str
    asked: Literal["declared", "open"] = "declared"
    severity: str
    enforce: str
    verdict: RuleVerdict
    count: int
    confirmed: int
    denominator: int
    denominator_name: str
    unclassified: int
    rate: float | None
    lower: float
    upper: float
    limit: float
    direction: Literal["at_most", "at_least"]
    needed: int | None
    effective: float | None = None
    clusters: int | None = None
    p_value: float | None
    p_adjusted: float | None
    calibrated: bool
    sensitivity: float | None = None
    specificity: float | None = None
    blocking: bool
    waiver: WaiverInfo | None = None
    waivers: tuple[WaiverInfo, ...] = ()
    statement: str
    message: str
    reasons: tuple[str, ...] = ()
    evidence: tuple[Example, ...]
    rule: str | None = None
    line: int | None = None
    breaks: bool | None = None
    why: str = ""
    controls: tuple[str, ...] = ()
    baseline: BaselineInfo | None = None


class Report(Struct, frozen=True, kw_only=True):
    """The whole report."""

    schema_version: str = SCHEMA_VERSION
    tool: ToolInfo
    run: RunInfo
    inputs: tuple[InputInfo, ...]
    classifier: ClassifierInfo
    taxonomy: TaxonomyInfo
    policy: PolicyInfo | None
    coverage: Coverage
    bad_records: tuple[Example, ...]
    profile: Profile
    rules: tuple[RuleCheck, ...]
    warnings: tuple[str, ...] = ()
    verdict: RunVerdict
    message: str
    exit_code: int
    cost: Cost


def schema_of_report() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the report."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Report)}
