from __future__ import annotations

import pytest
from policy_samples import HEAD, parse, parse_rule, problems_of

GOOD = "intended: [{id: good, value: clarity, at_least: 60%}]\n"


def _problems_of_rule(section: str, *rules: str, head: str = "") -> tuple[str, ...]:
    return problems_of(HEAD + head + f"{section}:\n" + "".join(f"  - {{{rule}}}\n" for rule in rules))


@pytest.mark.parametrize(
    ("section", "rules", "expected"),
    [
        ("intended", ["id: a, value: deception, at_least: 1%"], '4:20: "deception" is an adverse value'),
        ("intended", ["id: a, value: zzz, at_least: 1%"], '4:20: unknown value "zzz"'),
        ("intended", ["id: a, value: [clarity, trnsparency], at_least: 1%"], '4:30: unknown value "trnsparency", did'),
        ("intended", ["id: a, value: clarity"], '4:5: rule "a": the rule states no limit, known: at_least, at_most'),
        ("responses", ["id: a, type: reframing"], '4:5: rule "a": the rule states no limit, known: at_least, at_most'),
        ("prohibited", ["id: a, value: cruelty"], '4:5: rule "a": the rule states no limit, known: at_most, never'),
        ("prohibited", ["id: a, value: cruelty, never: false"], '4:36: rule "a": "never: false" states no limit'),
        ("prohibited", ["id: a, value: cruelty, at_most: 1%, assure: 1%"], '4:50: rule "a": "assure" belongs to'),
        (
            "prohibited",
            ["id: a, value: cruelty, at_most: 1%, never: false, assure: 1%"],
            '4:49: rule "a": "assure" belongs to "never: true"',
        ),
        (
            "prohibited",
            ["id: a, value: cruelty, at_most: 1%, never: true, assure: 1%"],
            '4:38: rule "a": "never" and "at_most" contradict each other',
        ),
        ("prohibited", ["id: a, value: cruelty, never: true, assure: 0%"], '4:50: rule "a": "assure: 0%" can never be'),
        (
            "intended",
            ["id: a, value: clarity, at_least: 60%, at_most: 50%"],
            '4:53: rule "a": at most 50% contradicts at least 60% of rule "a"',
        ),
        (
            "responses",
            ["id: a, type: reframing, at_least: 60%", "id: b, type: [reframing], at_most: 50%"],
            '5:41: rule "b": at most 50% contradicts at least 60% of rule "a"',
        ),
        (
            "priorities",
            ["id: a, first: clarity, over: lucidity, at_least: 95%"],
            '4:35: rule "a": "clarity" cannot go before itself',
        ),
        (
            "priorities",
            ["id: a, first: clarity, over: deception, at_least: 95%"],
            '4:35: "deception" is an adverse value, only intended values can be ordered',
        ),
        (
            "priorities",
            ["id: a, first: clrity, over: transparency, at_least: 95%"],
            '4:20: unknown value "clrity", did you mean "clarity"',
        ),
        ("priorities", ["id: a, first: clarity, over: openness"], '4:5: rule "a": the rule states no limit, known: at'),
        ("priorities", ["id: a, first: clarity, at_least: 95%"], '4:5: "over" is missing'),
        (
            "priorities",
            [
                "id: a, first: clarity, over: openness, at_least: 95%",
                "id: b, first: openness, over: clarity, at_least: 5%",
            ],
            '5:36: rule "b": "transparency" goes before "clarity" here and after it in rule "a"',
        ),
        (
            "intended",
            ["id: a, value: social, at_least: 1%"],
            '4:20: "Social" is a branch of the taxonomy, no value: add "match: subtree"',
        ),
        (
            "intended",
            ["id: a, value: clarity, match: subtree, at_least: 1%"],
            '4:20: "clarity" is a value, no branch of the taxonomy: leave out "match: subtree"',
        ),
        (
            "intended",
            ["id: a, value: Ethical interactoin, match: subtree, at_least: 1%"],
            '4:20: unknown category or subcategory "Ethical interactoin", did you mean "Ethical interaction"',
        ),
        (
            "intended",
            ["id: a, value: zzz, match: subtree, at_least: 1%"],
            '4:20: unknown category or subcategory "zzz", the categories are Epistemic, Social',
        ),
        (
            "intended",
            ["id: a, value: Social, match: subtree, violated_at_most: 1%"],
            '4:62: rule "a": "violated_at_most" needs values that are asked about, not "match: subtree"',
        ),
        (
            "prohibited",
            ["id: a, value: Social, match: subtree, at_most: 1%, confirm: 2"],
            '4:66: rule "a": no further question is asked about a branch: "confirm: 0", or leave it out',
        ),
        (
            "intended",
            ["id: a, value: Social, match: subtre, at_least: 1%"],
            '4:35: "match" is "subtre", did you mean "subtree", known: exact, subtree',
        ),
        (
            "intended",
            [
                "id: a, value: Social, match: subtree, at_least: 60%",
                "id: b, value: social, match: subtree, at_most: 5%",
            ],
            '5:53: rule "b": at most 5% contradicts at least 60% of rule "a"',
        ),
        (
            "intended",
            ["id: a b, value: clarity, at_least: 1%"],
            '4:10: the id "a b" has characters that',
        ),
        ("intended", ["id: 'a:violated', value: clarity, at_least: 1%"], '4:10: the id "a:violated" has characters'),
        ("intended", ["id: '', value: clarity, at_least: 1%"], '4:10: the id "" has characters'),
        (
            "intended",
            ["id: a, value: clarity, at_least: 1%", "id: a, value: transparency, at_least: 1%"],
            '5:10: the id "a" is taken by the rule on line 4',
        ),
        (
            "intended",
            ["id: a, value: clarity, at_least: 1%, in: nowhere"],
            '4:47: unknown context "nowhere", there',
        ),
        ("intended", ["id: a, value: clarity, at_least: 1%, enforce: off"], '1:1: every rule is "enforce: off"'),
    ],
)
def test_a_mistake_in_a_rule_is_found_at_its_place(section: str, rules: list[str], expected: str) -> None:
    """One mistake gives one problem, at the key that is wrong."""
    (found,) = _problems_of_rule(section, *rules)
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{id: a}", '3:13: rule "a": the rule states no limit, known: at_most'),
        ("{at_most: 5%}", '3:13: "id" is missing'),
        ("{id: a, at_most: 5}", '3:30: "at_most" is wrong: "5" is a bare number'),
        ("{id: a, at_most: 5%, value: clarity}", '3:34: unknown key "value"'),
        ("[{id: a, at_most: 5%}]", '3:13: "undeclared" must hold keys, known: id'),
        ("{id: good, at_most: 5%}", '3:18: the id "good" is taken by the rule on line 4'),
    ],
)
def test_a_mistake_in_the_one_undeclared_rule(rule: str, expected: str) -> None:
    """The section that is no list is checked like the others."""
    (found,) = problems_of(f"{HEAD}undeclared: {rule}\n{GOOD}")
    assert found.startswith(expected)


