from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import HEAD, WHOLE, ids_of, parse, parse_rule, problems_of

from valueaudit.errors import PolicyError
from valueaudit.policy import DeclaredQuestion, Gate, compile_checks, parse_policy, schema_of_policy
from valueaudit.rules import Severity
from valueaudit.taxonomy import load_taxonomy

RULE = "intended: [{id: a, value: clarity, at_least: 60%}]\n"
MINIMAL = HEAD + RULE


def test_the_whole_example_parses() -> None:
    """Every part of a policy arrives where it is used."""
    policy = parse(WHOLE)
    assert (policy.name, policy.path, policy.warnings) == ("acme-support", "p.yaml", ())
    assert policy.gate.min_units == 1000
    assert policy.gate.fail_on is Severity.HIGH
    assert policy.gate.max_unclassified == 0.001
    assert policy.contexts == {"refunds": {"metadata.topic": ("billing", "refunds")}}
    assert policy.lines == {"clear": 9, "honest-limits": 10, "no-deception": 19, "never-cruel": 20, "not-preachy": 22}
    assert policy.confirmations == {"cruelty": 1, "deception": 2, "manipulation": 2}
    assert [(q.value, q.kind) for q in policy.questions] == [
        ("clarity", "intended"),
        ("cruelty", "prohibited"),
        ("deception", "prohibited"),
        ("epistemic humility", "intended"),
        ("manipulation", "prohibited"),
        ("transparency", "intended"),
    ]
    assert policy.questions[0] == DeclaredQuestion("clarity", "intended", "Says it so that it is understood.")


def test_one_limit_is_one_check() -> None:
    """A rule compiles to a check for each of its limits, in the order of the file."""
    checks = compile_checks(parse(WHOLE))
    assert ids_of(checks) == [
        "clear",
        "honest-limits",
        "honest-limits:violated",
        "no-deception",
        "never-cruel",
        "not-preachy",
    ]
    assert [check.statement for check in checks[1:5]] == [
        "In refunds, the assistant upholds epistemic humility or transparency in at least 40% of conversations",
        "In refunds, the assistant violates epistemic humility or transparency in at most 1% of conversations",
        "The assistant shows deception or manipulation in at most 0.5% of conversations",
        "The assistant never shows cruelty in conversations, a rate above 0.5% ruled out",
    ]


def test_defaults_of_the_gate() -> None:
    """A policy that says nothing of the gate has the documented one."""
    assert parse(MINIMAL).gate == Gate(
        confidence=0.95,
        fail_on=Severity.LOW,
        inconclusive="block",
        min_units=1,
        max_unclassified=0.01,
        trust_judge=False,
    )


def test_text_stays_text() -> None:
    """Words that YAML 1.1 would turn into booleans, numbers or dates are text in fields of text."""
    document = parse(HEAD + "revision: 1.10\napproved_by: no\napproved_date: 2027-01-31\npurpose: on\n" + RULE).document
    assert (document.revision, document.approved_by, document.approved_date) == ("1.10", "no", "2027-01-31")
    assert document.purpose == "on"


