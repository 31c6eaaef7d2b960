"""A policy in plain sentences, for the person who signs it and does not read YAML."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from valueaudit.acceptance import can_fail, find_min_units, find_proof
from valueaudit.policy import Gate, Policy, Waiver, compile_checks
from valueaudit.rules import Check, Enforce, ProhibitedRule, Rule, Severity
from valueaudit.rules.fields import Confirm, build_limit, build_percentage, build_points
from valueaudit.statistics import zero_hit_sample_size


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences that stand alone, and facts as pairs of a label and a sentence."""

    title: str
    sentences: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a policy says. `head` are facts about the document, `rules` has one section for each rule."""

    title: str
    head: tuple[tuple[str, str], ...]
    gate: Section
    contexts: Section
    rules: tuple[Section, ...]
    values: Section


def explain_policy(policy: Policy) -> Explanation:
    """The policy in sentences, in the order of the file."""
    document = policy.document
    stated = (
        ("Purpose", document.purpose),
        ("Owner", document.owner),
        ("Revision", document.revision),
        ("Approved by", document.approved_by),
        ("Approved on", document.approved_date),
        ("Review by", document.review_by),
        ("Taxonomy", document.taxonomy),
        ("File", policy.path),
        ("Digest", f"sha256:{policy.sha256}"),
    )
    checks: defaultdict[str, list[Check]] = defaultdict(list)
    waivers: defaultdict[str, list[Waiver]] = defaultdict(list)
    for waiver in policy.waivers:
        waivers[waiver.rule].append(waiver)
    for check in compile_checks(policy):
        checks[check.rule].append(check)
    return Explanation(
        title=policy.name,
        head=tuple((label, text) for label, text in stated if text),
        gate=Section("How the audit decides", tuple(_explain_gate(policy.gate))),
        contexts=Section(
            "Where rules apply",
            facts=tuple((name, _explain_context(context)) for name, context in policy.contexts.items()),
        ),
        rules=tuple(_explain_rule(rule, checks[rule.id], policy.gate, waivers[rule.id]) for rule in policy.rules),
        values=Section(
            "What the values mean",
            facts=tuple((f"{q.value} ({q.kind})", q.definition) for q in policy.questions),
        ),
    )


def _explain_gate(gate: Gate) -> Iterator[str]:
    confidence = build_percentage(gate.confidence)
    yield "Each conversation has one vote for each rule."
    yield (
        f"A rule passes or fails only where the conversations prove it with {confidence} confidence; "
        "otherwise it is inconclusive."
    )
    yield f"{_name_blocking(gate)}; the others are only told."
    if gate.inconclusive == "block":
        yield "Where such a rule is inconclusive, the audit does not pass (exit code 3)."
    else:
        yield "Where such a rule is inconclusive, that is told and holds nothing back (exit code 0)."
    if gate.min_units > 1:
        yield f"No rule passes on fewer than {gate.min_units:,} conversations."
    yield (
        f"If more than {build_percentage(gate.max_unclassified)} of the conversations cannot be read or classified, "
        "the audit is incomplete (exit code 4)."
    )
    yield "A conversation that cannot be judged counts against every rule, whichever way the rule points."
    if gate.cluster:
        yield f'Conversations that share the field "{gate.cluster}" depend on each other and count as fewer.'
    if gate.judge == "llm":
        yield "Only a language model may judge; the embedded classifier is refused."
    if gate.trust_judge:
        yield 'The judge is trusted although it was not calibrated: rules that say "at least" can be violated.'


def _name_blocking(gate: Gate) -> str:
    if gate.fail_on is Severity.LOW:
        return "A blocking rule of any severity can fail the audit (exit code 1)"
    *more, least = (severity for severity in Severity if severity.reaches(gate.fail_on))
    reaching = f"{', '.join(more)} or {least}" if more else least
    return f"A blocking rule of severity {reaching} can fail the audit (exit code 1)"


def _explain_context(context: dict[str, tuple[str, ...]]) -> str:
    return "conversations where " + " and ".join(_explain_key(key, wanted) for key, wanted in context.items())


def _explain_key(key: str, wanted: tuple[str, ...]) -> str:
    words = " or ".join(f'"{each}"' for each in wanted)
    if key == "model":
        return f"the record names the model {words}"
    if key.startswith("metadata."):
        return f'the field "{key.removeprefix("metadata.")}" of the record is {words}'
    return f"the judge says that the {key.replace('_', ' ')} is {words}"


def _explain_rule(rule: Rule, checks: Sequence[Check], gate: Gate, waivers: Sequence[Waiver]) -> Section:
    facts = [("Severity", str(rule.severity)), ("If it is violated", _explain_violation(rule, gate))]
    for check in checks:
        if check.against is not None:
            facts.append((f"To pass, {check.against.check}", _explain_change(check)))
            continue
        facts.append((f"To pass, {_name_limit(check)}" if len(checks) > 1 else "To pass", _explain_proof(check, gate)))
        if check.correction is not None:
            facts.append(("The judge's errors", "the bounds are corrected for them by the calibration of the policy"))
        if not can_fail(check, gate):
            needs = f'"{_name_limit(check)}" needs a calibrated judge; until then it passes or stays inconclusive'
            facts.append(("Cannot be violated", needs))
    if rule.asked == "open":
        facts.append(("How it is asked", "by the open question: the judge is not asked about it by name"))
    if isinstance(rule, ProhibitedRule):
        facts.append(("What counts", _explain_confirmation(rule)))
    facts += [("Waiver", _explain_waiver(waiver)) for waiver in waivers]
    facts += [("Why", rule.why)] if rule.why else []
    facts += [("Controls", ", ".join(rule.controls))] if rule.controls else []
    return Section(rule.id, tuple(f"{check.statement}." for check in checks), tuple(facts))


def _explain_waiver(waiver: Waiver) -> str:
    limits = [f"{key.replace('_', ' ')} {build_limit(key, limit)}" for key, limit in waiver.limits.items()]
    count = len(waiver.conversations)
    what = "".join(limits) or f"the hits in {count:,} {'conversation' if count == 1 else 'conversations'} accepted"
    return f"{what}, until the end of {waiver.expires} (UTC), by {waiver.approved_by}: {waiver.reason}"


def _name_limit(check: Check) -> str:
    return f"{check.direction.replace('_', ' ')} {build_percentage(check.limit)}"


def _explain_violation(rule: Rule, gate: Gate) -> str:
    if rule.enforce is Enforce.OFF:
        return "nothing happens, the rule is switched off"
    if rule.enforce is Enforce.WARN:
        return "it is told; the rule warns and never fails the audit"
    if not rule.severity.reaches(gate.fail_on):
        return f"it is told; only severity {gate.fail_on} and above can fail the audit"
    return "the audit fails (exit code 1)"


def _explain_proof(check: Check, gate: Gate) -> str:
    if check.never and check.assure is None:
        return 'it cannot, because no "assure" says which rate must be ruled out'
    provable = check.assure if check.never else check.limit if check.direction == "at_most" else 1 - check.limit
    if provable is None or not 0 < provable < 1:
        return "no number of conversations proves it" if not provable else "any conversation proves it"
    share, confidence = find_proof(check, gate.confidence)
    if share <= 0:
        return "no number of conversations proves it, by what the calibration knows of the judge"
    needed = max(zero_hit_sample_size(share, confidence), find_min_units(check, gate))
    start = f"at least {needed:,} {'conversation' if needed == 1 else 'conversations'}"
    if check.never:
        return f"{start}, and it does so in none of them"
    if check.direction == "at_most":
        return f"{start}, more if it does so in some of them"
    return f"{start}, more if it does not do so in some of them"


def _explain_change(check: Check) -> str:
    return (
        f"a change for the worse of more than {build_points(check.limit)} is ruled out, whatever the unknown "
        "conversations of both audits were; the baseline must be judged and asked alike, or the audit is incomplete"
    )


def _explain_confirmation(rule: ProhibitedRule) -> str:
    if rule.confirm is Confirm.HUMAN:
        return (
            "a flagged conversation counts once a person confirms it; nothing takes that answer yet, so it stays open"
        )
    number = rule.confirm.questions
    if not number:
        return "a flagged conversation counts at once, without a further question"
    if rule.nodes():
        return "a flagged conversation counts only where another rule asks about that very value and had it confirmed"
    questions = "one further question agrees" if number == 1 else f"{number} further questions agree"
    return f"a flagged conversation counts once {questions}; refuted, it counts as clean"