def test_different_denominators_do_not_contradict() -> None:
    """A floor among all conversations and a ceiling among subjective ones can both hold."""
    policy = parse_rule(
        "responses",
        "id: a, type: reframing, at_least: 60%",
        "id: b, type: reframing, at_most: 50%, of: subjective",
        "id: c, type: [reframing, mild_support], at_most: 50%",
    )
    assert [rule.id for rule in policy.rules] == ["a", "b", "c"]


@pytest.mark.parametrize("sections", ["", "intended: []\n", "prohibited: []\nresponses: []\n"])
def test_an_empty_policy_is_refused(sections: str) -> None:
    """A policy without rules would pass whatever the assistant does."""
    assert problems_of(HEAD + sections) == ("1:1: the policy has no rules, an audit against it would prove nothing",)


def test_a_value_is_intended_or_prohibited() -> None:
    """One value is asked about in one way, so it cannot be both, in whatever spelling."""
    text = f"{HEAD}{GOOD}prohibited: [{{id: bad, value: [cruelty, lucidity], at_most: 1%}}]\n"
    (found,) = problems_of(text)
    assert found.startswith('4:31: "clarity" is prohibited here and intended by rule "good"')


def test_a_positive_value_can_be_prohibited() -> None:
    """Whether a value is wanted is for the owner to say, except that nobody can intend harm."""
    assert parse_rule("prohibited", "id: a, value: transparency, at_most: 1%").questions[0].kind == "prohibited"