@pytest.mark.parametrize(
    ("rule", "key", "problem"),
    [
        ("id: a, value: clarity, at_least: 2", "at_least", "per cent or a fraction"),
        ("id: a, value: clarity, at_least: 0.5", "at_least", "per cent or a fraction"),
        ("id: a, value: clarity, at_least: -1%", "at_least", "outside 0% to 100%"),
        ("id: a, value: clarity, at_least: 100.1 %", "at_least", "outside 0% to 100%"),
        ("id: a, value: clarity, at_least: 2pp", "at_least", '"pp" is for changes against a baseline'),
        ("id: a, value: clarity, at_least: most", "at_least", 'write for example "0.5%"'),
        ("id: a, value: clarity, at_least: '0,5%'", "at_least", 'write for example "0.5%"'),
        ("id: a, value: clarity, at_least: [1%]", "at_least", "must be one word or text, not a list or keys"),
        ("id: a, value: clarity, at_least: 1%, waivable: yes", "waivable", "known: true, false"),
        ("id: a, value: clarity, at_least: 1%, waivable: 'true'", "waivable", "known: true, false"),
        ("id: a, value: clarity, at_least: 1%, severity: hihg", "severity", 'did you mean "high", known: critical'),
        ("id: a, value: clarity, at_least: 1%, enforce: no", "enforce", "known: block, warn, off"),
        ("id: a, value: clarity, at_least: 1%, of: subjectiv", "of", 'did you mean "subjective"'),
        ("id: a, value: clarity, at_least: 1%, of: turns", "of", "not supported yet"),
        ("id: a, why: , value: clarity, at_least: 1%", "why", "is empty, give it a value or leave it out"),
        ("id: a, value: [], at_least: 1%", "value", "is an empty list"),
        ("id: a, value: {clarity: 1}, at_least: 1%", "value", "must be text or a list"),
        ("id: a, value: [clarity, [x]], at_least: 1%", "value", 'entry 2 of "value" must be one word or text'),
        ("id: [a], value: clarity, at_least: 1%", "id", "must be one word or text"),
    ],
)
def test_a_field_that_cannot_hold_what_is_given(rule: str, key: str, problem: str) -> None:
    """A value of the wrong kind is told once, at its place, with its key and what is known."""
    (found,) = problems_of(f"{HEAD}intended:\n  - {{{rule}}}\n")
    assert found.startswith("4:")
    assert f'"{key}"' in found
    assert problem in found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("version: 2\npolicy: x\n" + RULE, '1:10: "version" is "2", known: 1'),
        ("policy: x\n" + RULE, '1:1: "version" is missing'),
        ("version: 1\n" + RULE, '1:1: "policy" is missing'),
        ("version: 1\npolicy: ' '\n" + RULE, '2:9: "policy" is empty, name the policy'),
        (MINIMAL + "unit: message\n", '4:7: "unit" is "message", which is not supported yet'),
        (MINIMAL + "unit: talk\n", '4:7: "unit" is "talk", known: conversation'),
        (MINIMAL + "gate: {confidence: 100%}\n", '4:20: "confidence" is 100%, known: 50% to below 100%'),
        (MINIMAL + "gate: {min_units: 0}\n", '4:19: "min_units" is "0", known: whole numbers from 1'),
        (MINIMAL + "gate: {min_units: many}\n", '4:19: "min_units" is "many", known: whole numbers from 1'),
        (MINIMAL + "gate: block\n", '4:7: "gate" must hold keys, known: confidence, fail_on'),
        (MINIMAL + "gate: {judge: lmm}\n", '4:15: "judge" is "lmm", did you mean "llm", known: any, llm'),
        (MINIMAL + "gate: {inconclusive: stop}\n", '4:22: "inconclusive" is "stop", known: block, warn'),
        (MINIMAL + "prohibited: {id: x}\n", '4:13: "prohibited" must be a list, each entry starting with "- "'),
        (MINIMAL + "prohibited: [x]\n", '4:14: entry 1 of "prohibited" must hold keys'),
        (MINIMAL + "contexts: [a]\n", '4:11: "contexts" must hold names with what they stand for'),
        (MINIMAL + "tolerance: 1%\n", '4:1: unknown key "tolerance", known: version'),
        (HEAD + "intented: []\n" + RULE, '3:1: unknown key "intented", did you mean "intended"'),
        ("- a\n", "1:1: the policy must hold keys, known: version, policy"),
        ("hello", "1:1: the policy must hold keys, known: version, policy"),
    ],
)
def test_a_document_that_is_no_policy(text: str, problem: str) -> None:
    """Each mistake in the head is told at its place."""
    (found,) = problems_of(text)
    assert found.startswith(problem)


@pytest.mark.parametrize("key", ["judge"])
def test_a_key_of_the_format_that_is_not_kept_yet_is_refused(key: str) -> None:
    """What this release cannot keep it does not ignore."""
    (found,) = problems_of(MINIMAL + f"{key}: [whatever]\n")
    assert found.startswith(f'4:1: "{key}" is not supported yet')


@pytest.mark.parametrize(
    ("section", "rule", "key"),
    [
        ("intended", "violated_never: true", "violated_never"),
        ("prohibited", "violated_at_most: 1%", "violated_at_most"),
        ("prohibited", "expires: 2027-01-01", "expires"),
    ],
)
def test_a_key_of_a_rule_that_is_not_kept_yet_is_refused(section: str, rule: str, key: str) -> None:
    """A rule that could only be kept in part is refused as a whole."""
    (found,) = problems_of(f"{HEAD}{section}:\n  - {{id: a, value: transparency, at_most: 5%, {rule}}}\n")
    assert f'"{key}"' in found
    assert "not supported yet" in found


@pytest.mark.parametrize("key", ["sampling", "looks"])
def test_a_key_of_the_gate_that_is_not_kept_yet_is_refused(key: str) -> None:
    """The gate is not what it says unless all of it is kept."""
    (found,) = problems_of(MINIMAL + f"gate: {{{key}: metadata.user_id}}\n")
    assert found.startswith(f'4:8: "{key}" is not supported yet')


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    """A person corrects a file once, not once for each mistake."""
    text = f"""{HEAD}judge: x
gate: {{confidence: 0.95}}
contexts: {{refunds: {{lang: de}}}}
intended:
  - {{id: a b, value: clrity, at_mots: 60%, severity: hihg, in: refund}}
  - {{value: clarity, at_least: 1%}}
  - *x
prohibited:
  - {{id: c, value: cruelty}}
"""
    found = problems_of(text)
    assert [problem.split(":")[0] for problem in found] == ["3", "4", "5", "7", "7", "7", "7", "7", "7", "8", "9", "11"]
    assert 'unknown value "clrity", did you mean "clarity"' in "\n".join(found)


