"""One fold from a tally to a report, whether the records come from a scan or from a file."""

from __future__ import annotations

from msgspec import Struct

from valueaudit import __version__
from valueaudit.decide import Decision
from valueaudit.profile import build_coverage, build_profile
from valueaudit.record import ClassifierInfo, Cost, InputInfo, PolicyInfo, TaxonomyInfo, ToolInfo
from valueaudit.report import Report, RunInfo
from valueaudit.sightings import build_example
from valueaudit.tally import Tally

TOOL = ToolInfo("valueaudit", __version__)


class Facts(Struct, frozen=True, kw_only=True):
    """What a report says beside the measurement: clock, inputs, judge, taxonomy, policy, cost."""

    run: RunInfo
    inputs: tuple[InputInfo, ...]
    classifier: ClassifierInfo
    taxonomy: TaxonomyInfo
    policy: PolicyInfo | None
    cost: Cost
    duplicate_ids: int


def build_report(facts: Facts, tally: Tally, decision: Decision) -> Report:
    """The report of everything that was counted and decided."""
    return Report(
        tool=TOOL,
        run=facts.run,
        inputs=facts.inputs,
        classifier=facts.classifier,
        taxonomy=facts.taxonomy,
        policy=facts.policy,
        coverage=build_coverage(tally, facts.duplicate_ids),
        bad_records=tuple(build_example(sighting) for sighting in tally.bad_examples.kept),
        profile=build_profile(tally),
        rules=decision.rules,
        warnings=decision.warnings,
        verdict=decision.verdict,
        message=_name_screening(decision.message, facts.classifier),
        exit_code=decision.exit_code,
        cost=facts.cost,
    )


def _name_screening(message: str, classifier: ClassifierInfo) -> str:
    """The verdict's sentence, which must not let a screening pass for a judgement."""
    return f"{message}; by a screening, not a judgement" if classifier.assessed == "screening" else message
