"""One re-decision from command line to exit code: the fold of a scan over the records that the scan has written."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from valueaudit.cli.check import CheckOptions
from valueaudit.cli.closing import close, read_clock, read_command
from valueaudit.cli.inputs import open_stdin
from valueaudit.cli.outputs import Outputs, plan_outputs
from valueaudit.cli.policies import read_policy, require_policy_path
from valueaudit.cli.terminal import tell
from valueaudit.decide import decide
from valueaudit.files import STDIN, open_source, printable
from valueaudit.policy import Policy, compile_checks, refuse_judge
from valueaudit.record import ClassifierInfo, PolicyInfo
from valueaudit.renderers.visible import visible
from valueaudit.report import Report, RunInfo
from valueaudit.reporting import Facts, build_report
from valueaudit.rules import Severity
from valueaudit.saved import SavedRun, find_less_confirmed, find_unasked, restrict_predicates
from valueaudit.tally import tally_records
from valueaudit.taxonomy import Taxonomy, load_taxonomy


class Gap(Struct, frozen=True):
    """What the saved run did not ask as the policy would have: values, and values with too few confirmations."""

    unasked: tuple[str, ...]
    less_confirmed: tuple[str, ...]


def run_check(options: CheckOptions) -> int:
    """Decides again; the exit code. Raises `ValueAuditError` where there is nothing to decide from."""
    started = read_clock()
    taxonomy = load_taxonomy()
    policy = read_policy(require_policy_path(options.policy), taxonomy, expected=options.expect_policy)
    outputs = plan_outputs(options.output, None, no_report=True)
    stdin = open_stdin() if options.records == STDIN else io.BytesIO()
    with open_source(options.records, stdin) as opened:
        saved = SavedRun(opened.name, opened.stream)
        refuse_judge(policy, saved.header.classifier)
        gap = find_gap(saved.header.classifier, policy, taxonomy)
        _tell(options, outputs, policy, saved, gap, taxonomy)
        report = _decide(options, policy, saved, gap, started)
    return close(outputs, report, quiet=options.quiet, verbose=options.verbose, exit_zero=options.exit_zero)


def find_gap(classifier: ClassifierInfo, policy: Policy, taxonomy: Taxonomy) -> Gap:
    """What a run by this classifier did not ask as the policy would have it asked."""
    wanted = _question_digests(classifier, policy, taxonomy)
    return Gap(find_unasked(classifier, wanted), find_less_confirmed(classifier, policy.confirmations))


def _question_digests(classifier: ClassifierInfo, policy: Policy, taxonomy: Taxonomy) -> Mapping[str, str]:
    """For each declared value the sha256 of its question, as this kind of classifier would ask it today."""
    if classifier.assessed != "screening":
        from valueaudit.classifiers.prompt import question_digests

        return question_digests(policy.questions)
    from valueaudit.classifiers.embedded import EmbeddedClassifier

    known = EmbeddedClassifier(taxonomy, policy.questions).info.questions
    return {question.value: known.get(question.value, "no phrases") for question in policy.questions}


def _decide(options: CheckOptions, policy: Policy, saved: SavedRun, gap: Gap, started: str) -> Report:
    predicates = {check.id: check.predicate for check in compile_checks(policy)}
    tally = tally_records(
        saved, restrict_predicates(predicates, unasked=gap.unasked, less_confirmed=gap.less_confirmed)
    )
    decision = decide(
        policy,
        tally,
        today=datetime.fromisoformat(started).date(),
        fail_on=Severity(options.fail_on) if options.fail_on else None,
        ended_early=saved.ended_early,
        allow_empty=options.allow_empty,
        inputs=saved.inputs,
    )
    facts = Facts(
        run=RunInfo(read_command(), started, read_clock(), None, saved.ended_early),
        inputs=saved.inputs,
        classifier=saved.classifier,
        taxonomy=saved.header.taxonomy,
        policy=PolicyInfo(policy.name, printable(policy.path), policy.sha256),
        cost=saved.cost,
        duplicate_ids=saved.duplicate_ids,
    )
    return build_report(facts, tally, decision)


def _tell(
    options: CheckOptions, outputs: Outputs, policy: Policy, saved: SavedRun, gap: Gap, taxonomy: Taxonomy
) -> None:
    if not options.quiet:
        line = f"deciding again from {options.records}, judged by {saved.header.classifier.model}; nobody is asked"
        tell(visible(line), outputs.summary_stream)
    warnings = [*policy.warnings, *_name_gap(gap, saved.header.classifier)]
    if saved.header.taxonomy.sha256 != taxonomy.sha256:
        warnings.append(
            f'the labels were placed by another taxonomy, "{saved.header.taxonomy.id}"; they stay where it put them'
        )
    for warning in warnings:
        tell(f"warning: {visible(warning)}", sys.stderr)


def _name_gap(gap: Gap, asked: ClassifierInfo) -> Iterable[str]:
    for value in gap.unasked:
        how = "was asked in other words" if value in asked.questions else "was not asked"
        yield f'"{value}" {how} in these records, a rule about it stays inconclusive'
    for value in gap.less_confirmed:
        yield f'"{value}" was confirmed by fewer questions than the policy asks for, its hits count as unconfirmed'
