"""One measurement from command line to exit code: labels, outputs and judge are checked before anything is asked."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from valueaudit.audit import Audit, Result, Settings, Stop
from valueaudit.bench import Bench, BenchCoverage, Bootstrap
from valueaudit.benching import (
    Case,
    Question,
    Terms,
    build_policy_questions,
    build_questions,
    measure,
    measure_evidence,
)
from valueaudit.cli.bench import BenchOptions
from valueaudit.cli.bench_outputs import check_outputs, show, write
from valueaudit.cli.closing import choose_exit_code, read_clock, read_command
from valueaudit.cli.inputs import plan_inputs
from valueaudit.cli.judging import Judging, build_judging
from valueaudit.cli.labelled import LabelledInputs, read_labelled
from valueaudit.cli.outputs import STDOUT
from valueaudit.cli.policies import read_policy_bytes
from valueaudit.cli.progress import Progress
from valueaudit.cli.running import run_audit
from valueaudit.cli.saying import say
from valueaudit.cli.terminal import tell
from valueaudit.errors import ExitCode
from valueaudit.files import printable
from valueaudit.observation import Classified, Outcome
from valueaudit.policy import Policy, parse_policy
from valueaudit.ports import Classifier
from valueaudit.record import ClassifierInfo, ConversationRecord, Cost, PolicyInfo, Record, TaxonomyInfo
from valueaudit.renderers.figures import format_count
from valueaudit.renderers.visible import visible
from valueaudit.report import RunInfo
from valueaudit.reporting import TOOL
from valueaudit.taxonomy import Taxonomy, load_taxonomy
from valueaudit.transcript import Location, Transcript

# figures of a minority of the conversations say which of them were easy, not how good the judge is
LEAST_CLASSIFIED = 0.5


class Plan(Struct, frozen=True, kw_only=True):
    """Everything a measurement needs, checked."""

    options: BenchOptions
    taxonomy: Taxonomy
    policy: Policy | None
    inputs: LabelledInputs
    questions: tuple[Question, ...]
    judging: Judging


class Remembering:
    """A classifier whose probabilities are kept by place, since no record holds them."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self.probabilities: dict[Location, Mapping[str, float]] = {}

    @property
    def info(self) -> ClassifierInfo:
        """As the classifier says."""
        return self._classifier.info

    @property
    def cost(self) -> Cost:
        """As the classifier says."""
        return self._classifier.cost

    async def classify(self, transcript: Transcript) -> Outcome:
        """As the classifier says."""
        outcome = await self._classifier.classify(transcript)
        if isinstance(outcome, Classified):
            self.probabilities[transcript.location] = outcome.probabilities
        return outcome


def run_bench(options: BenchOptions) -> int:
    """Measures; the exit code. Raises `ValueAuditError` where there is nothing to measure."""
    started = read_clock()
    plan = _plan(options)
    count = format_count(len(plan.inputs.conversations))
    told = sys.stderr if options.quiet or STDOUT in options.output else sys.stdout
    if not options.quiet or options.model is not None:
        tell(visible(f"measuring {plan.judging.destination}: {count} labelled conversations"), told)
    result, records, probabilities = _run(plan)
    if result.error is not None and not result.tally.classified:
        raise result.error
    bench = _build_bench(plan, result, records, probabilities, started)
    failures = write(options, bench)
    show(options, bench)
    for failure in (result.error, *failures):
        if failure is not None:
            say(failure)
    return choose_exit_code(bench.exit_code, exit_zero=False, is_written=not failures)


def _plan(options: BenchOptions) -> Plan:
    """The checked plan. Raises `UsageError` and its kin, in the order: outputs, policy, labels, judge."""
    taxonomy = load_taxonomy()
    check_outputs(options)
    policy = None
    if options.policy is not None:
        # its calibration is what a measurement is for, so that of another judge is no reason to refuse
        policy = parse_policy(read_policy_bytes(options.policy), options.policy, taxonomy)
    inputs = read_labelled(plan_inputs(options.paths, options.input_format, options.mapping), taxonomy)
    judging = build_judging(
        options, taxonomy, policy.questions if policy else (), policy.confirmations if policy else {}
    )
    questions = (*build_questions(taxonomy), *(build_policy_questions(policy, taxonomy) if policy else ()))
    return Plan(options=options, taxonomy=taxonomy, policy=policy, inputs=inputs, questions=questions, judging=judging)