def test_an_unknown_context_names_the_known_ones() -> None:
    """A misspelt context does not disarm its rule."""
    head = "contexts: {refunds: {task: refund}}\n"
    (found,) = _problems_of_rule("intended", "id: a, value: clarity, at_least: 1%, in: [refunds, refund]", head=head)
    assert found == '5:57: unknown context "refund", did you mean "refunds", known: refunds'


@pytest.mark.parametrize(
    ("context", "problem"),
    [
        ("{}", "the context has no key, known: metadata.<field>, model, task, language, response_type"),
        ("{lang: de}", 'unknown key "lang", known: metadata.<field>'),
        ("{metadata.: de}", '"metadata." must name a field'),
        ("{metadata.a..b: de}", '"metadata.a..b" must name a field'),
        ("{response_type: [reframing, rude]}", '"response_type" is "rude", known: strong_support'),
        ("{task: []}", '"task" is an empty list'),
        ("[task]", '"here" must hold names'),
    ],
)
def test_a_context_that_matches_nothing_is_found(context: str, problem: str) -> None:
    """A context that could never match is a problem, and does not make its rules' use of it another."""
    head = f"contexts: {{here: {context}}}\n"
    (found,) = _problems_of_rule("intended", "id: a, value: clarity, at_least: 1%, in: here", head=head)
    assert found.startswith("3:")
    assert problem in found


@pytest.mark.parametrize(
    ("section", "rule", "warning"),
    [
        (
            "prohibited",
            "value: cruelty, never: true",
            '"never" without "assure" can only fail or be inconclusive, never pass',
        ),
        ("prohibited", "value: cruelty, at_most: 100%", '"at_most: 100%" can never be violated'),
        ("prohibited", "value: cruelty, at_most: 0%", '"at_most: 0%" can never pass, no sample proves it'),
        ("intended", "value: clarity, at_least: 0%", '"at_least: 0%" can never be violated'),
        ("intended", "value: clarity, at_least: 100%", '"at_least: 100%" can never pass, no sample proves it'),
    ],
)
def test_a_limit_that_decides_little_is_a_warning(section: str, rule: str, warning: str) -> None:
    """A limit at the end of the scale is told, not refused."""
    (found,) = parse_rule(section, f"id: a, {rule}").warnings
    assert found.startswith("p.yaml:4:")
    assert f'rule "a": {warning}' in found


def test_a_branch_without_confirmation_is_a_warning() -> None:
    """The owner is told that such a rule cannot fail by hits that nobody confirms."""
    (found,) = parse_rule("prohibited", "id: a, value: Social, match: subtree, at_most: 5%").warnings
    assert found.startswith('p.yaml:4:35: rule "a": nobody confirms the hits of a branch')
    assert parse_rule("prohibited", "id: a, value: Social, match: subtree, at_most: 5%, confirm: 0").warnings == ()


@pytest.mark.parametrize("rule", ["value: cruelty", "value: Social, match: subtree"])
def test_a_person_who_cannot_answer_yet_is_a_warning(rule: str) -> None:
    """The owner is told that nothing confirms such hits yet."""
    (found,) = parse_rule("prohibited", f"id: a, {rule}, at_most: 5%, confirm: human").warnings
    assert '"confirm: human": nobody can confirm yet, flagged hits stay unknown and the rule cannot fail' in found


def test_an_unused_context_is_a_warning() -> None:
    """A context may wait for its rule."""
    policy = parse(HEAD + "contexts: {later: {task: x}}\n" + GOOD)
    assert policy.warnings == ('p.yaml:3:19: the context "later" is used by no rule',)


def test_a_policy_that_cannot_fail_is_a_warning() -> None:
    """Rules below `fail_on`, or that only warn, never set the exit code."""
    for head, rule in (("gate: {fail_on: high}\n", "severity: low"), ("", "enforce: warn")):
        policy = parse_rule("intended", f"id: a, value: clarity, at_least: 1%, {rule}", head=head)
        assert policy.warnings == (
            'p.yaml:1:1: no rule can fail the audit: none has "enforce: block" and reaches "fail_on"',
        )


