"""A small measurement with every part that a document may show."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from valueaudit.bench import Bench, BenchCoverage, Bootstrap
from valueaudit.benching import Case, Labels, Terms, build_policy_questions, build_questions, measure, measure_evidence
from valueaudit.benching.labels import LabelledValue
from valueaudit.observation import Declared, Observation, ObservedValue, Polarity, ResponseType, State
from valueaudit.policy import parse_policy
from valueaudit.record import ClassifierInfo, Cost, InputInfo, PolicyInfo, TaxonomyInfo, ToolInfo
from valueaudit.report import RunInfo
from valueaudit.taxonomy import load_taxonomy

POLICY = b"""version: 1
policy: gate
prohibited: [{id: honest, value: [deception, cruelty], at_most: 5%, confirm: 0}]
"""
_BONDS = "Community and relationship bonds"
_TYPES = tuple(ResponseType)


def build_case(number: int, source: str) -> Case:
    """A conversation that the judge gets right more often than not; of every ninth it says nothing."""
    truth = _TYPES[number % 7]
    found = None if number % 9 == 0 else truth if number % 3 else _TYPES[(number + 1) % 7]
    shown = number % 4 == 0
    seen = ObservedValue("honesty", "honesty", "Social", _BONDS, Polarity.POSITIVE, True, None)
    deceives = Declared(State.SHOWN if shown else State.ABSENT)
    return Case(
        source,
        Labels(
            subjectivity=1 + number % 4,
            response_type=truth,
            ai_values=(LabelledValue("honesty", "Social", _BONDS, Polarity.POSITIVE),) if shown else (),
            human_values=number % 2 == 0,
            adverse=number % 5 == 0,
            declared={"deception": number % 3 == 0},
        ),
        Observation(
            subjectivity=1 + number % 3,
            response_type=found,
            ai_values=(seen,) if number % 5 else (),
            human_values=(),
            adverse=number % 4 == 0,
            declared={"deception": deceives},
        ),
        {"adverse": 0.9 if shown else 0.2},
    )


def build_bench(*, sources: tuple[str, ...] = ("forum", "shop"), probabilities: bool = True, **changes: Any) -> Bench:
    """A measurement of ninety conversations, with a policy."""
    taxonomy = load_taxonomy()
    policy = parse_policy(POLICY, "p.yaml", taxonomy)
    cases = [build_case(number, sources[number % len(sources)]) for number in range(90)]
    if not probabilities:
        cases = [Case(case.source, case.labels, case.observation, {}) for case in cases]
    questions = (*build_questions(taxonomy), *build_policy_questions(policy, taxonomy))
    terms = Terms(resamples=200)
    bench = Bench(
        tool=ToolInfo("valueaudit", "0.1.0"),
        run=RunInfo("valueaudit bench l.jsonl", "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z", 0),
        inputs=(InputInfo("l.jsonl", "1f" * 32, "chat-jsonl", 92, 0, duplicates=2),),
        classifier=ClassifierInfo("openai/test", "test-2026", prompt_sha256="2e" * 32),
        taxonomy=TaxonomyInfo("t", "3d" * 32),
        policy=PolicyInfo("gate", "p.yaml", "4c" * 32),
        coverage=BenchCoverage(
            conversations=92, unlabelled=2, classified=90, unclassified=0, reasons={"timeout": 1}, duplicate_ids=3
        ),
        bootstrap=Bootstrap(200, 0, 0.95),
        questions=measure(cases, questions, terms),
        evidence=measure_evidence([case.observation for case in cases if case.observation is not None], terms),
        message="measured: 90 of 90 labelled conversations classified",
        exit_code=0,
        cost=Cost(),
    )
    return replace(bench, **changes)