def _run(plan: Plan) -> tuple[Result, Sequence[ConversationRecord], Mapping[Location, Mapping[str, float]]]:
    records: list[ConversationRecord] = []

    def keep(record: Record) -> None:
        if isinstance(record, ConversationRecord):
            records.append(record)

    classifier = Remembering(plan.judging.classifier)
    transcripts = [each.transcript for each in plan.inputs.conversations]
    options, stop = plan.options, Stop()
    with Progress(
        total=len(transcripts), position=lambda: len(records), cost=lambda: classifier.cost, quiet=options.quiet
    ) as progress:
        settings = Settings(concurrency=plan.judging.in_flight)
        audit = Audit(classifier, predicates={}, write=keep, progress=progress, settings=settings, stop=stop)
        result = asyncio.run(_audit(plan, audit, stop, transcripts))
    return result, records, classifier.probabilities


async def _audit(plan: Plan, audit: Audit, stop: Stop, transcripts: Sequence[Transcript]) -> Result:
    try:
        return await run_audit(audit, stop, transcripts, resume=plan.judging.resume, max_time=plan.options.max_time)
    finally:
        await plan.judging.close()


def _build_bench(
    plan: Plan,
    result: Result,
    records: Sequence[ConversationRecord],
    probabilities: Mapping[Location, Mapping[str, float]],
    started: str,
) -> Bench:
    labelled, options, policy = plan.inputs.by_location, plan.options, plan.policy
    cases = [
        Case(
            labelled[record.location].source,
            labelled[record.location].labels,
            record.observation,
            probabilities.get(record.location, {}),
        )
        for record in records
    ]
    terms = Terms(resamples=options.resamples, seed=options.seed)
    ended_early = result.error.message if result.error else None
    coverage = _build_coverage(plan, result, records)
    exit_code, message = _decide(coverage, ended_early)
    return Bench(
        tool=TOOL,
        run=RunInfo(read_command(), started, read_clock(), options.seed, ended_early),
        inputs=plan.inputs.infos,
        classifier=plan.judging.classifier.info,
        taxonomy=TaxonomyInfo(plan.taxonomy.id, plan.taxonomy.sha256),
        policy=None if policy is None else PolicyInfo(policy.name, printable(policy.path), policy.sha256),
        coverage=coverage,
        bootstrap=Bootstrap(terms.resamples, terms.seed, terms.confidence),
        questions=measure(cases, plan.questions, terms),
        evidence=measure_evidence((case.observation for case in cases if case.observation is not None), terms),
        message=message,
        exit_code=exit_code,
        cost=plan.judging.classifier.cost,
    )


def _build_coverage(plan: Plan, result: Result, records: Sequence[ConversationRecord]) -> BenchCoverage:
    reasons = Counter(str(record.reason) for record in records if record.reason is not None)
    classified = result.tally.classified
    return BenchCoverage(
        conversations=len(plan.inputs.conversations) + plan.inputs.unlabelled,
        unlabelled=plan.inputs.unlabelled,
        classified=classified,
        unclassified=len(records) - classified,
        reasons=dict(sorted(reasons.items())),
        duplicate_ids=result.duplicate_ids,
    )


def _decide(coverage: BenchCoverage, ended_early: str | None) -> tuple[ExitCode, str]:
    """The exit code and the one sentence: whether enough was classified for the figures to be of this judge."""
    total = coverage.classified + coverage.unclassified
    counted = f"{format_count(coverage.classified)} of {format_count(total)} labelled conversations classified"
    if ended_early is not None:
        return ExitCode.INCOMPLETE, f"incomplete: {ended_early}; {counted}"
    if coverage.classified < LEAST_CLASSIFIED * total:
        return ExitCode.INCOMPLETE, f"incomplete: too few to measure by, {counted}"
    return ExitCode.PASS, f"measured: {counted}"
