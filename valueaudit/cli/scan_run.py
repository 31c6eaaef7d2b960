"""One scan from command line to exit code: everything that can be wrong is checked before the first transcript."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from valueaudit.audit import Audit, Result, Settings, Stop
from valueaudit.cli.baselines import Baselines, read_baselines
from valueaudit.cli.closing import close, read_clock, read_command
from valueaudit.cli.inputs import Inputs, plan_inputs
from valueaudit.cli.judging import Judging, build_judging
from valueaudit.cli.outputs import Outputs, plan_outputs
from valueaudit.cli.policies import find_policy_path, read_policy, refuse_missing
from valueaudit.cli.progress import Progress
from valueaudit.cli.running import run_audit
from valueaudit.cli.scan import ScanOptions
from valueaudit.cli.terminal import is_ascii_only, tell
from valueaudit.cli.understood import find_unread
from valueaudit.comparing import Ledger
from valueaudit.decide import decide
from valueaudit.errors import ExitCode, InterruptedRunError, StorageError, UsageError
from valueaudit.files import printable
from valueaudit.policy import Policy, compile_checks, refuse_judge
from valueaudit.profile import build_coverage
from valueaudit.record import (
    SCHEMA_VERSION,
    FooterRecord,
    HeaderRecord,
    PolicyInfo,
    Record,
    Sampling,
    TaxonomyInfo,
    encode_line,
)
from valueaudit.renderers.visible import visible
from valueaudit.report import Report, RunInfo
from valueaudit.reporting import TOOL, Facts, build_report
from valueaudit.rules import Severity
from valueaudit.tally import Predicate
from valueaudit.taxonomy import Taxonomy, load_taxonomy
from valueaudit.writing import RecordsFile


class Plan(Struct, frozen=True, kw_only=True):
    """Everything a run needs, checked."""

    options: ScanOptions
    taxonomy: Taxonomy
    policy: Policy | None
    outputs: Outputs
    inputs: Inputs
    paths: tuple[str, ...]
    judging: Judging
    baselines: Baselines
    predicates: Mapping[str, Predicate]
    ledger: Ledger

    @property
    def policy_info(self) -> PolicyInfo | None:
        """The policy as documents name it."""
        policy = self.policy
        return None if policy is None else PolicyInfo(policy.name, printable(policy.path), policy.sha256)

    @property
    def taxonomy_info(self) -> TaxonomyInfo:
        """The taxonomy as documents name it."""
        return TaxonomyInfo(self.taxonomy.id, self.taxonomy.sha256)


def run_scan(options: ScanOptions) -> int:
    """Runs one scan; the exit code. Raises `ValueAuditError` when there is nothing to report."""
    plan = plan_scan(options)
    _tell_destination(plan)
    started = read_clock()
    result, looks = _run(plan, started)
    if isinstance(result.error, UsageError) and not result.tally.classified:
        raise result.error
    report = _build_report(plan, result, started, looks=looks)
    code = close(
        plan.outputs,
        report,
        error=result.error,
        quiet=options.quiet,
        verbose=options.verbose,
        exit_zero=options.exit_zero,
    )
    # a run that ended early has not seen what else lies in a file
    if result.error is None and (unread := find_unread(plan.inputs)) is not None:
        tell(visible(f"help: {unread}", ascii_only=is_ascii_only(sys.stderr)), sys.stderr)
    return code


def plan_scan(options: ScanOptions) -> Plan:
    """The checked plan of a scan. Raises `UsageError` and its kin, in the order: policy, outputs, inputs, judge,
    baselines."""
    taxonomy = load_taxonomy()
    policy = find_policy(options, taxonomy)
    outputs = plan_outputs(options.output, options.records, no_report=options.no_report, github=options.github)
    inputs = plan_inputs(options.paths, options.input_format, options.mapping, allow_empty=options.allow_empty)
    judging = build_judging(
        options, taxonomy, policy.questions if policy else (), policy.confirmations if policy else {}
    )
    if policy is not None:
        refuse_judge(policy, judging.classifier.info)
    baselines = read_baselines(policy, taxonomy)
    baselines.refuse_other(judging.classifier.info, TaxonomyInfo(taxonomy.id, taxonomy.sha256))
    predicates = {check.id: check.predicate for check in compile_checks(policy)} if policy else {}
    return Plan(
        options=options,
        taxonomy=taxonomy,
        policy=policy,
        outputs=outputs,
        inputs=inputs,
        paths=inputs.paths,
        judging=judging,
        baselines=baselines,
        predicates=predicates,
        ledger=baselines.open_ledger(predicates),
    )


def find_policy(options: ScanOptions, taxonomy: Taxonomy) -> Policy | None:
    """The policy that was named, or the one that lies in this folder, or none. Raises `PolicyError`, `UsageError`."""
    if options.no_policy and options.policy is not None:
        raise UsageError("--policy and --no-policy contradict each other", help="leave one of them out")
    path = None if options.no_policy else find_policy_path(options.policy)
    if path is None:
        refuse_missing(options.expect_policy)
        return None
    return read_policy(path, taxonomy, expected=options.expect_policy)


def _tell_destination(plan: Plan) -> None:
    count = len(plan.paths)
    what = f"{count} {'file' if count == 1 else 'files'}"
    stream = sys.stderr if plan.options.quiet else plan.outputs.summary_stream
    if not plan.options.quiet or plan.options.model is not None:
        tell(visible(f"auditing {what} with {plan.judging.destination}"), stream)
    for warning in plan.policy.warnings if plan.policy else ():
        tell(f"warning: {visible(str(warning))}", sys.stderr)


def _run(plan: Plan, started: str) -> tuple[Result, int | None]:
    """The run itself, and how many looks were taken; a bug in it still leaves a report behind."""
    stop = Stop()
    classifier = plan.judging.classifier
    with contextlib.ExitStack() as stack:
        records = stack.enter_context(RecordsFile(plan.outputs.records)) if plan.outputs.records else None
        progress = stack.enter_context(
            Progress(
                total=plan.inputs.bytes_total,
                position=lambda: plan.inputs.bytes_read,
                cost=lambda: classifier.cost,
                quiet=plan.options.quiet,
            )
        )

        def write(record: Record) -> None:
            if records is not None:
                records.write(encode_line(record))

        if records is not None:
            records.write(encode_line(_header(plan)))
        audit = Audit(
            classifier,
            predicates=plan.predicates,
            write=write,
            progress=progress,
            settings=Settings(
                concurrency=plan.judging.in_flight,
                include_text=plan.options.include_text,
                known_metadata=plan.policy.known_metadata if plan.policy else frozenset(),
            ),
            stop=stop,
            note=plan.ledger.add if plan.baselines.audited else None,
        )
        try:
            result, looks = asyncio.run(_audit(plan, audit, stop))
        except Exception as bug:
            if not isinstance(bug, InterruptedRunError):
                _write_after_crash(plan, audit.result(), started)
            raise
        if records is not None and not isinstance(result.error, UsageError | StorageError):
            result = _close_records(plan, result, records, started)
    return result, looks


def _close_records(plan: Plan, result: Result, records: RecordsFile, started: str) -> Result:
    try:
        records.write(encode_line(_footer(plan, result, started)))
        records.commit()
    except StorageError as error:
        return msgspec.structs.replace(result, error=result.error or error)
    return result


async def _audit(plan: Plan, audit: Audit, stop: Stop) -> tuple[Result, int | None]:
    try:
        result = await run_audit(audit, stop, plan.inputs, resume=plan.judging.resume, max_time=plan.options.max_time)
        return result, _count_looks(plan, result)
    finally:
        await plan.judging.close()


def _count_looks(plan: Plan, result: Result) -> int | None:
    # A store that fails now has given every reply already: the count is not worth the report.
    with contextlib.suppress(StorageError):
        return plan.judging.finish() if result.error is None else None
    return None


def _build_report(
    plan: Plan, result: Result, started: str, *, looks: int | None = None, crashed: bool = False
) -> Report:
    ended_early = "a bug in valueaudit" if crashed else result.error.message if result.error else None
    decision = decide(
        plan.policy,
        result.tally,
        today=datetime.fromisoformat(started).date(),
        fail_on=Severity(plan.options.fail_on) if plan.options.fail_on else None,
        ended_early=ended_early,
        allow_empty=plan.options.allow_empty,
        inputs=plan.inputs.infos,
        change=plan.baselines.build_change(plan.judging.classifier.info, plan.taxonomy_info, plan.ledger),
    )
    facts = Facts(
        run=RunInfo(read_command(), started, read_clock(), None, ended_early, looks),
        inputs=plan.inputs.infos,
        classifier=plan.judging.classifier.info,
        taxonomy=plan.taxonomy_info,
        policy=plan.policy_info,
        cost=plan.judging.classifier.cost,
        duplicate_ids=result.duplicate_ids,
    )
    report = build_report(facts, result.tally, decision)
    return msgspec.structs.replace(report, exit_code=ExitCode.CRASH) if crashed else report


def _write_after_crash(plan: Plan, result: Result, started: str) -> None:
    # Whatever fails here must not hide the bug itself.
    with contextlib.suppress(Exception):
        plan.outputs.write(_build_report(plan, result, started, crashed=True))


def _header(plan: Plan) -> HeaderRecord:
    return HeaderRecord(
        schema_version=SCHEMA_VERSION,
        tool=TOOL,
        inputs=tuple(printable(path) for path in plan.paths),
        classifier=plan.judging.classifier.info,
        taxonomy=plan.taxonomy_info,
        policy=plan.policy_info,
        sampling=Sampling(),
    )


def _footer(plan: Plan, result: Result, started: str) -> FooterRecord:
    return FooterRecord(
        inputs=plan.inputs.infos,
        coverage=build_coverage(result.tally, result.duplicate_ids),
        classifier=plan.judging.classifier.info,
        cost=plan.judging.classifier.cost,
        started=started,
        finished=read_clock(),
        ended_early=result.error.message if result.error else None,
    )