def test_help_counts_the_problems() -> None:
    """The help says how many corrections are due."""
    for text, help in ((MINIMAL + "x: 1\n", "the problem"), (MINIMAL + "x: 1\ny: 1\n", "all 2 problems")):
        with pytest.raises(PolicyError) as caught:
            parse(text)
        assert str(caught.value.help).startswith(f"correct {help} in the policy file, see docs/policy.md")


def test_aliases_and_spellings_lead_to_the_canonical_value() -> None:
    """Values are found as people write them, once each."""
    policy = parse_rule("intended", "id: a, value: [Lucidity, CLARITY, openness], at_least: 1%")
    assert policy.rules[0].subject() == ("clarity", "transparency")


def test_the_strictest_confirmation_of_a_value_counts() -> None:
    """One value in two rules is confirmed as often as the stricter rule asks."""
    policy = parse_rule(
        "prohibited",
        "id: a, value: [deception, cruelty], at_most: 1%, confirm: 0",
        "id: b, value: deceit, at_most: 2%, confirm: 3",
    )
    assert policy.confirmations == {"cruelty": 0, "deception": 3}


def test_a_person_is_no_further_question() -> None:
    """`confirm: human` asks the judge nothing more; another rule about the same value still may."""
    rules = ("id: a, value: [deception, cruelty], at_most: 1%, confirm: human", "id: b, value: deceit, at_most: 2%")
    assert parse_rule("prohibited", *rules).confirmations == {"cruelty": 0, "deception": 1}


@pytest.mark.parametrize("confirm", ["4", "-1", "people", "[1]"])
def test_what_confirms_is_known(confirm: str) -> None:
    """A number of questions from 0 to 3, or a person."""
    rule = f"id: a, value: deception, at_most: 1%, confirm: {confirm}"
    (found,) = problems_of(f"{HEAD}prohibited:\n  - {{{rule}}}\n")
    assert found.startswith('4:53: "confirm" ')
    assert "[" in confirm or found.endswith("known: 0, 1, 2, 3, human")


def test_the_digest_is_of_what_is_said() -> None:
    """Comments, order of keys, spacing, one-item lists and stated defaults change nothing."""
    same = (
        "# comment\npolicy: 'acme-support'\nversion: 1\nunit: conversation\ngate: {confidence: 95.0 %}\ncontexts: {}\n"
        'intended:\n  - at_least: "60 %"\n    value: [clarity]\n    id: a\n    severity: medium\n'
    )
    assert parse(same).sha256 == parse(MINIMAL).sha256
    assert len(parse(same).sha256) == 64


@pytest.mark.parametrize(
    "change", [("60%", "61%"), ("clarity", "transparency"), ("id: a", "id: b"), ("acme", "other"), ("[{", "[{in: x, ")]
)
def test_the_digest_changes_with_what_is_said(change: tuple[str, str]) -> None:
    """Another limit, value, id, name or context is another policy."""
    contexts = "contexts: {x: {task: chat}}\n"
    assert parse((MINIMAL + contexts).replace(*change)).sha256 != parse(MINIMAL + contexts).sha256


def test_ten_thousand_rules_do_not_hang() -> None:
    """A large policy, and a large one that is all wrong, are read in a time that grows with their size."""
    rules = "".join(f"  - {{id: r{n}, value: clarity, at_least: 5%, severity: low}}\n" for n in range(10_000))
    lost = "".join(
        f"  - {{rule: x{n}, at_most: 1%, reason: a, approved_by: b, expires: 2027-01-01}}\n" for n in range(5000)
    )
    started = time.process_time()
    assert len(compile_checks(parse(f"{HEAD}intended:\n{rules}"))) == 10_000
    wrong = rules.replace("value: clarity", "value: x").replace("severity: low", "of: x")
    assert len(problems_of(f"{HEAD}intended:\n{wrong}")) == 20_000
    assert len(problems_of(f"{HEAD}intended:\n{rules}waivers:\n{lost}")) == 5000
    assert time.process_time() - started < 60


def test_the_json_schema_accepts_what_the_parser_accepts() -> None:
    """An editor with the schema shows no error in a good policy, as YAML 1.2 reads it."""
    schema = schema_of_policy()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(
        yaml.load(WHOLE, Loader=yaml.BaseLoader) | {"version": 1} | _typed()
    )


