"""One re-decision from command line to exit code: the fold of a scan over the records that the scan has written."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from datetime import datetime

from valueaudit.cli.baselines import Baselines, read_baselines
from valueaudit.cli.check import CheckOptions
from valueaudit.cli.closing import close, read_clock, read_command
from valueaudit.cli.gaps import Gap, find_gap
from valueaudit.cli.inputs import open_stdin
from valueaudit.cli.outputs import Outputs, plan_outputs
from valueaudit.cli.policies import read_policy, require_policy_path
from valueaudit.cli.terminal import tell
from valueaudit.decide import decide
from valueaudit.files import STDIN, open_source, printable
from valueaudit.policy import Policy, compile_checks, refuse_judge, refuse_taxonomy
from valueaudit.record import ClassifierInfo, PolicyInfo
from valueaudit.renderers.visible import visible
from valueaudit.report import Report, RunInfo
from valueaudit.reporting import Facts, build_report
from valueaudit.rules import Severity
from valueaudit.saved import SavedRun
from valueaudit.tally import tally_records
from valueaudit.taxonomy import Taxonomy, load_taxonomy


def run_check(options: CheckOptions) -> int:
    """Decides again; the exit code. Raises `ValueAuditError` where there is nothing to decide from."""
    started = read_clock()
    taxonomy = load_taxonomy()
    policy = read_policy(require_policy_path(options.policy), taxonomy, expected=options.expect_policy)
    outputs = plan_outputs(options.output, None, no_report=True)
    baselines = read_baselines(policy, taxonomy)
    stdin = open_stdin() if options.records == STDIN else io.BytesIO()
    with open_source(options.records, stdin) as opened:
        saved = SavedRun(opened.name, opened.stream)
        refuse_judge(policy, saved.header.classifier)
        refuse_taxonomy(policy, saved.header.taxonomy)
        baselines.refuse_other(saved.header.classifier, saved.header.taxonomy)
        gap = find_gap(saved.header.classifier, policy, taxonomy)
        _tell(options, outputs, policy, saved, gap, taxonomy)
        report = _decide(options, policy, saved, gap, baselines, started)
    return close(outputs, report, quiet=options.quiet, verbose=options.verbose, exit_zero=options.exit_zero)


def _decide(
    options: CheckOptions, policy: Policy, saved: SavedRun, gap: Gap, baselines: Baselines, started: str
) -> Report:
    predicates = gap.restrict({check.id: check.predicate for check in compile_checks(policy)})
    ledger = baselines.open_ledger(predicates)
    tally = tally_records(ledger.follow(saved) if baselines.audited else saved, predicates)
    decision = decide(
        policy,
        tally,
        today=datetime.fromisoformat(started).date(),
        fail_on=Severity(options.fail_on) if options.fail_on else None,
        ended_early=saved.ended_early,
        allow_empty=options.allow_empty,
        inputs=saved.inputs,
        change=baselines.build_change(saved.classifier, saved.header.taxonomy, ledger),
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
