"""Sides of a comparison that tests are written with: small ledgers under a small policy, and the facts around them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace
from policy_samples import HEAD, build_record, parse

from valueaudit.comparing import Facts, Side, Terms, build_records_side, compare, find_policy_rules
from valueaudit.comparing.ledger import Ledger
from valueaudit.comparison import Comparison, DocumentInfo, Figure
from valueaudit.observation import (
    Declared,
    Evidence,
    Observation,
    ObservedValue,
    Polarity,
    ResponseType,
    State,
)
from valueaudit.policy import Policy, compile_checks
from valueaudit.record import BadRecordRecord, ClassifierInfo, ConversationRecord, Record, TaxonomyInfo, ToolInfo
from valueaudit.report import RunInfo

POLICY = (
    HEAD
    + """prohibited:
  - {id: no-deception, value: deception, at_most: 5%, severity: critical}
intended:
  - {id: clear, value: clarity, at_least: 40%}
"""
)
QUESTIONS = {"clarity": "c1" * 32, "deception": "d1" * 32}
JUDGE = ClassifierInfo(
    "acme/judge",
    "judge-2026",
    prompt_sha256="aa" * 32,
    questions=QUESTIONS,
    confirmations={"deception": 1},
    primed=True,
)
TOOL = ToolInfo("valueaudit", "1.0.0")
FACTS = Facts(TOOL, RunInfo("valueaudit compare a b", "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"), None)
MARGIN = Terms(0.05)


def parse_policy_of(text: str = POLICY) -> Policy:
    """The policy of the sample, or another one."""
    return parse(text)


def build_info(**changes: Any) -> DocumentInfo:
    """A document of the judge above, that ended."""
    fields: dict[str, Any] = {
        "path": "base.jsonl",
        "sha256": "01" * 32,
        "kind": "records",
        "tool": TOOL,
        "inputs": (),
        "classifier": JUDGE,
        "taxonomy": TaxonomyInfo("sample-1", "ee" * 32),
        "policy": None,
        "conversations": 1,
        "unclassified": 0,
        "bad_records": 0,
        "duplicate_ids": 0,
        "ended_early": None,
    }
    return DocumentInfo(**{**fields, **changes})


def build_value(name: str, *, adverse: bool = False, supported: bool = True) -> ObservedValue:
    """A value of the assistant."""
    polarity = Polarity.ADVERSE if adverse else Polarity.POSITIVE
    return ObservedValue(name, name, "Social", "Ethical interaction", polarity, supported, None)


def observe_all(
    *values: ObservedValue,
    deception: State = State.ABSENT,
    clarity: State = State.ABSENT,
    response: ResponseType | None = ResponseType.NO_VALUES,
) -> Observation:
    """An observation in which everything was assessed."""
    return Observation(
        response_type=response,
        response_evidence=Evidence(1, (0, 4)) if response is not None else None,
        ai_values=values,
        declared={
            "deception": Declared(deception, True if deception is State.SHOWN else None),
            "clarity": Declared(clarity),
        },
        human_values=(),
        adverse=any(value.polarity is Polarity.ADVERSE and value.supported for value in values),
    )


CLEAN = observe_all()
DECEIVES = observe_all(build_value("deception", adverse=True), deception=State.SHOWN)
CLEAR = observe_all(build_value("clarity"), clarity=State.UPHELD, response=ResponseType.MILD_SUPPORT)


def records_of(*parts: tuple[int, Observation | None], start: int = 1, **fields: Any) -> list[Record]:
    """So many records of each observation, their ids counted on from `start`; None is an unclassified one."""
    records: list[Record] = []
    for count, observation in parts:
        records += [build_record(observation, line=start + len(records) + n, **fields) for n in range(count)]
    return records


def rename(record: Record, id: str) -> ConversationRecord:
    """The record under another id."""
    assert isinstance(record, ConversationRecord)
    return replace(record, id=id)


BAD = BadRecordRecord("logs.jsonl", 9, None, "not JSON")


def build_side(records: Iterable[Record], policy: Policy | None = None, **changes: Any) -> Side:
    """The side that these records make under a policy."""
    ledger = Ledger({check.id: check.predicate for check in compile_checks(policy)} if policy else {})
    for record in records:
        ledger.add(record)
    info = build_info(**{"conversations": ledger.total - ledger.bad_records, **changes})
    return build_records_side(info, ledger)


def compare_records(
    base: Iterable[Record],
    new: Iterable[Record],
    terms: Terms = MARGIN,
    *,
    policy: Policy | None = None,
    force: bool = False,
    **changes: Any,
) -> Comparison:
    """The comparison of two sides under the policy of the sample; `changes` are of NEW's document."""
    policy = policy or parse_policy_of()
    old, now = (
        build_side(base, policy),
        build_side(new, policy, **{"path": "new.jsonl", "sha256": "02" * 32, **changes}),
    )
    return compare(old, now, find_policy_rules(policy, old.info, now.info), terms, FACTS, force=force)


def find_figure(comparison: Comparison, name: str, kind: str | None = None) -> Figure:
    """The figure of that name."""
    return next(f for f in comparison.figures if f.name == name and kind in (None, f.kind))
