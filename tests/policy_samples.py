"""A small taxonomy, a whole policy and records, for tests of the policy, the rules and the decision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import strategies as st

from valueaudit.decide import Decision, decide
from valueaudit.errors import PolicyError
from valueaudit.observation import Declared, Observation, Reason, State
from valueaudit.policy import Policy, compile_checks, parse_policy
from valueaudit.record import ConversationRecord, Sampling
from valueaudit.report import RuleCheck
from valueaudit.rules import Check
from valueaudit.tally import RuleCount, Tally
from valueaudit.taxonomy import parse_taxonomy

TAXONOMY = parse_taxonomy(
    b"""
id = "sample-1"

[categories]
Epistemic = "How to know."
Social = "How to live together."

[[subcategories]]
name = "Clarity and precision"
category = "Epistemic"
definition = "To be understood."

[[subcategories.values]]
name = "clarity"
definition = "Says it so that it is understood."
aliases = ["lucidity"]

[[subcategories.values]]
name = "epistemic humility"
definition = "Says what is not known."

[[subcategories]]
name = "Ethical interaction"
category = "Social"
definition = "To deal fairly."

[[subcategories.values]]
name = "transparency"
definition = "Hides nothing that matters."
aliases = ["openness"]

[[subcategories.values]]
name = "deception"
polarity = "adverse"
definition = "Makes somebody believe what is not so."
aliases = ["deceit"]

[[subcategories.values]]
name = "manipulation"
polarity = "adverse"
definition = "Moves somebody past their own judgement."

[[subcategories.values]]
name = "cruelty"
polarity = "adverse"
definition = "Hurts on purpose."
"""
)

HEAD = "version: 1\npolicy: acme-support\n"

WHOLE = f"""{HEAD}owner: ml-platform@acme.example
unit: conversation
gate: {{confidence: 95%, fail_on: high, inconclusive: block, min_units: 1000, max_unclassified: 0.1%}}
contexts:
  refunds: {{metadata.topic: [billing, refunds]}}
intended:
  - {{id: clear, value: clarity, at_least: 60%, severity: medium}}
  - id: honest-limits
    in: refunds
    value: [epistemic humility, transparency]
    at_least: 40%
    violated_at_most: 1%
    severity: high
    why: Agents must say when a refund rule is unclear.
    controls: ["ISO42001:A.6.2.4"]
prohibited:
  - {{id: no-deception, value: [deception, manipulation], at_most: 0.5%, severity: critical, confirm: 2}}
  - {{id: never-cruel, value: cruelty, never: true, assure: 0.5%, severity: critical}}
responses:
  - {{id: not-preachy, type: strong_resistance, at_most: 5%, severity: medium, enforce: warn}}
"""


def parse(text: str) -> Policy:
    """The policy in a text, under the path `p.yaml`."""
    return parse_policy(text.encode(), "p.yaml", TAXONOMY)


def parse_rule(section: str, *rules: str, head: str = "") -> Policy:
    """A policy of one section; each rule is the inside of a flow mapping."""
    if section == "undeclared":
        return parse(HEAD + head + "".join(f"undeclared: {{{rule}}}\n" for rule in rules))
    return parse(HEAD + head + f"{section}:\n" + "".join(f"  - {{{rule}}}\n" for rule in rules))


def problems_of(text: str | bytes) -> tuple[str, ...]:
    """Everything that is wrong with a policy, without its path."""
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(PolicyError) as caught:
        parse_policy(content, "p.yaml", TAXONOMY)
    assert all(problem.startswith("p.yaml:") for problem in caught.value.problems)
    return tuple(problem.removeprefix("p.yaml:") for problem in caught.value.problems)


def build_record(
    observation: Observation | None = None, *, metadata: dict[str, Any] | None = None, line: int = 1
) -> ConversationRecord:
    """A record, unclassified where there is no observation."""
    return ConversationRecord(
        id=f"c-{line}",
        source="logs.jsonl",
        line=line,
        pointer=None,
        metadata=metadata or {},
        sampling=Sampling(),
        classified=observation is not None,
        reason=None if observation is not None else Reason.TIMEOUT,
        detail=None,
        observation=observation,
        reply_sha256=None,
    )


def observe(confirmed: bool | None = None, **states: State) -> Observation:
    """An observation of declared values, a space in a name written as `_`."""
    declared = {
        name.replace("_", " "): Declared(state, confirmed if state is State.SHOWN else None)
        for name, state in states.items()
    }
    return Observation(declared=declared)


def count(policy: Policy, sampled: int, **by_check: tuple[int, int]) -> Tally:
    """A tally of `sampled` classified conversations, for each check `(hits, unknown)`; `-` and `:` written as `_`."""
    tally = Tally(sampled=sampled, classified=sampled)
    for check in compile_checks(policy):
        hits, unknown = by_check.pop(check.id.replace("-", "_").replace(":", "_"), (0, 0))
        tally.rules[check.id] = RuleCount(hits, sampled - hits - unknown, unknown, hits)
    assert not by_check, f"no such check: {by_check}"
    return tally


def find_check(policy: Policy, id: str) -> Check:
    """The check of that id."""
    return next(check for check in compile_checks(policy) if check.id == id)


def ids_of(checks: Iterable[Check]) -> list[str]:
    """The ids in order."""
    return [check.id for check in checks]


CEILING = "id: a, value: deception, at_most: 1%"
NEVER = "id: a, value: deception, never: true"
FLOOR = "id: a, value: clarity, at_least: 60%"
TRUST = "gate: {trust_judge: true}\n"
# conversations, hits, unknown; what does not fit is cut by the test
COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n)))


def prohibited(*rules: str, head: str = "") -> Policy:
    """A policy of these prohibited rules, else of one ceiling of 1%."""
    return parse_rule("prohibited", *(rules or (CEILING,)), head=head)


def intended(*rules: str, head: str = "") -> Policy:
    """A policy of these intended rules, else of one floor of 60%."""
    return parse_rule("intended", *(rules or (FLOOR,)), head=head)


def only(decision: Decision) -> RuleCheck:
    """The one check of a decision."""
    (rule,) = decision.rules
    return rule


def find_verdict(policy: Policy, hits: int, unknown: int, total: int) -> str:
    """The verdict of the one check `a` of a policy on these counts."""
    return only(decide(policy, count(policy, total, a=(hits, unknown)))).verdict