@pytest.mark.parametrize(
    "change",
    [
        {"tolerance": "1%"},
        {"version": 2},
        {"intended": [{"id": "a"}]},
        {"intended": [{"id": "a", "value": [], "at_least": "1%"}]},
        {"intended": [{"id": "a", "value": "b", "at_least": 1}]},
        {"responses": [{"id": "a", "type": "rude", "at_most": "1%"}]},
        {"prohibited": [{"id": "a", "value": "b", "never": True, "assure": None}]},
    ],
)
def test_the_json_schema_refuses_what_the_parser_refuses(change: dict[str, Any]) -> None:
    """Unknown keys, wrong types, empty lists, bare numbers and null are errors in the editor too."""
    validator = jsonschema.Draft202012Validator(schema_of_policy())
    assert not validator.is_valid({"version": 1, "policy": "x"} | change)


def _typed() -> dict[str, Any]:
    """The parts of the example that are no text, as YAML 1.2 would read them."""
    return {
        "gate": {"confidence": "95%", "min_units": 1000, "trust_judge": False},
        "prohibited": [{"id": "a", "value": "cruelty", "never": True, "assure": "0.5%", "confirm": 2}],
    }


def _examples() -> list[str]:
    page = Path(__file__).parents[2] / "docs" / "policy.md"
    return [part.split("```")[0] for part in page.read_text(encoding="utf-8").split("```yaml\n")[1:]]


@pytest.mark.parametrize("example", _examples())
def test_the_examples_of_the_page_parse(example: str) -> None:
    """What docs/policy.md shows is a policy, or a part that makes one with a head and a rule."""
    head = "" if "version:" in example else HEAD
    has_rules = any(
        f"{section}:" in example for section in ("intended", "prohibited", "responses", "undeclared", "priorities")
    )
    whole = (head + example + ("" if has_rules else RULE)).encode()
    assert parse_policy(whole, "docs/policy.md", load_taxonomy()).rules


class _Yaml12(yaml.SafeLoader):
    """YAML 1.2 as editors read it: true, false and numbers, everything else is text."""


_Yaml12.yaml_implicit_resolvers = {}
_Yaml12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(true|false)$"), list("tf"))
_Yaml12.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[0-9]+$"), list("0123456789"))
_Yaml12.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[0-9]+\.[0-9]+$"), list("0123456789"))


@pytest.mark.parametrize("example", _examples())
def test_the_examples_of_the_page_satisfy_the_schema(example: str) -> None:
    """An editor that knows the JSON Schema shows no error in what the page shows."""
    head = "" if "version:" in example else HEAD
    validator = jsonschema.Draft202012Validator(schema_of_policy())
    assert not list(validator.iter_errors(yaml.load(head + example, Loader=_Yaml12)))


def test_the_page_names_every_key() -> None:
    """No key of the policy file is undocumented."""
    page = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
    schema = schema_of_policy()
    keys = {key for definition in schema["$defs"].values() for key in definition.get("properties", ())}
    assert not [key for key in sorted(keys) if f"`{key}`" not in page]


def test_the_whole_example_speaks_of_the_built_in_taxonomy() -> None:
    """The policy that the documentation shows can be used as it stands."""
    assert parse_policy(_examples()[0].encode(), "docs/policy.md", load_taxonomy()).name == "acme-support"


@given(st.integers(0, len(WHOLE)), st.integers(0, 12), st.text(alphabet="ab:-[]{}&*!<>|'\"#%\n ,?0", max_size=6))
def test_any_damage_is_a_policy_or_a_list_of_problems(start: int, length: int, inserted: str) -> None:
    """A damaged policy never ends in another error than the one that tells its problems."""
    text = WHOLE[:start] + inserted + WHOLE[start + length :]
    problems: tuple[str, ...] | None = None
    try:
        parse(text)
    except PolicyError as error:
        problems = error.problems
    assert problems != ()
    assert all(re.match(r"p\.yaml:[1-9]\d*:[1-9]\d*: \S", problem) for problem in problems or ())


def _hold(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.sampled_from(["id", "value", "in", "at_least", "metadata.x", "prohibited", "confidence", "never", ""])
    return st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3)


@given(st.recursive(st.text(max_size=4), _hold, max_leaves=8))
def test_any_shape_is_a_policy_or_a_list_of_problems(shape: Any) -> None:
    """Whatever stands where, with known keys in wrong places, is told and raises nothing else."""
    for text in (json.dumps(shape), json.dumps({"version": 1, "policy": "x", "intended": [shape], "gate": shape})):
        with pytest.raises(PolicyError):
            parse(text)
