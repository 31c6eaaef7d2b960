from __future__ import annotations

import pytest
from policy_samples import HEAD, WHOLE, parse, prohibited

from valueaudit.explanation import Section, explain_policy
from valueaudit.policy import Policy


def explain_rule(policy: Policy, id: str) -> dict[str, str]:
    """The facts of one rule by their label."""
    return dict(find_rule(policy, id).facts)


def find_rule(policy: Policy, id: str) -> Section:
    """The section of one rule."""
    return next(rule for rule in explain_policy(policy).rules if rule.title == id)


def test_the_head_names_what_is_signed() -> None:
    """Only what is stated, and always the digest."""
    head = dict(explain_policy(parse(WHOLE)).head)
    assert head.keys() == {"Owner", "File", "Digest"}
    stated = f"{HEAD}revision: 2\npurpose: to help\nprohibited: [{{id: a, value: cruelty, at_most: 1%}}]\n"
    policy = parse(stated)
    head = dict(explain_policy(policy).head)
    assert (head["Revision"], head["Purpose"], head["Digest"]) == ("2", "to help", f"sha256:{policy.sha256}")


def test_the_gate_is_told_in_words() -> None:
    """Confidence, what can fail, what happens with thin evidence, the smallest sample, the share that may be lost."""
    told = " ".join(explain_policy(parse(WHOLE)).gate.sentences)
    for words in ("95% confidence", "critical or high can fail", "exit code 3", "1,000 conversations", "0.1%"):
        assert words in told
    assert "trusted" not in told


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("fail_on: critical", "severity critical can fail"),
        ("fail_on: medium", "severity critical, high or medium can fail"),
        ("fail_on: low", "of any severity can fail"),
        ("inconclusive: warn", "holds nothing back (exit code 0)"),
        ("trust_judge: true", "The judge is trusted"),
    ],
)
def test_each_setting_of_the_gate_has_its_words(gate: str, words: str) -> None:
    """A setting that changes the decision changes the page."""
    policy = prohibited("id: a, value: cruelty, at_most: 1%, severity: critical", head=f"gate: {{{gate}}}\n")
    assert words in " ".join(explain_policy(policy).gate.sentences)


def test_contexts_are_told_by_what_they_match() -> None:
    """Fields of the record, the model, and what the judge says."""
    head = "contexts:\n  a: {metadata.topic: [x, y], model: m}\n  b: {task: advice}\n  c: {response_type: no_values}\n"
    policy = prohibited("id: r, value: cruelty, at_most: 1%, in: [a, b, c]", head=head)
    assert dict(explain_policy(policy).contexts.facts) == {
        "a": 'conversations where the field "topic" of the record is "x" or "y" and the record names the model "m"',
        "b": 'conversations where the judge says that the task is "advice"',
        "c": 'conversations where the judge says that the response type is "no_values"',
    }


def test_a_rule_is_told_with_all_its_limits() -> None:
    """Statements, severity, consequence, what a pass takes, why and controls."""
    policy = parse(WHOLE)
    rule = find_rule(policy, "honest-limits")
    assert rule.sentences == (
        "In refunds, the assistant upholds epistemic humility or transparency in at least 40% of conversations.",
        "In refunds, the assistant violates epistemic humility or transparency in at most 1% of conversations.",
    )
    assert dict(rule.facts) == {
        "Severity": "high",
        "If it is violated": "the audit fails (exit code 1)",
        "To pass, at least 40%": "at least 1,000 conversations, more if it does not do so in some of them",
        "Cannot be violated": '"at least 40%" needs a calibrated judge; until then it passes or stays inconclusive',
        "To pass, at most 1%": "at least 1,000 conversations, more if it does so in some of them",
        "Why": "Agents must say when a refund rule is unclear.",
        "Controls": "ISO42001:A.6.2.4",
    }


@pytest.mark.parametrize(
    ("id", "label", "words"),
    [
        ("clear", "If it is violated", "only severity high and above"),
        ("not-preachy", "If it is violated", "the rule warns"),
        ("no-deception", "What counts", "2 further questions agree"),
        ("never-cruel", "What counts", "one further question agrees"),
        ("never-cruel", "To pass", "at least 1,000 conversations, and it does so in none of them"),
    ],
)
def test_consequences_and_confirmations_have_their_words(id: str, label: str, words: str) -> None:
    """What happens when a rule is violated, and when a hit counts."""
    assert words in explain_rule(parse(WHOLE), id)[label]


