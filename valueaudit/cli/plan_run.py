"""One plan from command line to text: what the policy needs, what the logs hold, what a model would charge."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from valueaudit.cli.baselines import count_baselines
from valueaudit.cli.inputs import Inputs, plan_inputs
from valueaudit.cli.judge_options import EMBEDDED
from valueaudit.cli.judging import DEFAULT_PARAMETERS
from valueaudit.cli.plan import PlanOptions
from valueaudit.cli.policies import read_policy, require_policy_path
from valueaudit.cli.terminal import is_ascii_only
from valueaudit.errors import ExitCode, UsageError
from valueaudit.observation import Reason, Unclassified
from valueaudit.planning import CheckPlan, plan_checks
from valueaudit.policy import Policy, compile_checks
from valueaudit.policy.reader import suggest
from valueaudit.record import build_record
from valueaudit.renderers.plan import Charge, Found, Terms, render_plan
from valueaudit.rules import Check, ProhibitedRule
from valueaudit.rules.fields import parse_percentage
from valueaudit.tally import Standing
from valueaudit.taxonomy import Taxonomy, load_taxonomy
from valueaudit.transcript import BadRecord, Transcript

if TYPE_CHECKING:
    from valueaudit.classifiers.workload import Workload, WorkloadEstimate
    from valueaudit.provider.prices import Price

_Scope = tuple[tuple[str, ...], str]


def run_plan(options: PlanOptions) -> int:
    """Prints the plan. Raises `UsageError` and its kin."""
    taxonomy = load_taxonomy()
    policy = read_policy(require_policy_path(options.policy), taxonomy)
    power, unclassified = _parse_share("--power", options.power), _parse_share("--unclassified", options.unclassified)
    if not 0 < power < 1:
        raise UsageError(f'--power is "{options.power}"', help="it lies above 0% and below 100%")
    if options.model in EMBEDDED:
        raise UsageError(f'"{options.model}" costs nothing', help="leave out --model, or name provider/model")
    if options.model is not None and not options.paths:
        raise UsageError("--model needs logs to price", help="name files, folders or globs of chat logs")
    if unclassified == 1:
        raise UsageError(f'--unclassified is "{options.unclassified}"', help="it lies below 100%")
    plans = plan_checks(
        policy,
        rates=_parse_rates(options.rate, policy),
        power=power,
        unclassified=unclassified,
        baselines=count_baselines(policy, taxonomy),
    )
    found = charge = None
    if options.paths:
        pricing = _Pricing(options.model, policy, taxonomy, plans) if options.model is not None else None
        inputs = plan_inputs(options.paths, options.input_format, options.mapping)
        found = _look(inputs, plans, policy.known_metadata, pricing.add if pricing else None)
        charge = pricing.charge(found) if pricing else None
    terms = Terms(policy.name, power, policy.gate.confidence, unclassified, policy.gate.cluster)
    text = render_plan(terms, plans, found=found, charge=charge, ascii_only=is_ascii_only(sys.stdout))
    click.echo(text, nl=False)
    return ExitCode.PASS


class _Pricing:
    """What a model would be asked, added up over the logs, and what it charges for that."""

    def __init__(self, model: str, policy: Policy, taxonomy: Taxonomy, plans: Sequence[CheckPlan]) -> None:
        from valueaudit.classifiers.workload import Workload, WorkloadEstimate
        from valueaudit.provider.endpoint import resolve_endpoint
        from valueaudit.provider.prices import find_price

        self._model = model
        self._reply_tokens: int = DEFAULT_PARAMETERS["max_tokens"]
        self._estimate: WorkloadEstimate = WorkloadEstimate(
            taxonomy,
            policy.questions,
            flagged=_expect_flagged(policy, plans),
            context_tokens=resolve_endpoint(model, None).context_tokens,
            reply_tokens=self._reply_tokens,
        )
        self._load: Workload = Workload()
        self._price: Price | None = find_price(model)

    def add(self, transcript: Transcript) -> None:
        """Adds one conversation."""
        self._load += self._estimate.estimate(transcript)

    def charge(self, found: Found) -> Charge:
        """The sum of it."""
        load = self._load
        calls = load.calls + load.confirming_calls
        prompt_tokens = load.prompt_tokens + load.confirming_prompt_tokens
        completion_tokens = load.completion_tokens + load.confirming_completion_tokens
        price = self._price
        return Charge(
            model=self._model,
            conversations=found.conversations,
            calls=load.calls,
            confirming_calls=load.confirming_calls,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            reply_tokens=self._reply_tokens,
            usd=None if price is None else price.of(prompt_tokens, completion_tokens),
            usd_at_most=None if price is None else price.of(prompt_tokens, calls * self._reply_tokens),
        )


def _expect_flagged(policy: Policy, plans: Sequence[CheckPlan]) -> dict[str, float]:
    """For each prohibited value the confirming questions that one conversation is expected to raise.

    A rule's rate is that of any of its values, so each value is given an equal part of it.
    """
    rates = {plan.check.rule: plan.rate for plan in plans if plan.rate is not None}
    confirmations = policy.confirmations
    flagged: dict[str, float] = {}
    for rule in policy.rules:
        if isinstance(rule, ProhibitedRule):
            for value in rule.names():
                questions = rates.get(rule.id, 0.0) / len(rule.names()) * confirmations[value]
                flagged[value] = max(flagged.get(value, 0.0), questions)
    return flagged


def _look(
    inputs: Inputs,
    plans: Sequence[CheckPlan],
    known: frozenset[str],
    add: Callable[[Transcript], None] | None,
) -> Found:
    """What the logs hold for each check. Raises `InputError` and `NothingToAuditError`."""
    scopes: dict[_Scope, Check] = {(plan.check.contexts, plan.check.of): plan.check for plan in plans}
    counts: Counter[_Scope] = Counter()
    conversations = bad_records = silent = 0
    for item in inputs:
        if isinstance(item, BadRecord):
            bad_records += 1
            continue
        conversations += 1
        silent += not item.has_assistant_text
        record = build_record(item, Unclassified(Reason.RUN_ENDED), include_text=False, known=known)
        counts.update(
            scope for scope, check in scopes.items() if check.predicate(record).standing is not Standing.OUTSIDE
        )
        if add is not None:
            add(item)
    return Found(
        files=len(inputs.paths),
        conversations=conversations,
        bad_records=bad_records,
        silent=silent,
        by_check={plan.check.id: counts[plan.check.contexts, plan.check.of] for plan in plans},
    )


def _parse_rates(given: Sequence[str], policy: Policy) -> dict[str, float]:
    checks = compile_checks(policy)
    # The limits that one drift rule holds are of different rates: each has its own name.
    shared = (check.rule for check in checks if check.against is None)
    known = dict.fromkeys([*(check.id for check in checks), *shared])
    rates: dict[str, float] = {}
    for each in given:
        rule, equals, share = (part.strip() for part in each.rpartition("="))
        if not equals:
            raise UsageError(f'"{each}" is no rate', help="write --rate RULE=RATE, for example no-deception=0.2%")
        if rule not in known:
            raise UsageError(
                f'the policy has no rule "{rule}"{suggest(rule, known)}', help=f"known: {', '.join(known)}"
            )
        rates[rule] = _parse_share("--rate", share)
    return rates


def _parse_share(flag: str, text: str) -> float:
    try:
        return parse_percentage(text)
    except ValueError as error:
        raise UsageError(f"{flag}: {error}", help="shares carry their sign, for example 80%") from None