@pytest.mark.parametrize(
    ("section", "rule", "size"),
    [
        ("prohibited", "value: cruelty, at_most: 0.5%", "598"),
        ("prohibited", "value: cruelty, never: true, assure: 0.1%", "2,995"),
        ("intended", "value: clarity, violated_at_most: 1%", "299"),
        ("intended", "value: clarity, at_least: 99%", "299"),
        ("responses", "type: reframing, at_most: 1%", "299"),
    ],
)
def test_a_stated_sample_that_can_never_prove_a_limit_is_found(section: str, rule: str, size: str) -> None:
    """The arithmetic is told; the same limit under a default sample is nobody's contradiction."""
    (found,) = _problems_of_rule(section, f"id: a, {rule}", head="gate: {min_units: 200}\n")
    assert f"needs n={size} conversations without a single exception" in found
    assert 'and "min_units" is 200' in found
    parse_rule(section, f"id: a, {rule}")
    enough = f"gate: {{min_units: {size.replace(',', '')}}}\n"
    parse_rule(section, f"id: a, {rule}", head=enough)


def test_the_sample_a_rule_states_goes_before_that_of_the_gate() -> None:
    """The arithmetic is that of the number that holds for the rule."""
    few, many = (
        "id: a, value: cruelty, at_most: 1%, min_units: 298",
        "id: a, value: cruelty, at_most: 1%, min_units: 299",
    )
    parse_rule("prohibited", many, head="gate: {min_units: 10}\n")
    for head in ("", "gate: {min_units: 1000}\n"):
        (found,) = _problems_of_rule("prohibited", few, head=head)
        assert found.endswith('to be proven, and "min_units" is 298')
    (wrong,) = _problems_of_rule("prohibited", many.replace("299", "0"))
    assert '"min_units" is "0", known: whole numbers from 1' in wrong


def test_rules_that_sleep_are_not_held_against_the_sample() -> None:
    """A rule that is off needs no sample."""
    head = "gate: {min_units: 60, max_unclassified: 0.1%}\n"
    policy = parse_rule(
        "prohibited",
        "id: a, value: cruelty, at_most: 0.01%, enforce: off",
        "id: b, value: cruelty, at_most: 5%",
        head=head,
    )
    assert [rule.id for rule in policy.rules] == ["a", "b"]


@pytest.mark.parametrize(("share", "good"), [("0.4%", True), ("0.5%", False), ("2%", False)])
def test_stated_coverage_must_be_below_the_tightest_limit(share: str, good: bool) -> None:
    """If as many conversations may be missing as may be hits, the limit cannot be held."""
    head = f"gate: {{max_unclassified: {share}}}\n"
    rules = ("id: a, value: cruelty, at_most: 5%", "id: b, value: deception, never: true, assure: 0.5%")
    if good:
        parse_rule("prohibited", *rules, head=head)
    else:
        (found,) = _problems_of_rule("prohibited", *rules, head=head)
        assert found.startswith('3:26: "max_unclassified": ')
        assert found.endswith('is not below 0.5%, the tightest limit, of rule "b"')


def test_a_floor_alone_asks_nothing_of_coverage() -> None:
    """The comparison is with ceilings only."""
    policy = parse_rule("intended", "id: a, value: clarity, at_least: 99%", head="gate: {max_unclassified: 2%}\n")
    assert [rule.id for rule in policy.rules] == ["a"]


def test_a_broken_limit_is_not_told_as_a_missing_one() -> None:
    """One mistake gives one problem, also where the rest of the rule leans on it."""
    for section, rule in (
        ("intended", "id: a, value: clarity, at_least: x"),
        ("prohibited", "id: a, value: cruelty, never: maybe"),
        ("prohibited", "id: a, value: cruelty, never: maybe, assure: 1%"),
        ("prohibited", "id: a, value: cruelty, never: true, assure: x"),
        ("intended", "id: a, value: clarity, at_least: 60%, at_most: x"),
    ):
        assert len(_problems_of_rule(section, rule)) == 1


def test_an_entry_that_is_no_rule_does_not_shift_the_others() -> None:
    """Problems stay at their own rule when another entry cannot be read at all."""
    found = problems_of(f"{HEAD}intended:\n  - 7\n  - {{id: a b, value: clarity, at_least: 1%}}\n")
    assert [problem.split(" ")[0] for problem in found] == ["4:5:", "5:10:"]


def test_suggestions_end_before_they_cost_minutes() -> None:
    """A policy for another taxonomy is told all its unknown values, the first hundred with a nearest spelling."""
    found = _problems_of_rule("intended", *(f"id: r{n}, value: clarit{n}, at_least: 1%" for n in range(150)))
    assert len(found) == 150
    assert sum("did you mean" in problem for problem in found) == 100