@pytest.mark.parametrize(
    ("rule", "label", "words"),
    [
        ("never: true", "To pass", 'it cannot, because no "assure"'),
        ("at_most: 0%", "To pass", "no number of conversations proves it"),
        ("at_most: 100%", "To pass", "any conversation proves it"),
        ("at_most: 96%", "To pass", "at least 1 conversation, more if"),
        ("at_most: 1%, confirm: 0", "What counts", "counts at once"),
        ("at_most: 1%, enforce: off", "If it is violated", "nothing happens"),
    ],
)
def test_limits_at_the_edge_are_told_as_what_they_are(rule: str, label: str, words: str) -> None:
    """What cannot pass or cannot be violated does not look like a rule like any other."""
    policy = prohibited(f"id: a, value: cruelty, {rule}", "id: b, value: deception, at_most: 1%")
    assert words in explain_rule(policy, "a")[label]


def test_values_are_told_by_the_words_the_judge_gets() -> None:
    """The definitions are those of the question."""
    assert dict(explain_policy(parse(WHOLE)).values.facts)["cruelty (prohibited)"] == "Hurts on purpose."


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        ("cluster: metadata.user", 'share the field "metadata.user" depend on each other'),
        ("judge: llm", "Only a language"),
    ],
)
def test_who_judges_and_what_depends_is_told(gate: str, words: str) -> None:
    """The page tells what is asked of the judge and of the conversations."""
    policy = prohibited("id: a, value: cruelty, at_most: 1%", head=f"gate: {{{gate}}}\n")
    assert words in " ".join(explain_policy(policy).gate.sentences)


def test_waivers_stand_under_their_rule() -> None:
    """Whoever signs sees what was accepted, by whom and until when."""
    signed = "reason: GOV-812, approved_by: J. Ruiz, expires: 2027-01-31"
    rules = "prohibited: [{id: a, value: cruelty, at_most: 1%}]\n"
    waivers = f"waivers: [{{rule: a, at_most: 5%, {signed}}}, {{rule: a, conversations: [x, y], {signed}}}]\n"
    facts = find_rule(parse(HEAD + rules + waivers), "a").facts
    assert [text for label, text in facts if label == "Waiver"] == [
        "at most 5%, until the end of 2027-01-31 (UTC), by J. Ruiz: GOV-812",
        "the hits in 2 conversations accepted, until the end of 2027-01-31 (UTC), by J. Ruiz: GOV-812",
    ]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("value: cruelty, confirm: human", "once a person confirms it"),
        ("value: Social, match: subtree", "only where another rule asks about that very value"),
        ("value: Social, match: subtree, confirm: 0", "counts at once"),
    ],
)
def test_what_counts_as_a_hit(rule: str, words: str) -> None:
    """Persons, branches and no confirmation have their own words."""
    facts = explain_rule(prohibited(f"id: a, {rule}, at_most: 1%"), "a")
    assert words in facts["What counts"]
    assert ("How it is asked" in facts) == ("subtree" in rule)


@pytest.mark.parametrize(
    ("judged", "proof"),
    [((90, 10, 200, 0), "at least 446 conversations"), ((0, 10, 200, 0), "no number of conversations proves it")],
)
def test_a_calibration_changes_what_must_be_proven(judged: tuple[int, ...], proof: str) -> None:
    """The sample that the page names is the one that decides."""
    keys = ("true_positives", "false_negatives", "true_negatives", "false_positives")
    counts = ", ".join(f"{key}: {number}" for key, number in zip(keys, judged, strict=True))
    policy = parse(
        f"{HEAD}prohibited: [{{id: a, value: cruelty, at_most: 1%}}]\n"
        f"calibration: {{model: m, prompt_sha256: {'ab' * 32}, values: {{cruelty: {{{counts}}}}}}}\n"
    )
    facts = explain_rule(policy, "a")
    assert facts["To pass"].startswith(proof)
    assert "corrected" in facts["The judge's errors"]
