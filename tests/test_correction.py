from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import COUNTS, HEAD, TAXONOMY, TRUST, count, find_verdict, only, parse, problems_of
from scipy import stats

from loopback import JudgeServer
from samples import write_conversations
from valueaudit.cli.main import run
from valueaudit.correction import Correction, JudgeCounts
from valueaudit.decide import decide
from valueaudit.errors import ExitCode, PolicyError, UsageError
from valueaudit.policy import Policy, parse_calibration, refuse_judge
from valueaudit.record import ClassifierInfo

DIGEST = "ab" * 32
RISK = 0.05
COUNTED = "true_positives: {}, false_negatives: {}, true_negatives: {}, false_positives: {}"
CEILING = "prohibited: [{id: a, value: deception, at_most: 1%}]\n"
FLOOR = "intended: [{id: a, value: clarity, at_least: 60%}]\n"


def counts(hit: int, missed: int, clean: int, wrong: int) -> JudgeCounts:
    """What people found of a judge."""
    return JudgeCounts(true_positives=hit, false_negatives=missed, true_negatives=clean, false_positives=wrong)


def calibrate(rules: str, head: str = "", **values: tuple[int, int, int, int]) -> Policy:
    """A policy with a calibration of these values."""
    listed = ", ".join(f"{name.replace('_', ' ')}: {{{COUNTED.format(*judged)}}}" for name, judged in values.items())
    return parse(f"{HEAD}{head}{rules}calibration: {{model: m, prompt_sha256: {DIGEST}, values: {{{listed}}}}}\n")


def beta_lower(hits: int, total: int, risk: float) -> float:
    """Clopper and Pearson's lower bound from scipy alone."""
    return float(stats.beta.ppf(risk, hits, total - hits + 1)) if hits else 0.0


def beta_upper(hits: int, total: int, risk: float) -> float:
    """Clopper and Pearson's upper bound from scipy alone."""
    return float(stats.beta.ppf(1 - risk, hits + 1, total - hits)) if hits < total else 1.0


def test_a_ceiling_is_divided_by_the_sensitivity() -> None:
    """The upper bound of the flagged rate over the lower bound of the sensitivity, half of the risk each."""
    policy = calibrate(CEILING, deception=(90, 10, 200, 0))
    rule = only(decide(policy, count(policy, 1000, a=(2, 1))))
    sensitivity = beta_lower(90, 100, RISK / 2)
    assert rule.upper == pytest.approx(beta_upper(3, 1000, RISK / 2) / sensitivity)
    assert rule.lower == pytest.approx(beta_lower(2, 1000, RISK))
    assert rule.sensitivity == pytest.approx(sensitivity)
    assert rule.specificity == pytest.approx(1 - beta_upper(0, 200, RISK / 3))
    assert rule.calibrated
    assert "uncalibrated" not in rule.message


def test_a_floor_is_corrected_on_both_sides() -> None:
    """Rogan and Gladen with the worst of each ingredient, a third of the risk each below and half of it each above."""
    policy = calibrate(FLOOR, clarity=(80, 20, 190, 10))
    rule = only(decide(policy, count(policy, 1000, a=(500, 20))))
    wrong, most = beta_upper(10, 200, RISK / 3), beta_upper(80, 100, RISK / 3)
    assert rule.lower == pytest.approx((beta_lower(500, 1000, RISK / 3) - wrong) / (most - wrong))
    assert rule.upper == pytest.approx(beta_upper(520, 1000, RISK / 2) / beta_lower(80, 100, RISK / 2))


def test_several_values_add_up() -> None:
    """Of a list the least sensitivity counts, wrong flags add up, and the risk is split among the values."""
    correction = Correction((counts(90, 10, 100, 0), counts(40, 10, 99, 1)))
    each = RISK / 2
    assert correction.least_sensitivity(RISK) == pytest.approx(min(beta_lower(90, 100, each), beta_lower(40, 50, each)))
    assert correction.most_sensitivity(RISK) == 1.0
    wrong = beta_upper(0, 100, each) + beta_upper(1, 100, each)
    assert correction.least_specificity(RISK) == pytest.approx(1 - wrong)
    assert Correction((counts(1, 0, 0, 5), counts(1, 0, 0, 5))).least_specificity(RISK) == 0.0


@pytest.mark.parametrize(
    ("judged", "lower", "upper"),
    [
        (counts(0, 50, 50, 0), 0.0, 1.0),
        (counts(50, 0, 0, 50), 0.0, None),
        (counts(5, 45, 5, 45), 0.0, 1.0),
    ],
)
def test_a_judge_that_cannot_tell_proves_nothing(judged: JudgeCounts, lower: float, upper: float | None) -> None:
    """Without sensitivity anything may be there; where clean ones are flagged as often, nothing is proven to be."""
    correction = Correction((judged,))
    assert correction.correct_lower(lambda _: 0.9, RISK) == lower
    found = correction.correct_upper(lambda _: 0.9, RISK)
    assert found == upper if upper is not None else 0.9 < found <= 1.0


def test_corrected_shares_stay_shares() -> None:
    """More flags than the sensitivity allows are taken for all."""
    assert Correction((counts(50, 50, 100, 0),)).correct_lower(lambda _: 0.9, RISK) == 1.0


@pytest.mark.parametrize(
    ("sampled", "hits", "plain", "calibrated"),
    [
        (299, 0, "pass", "inconclusive"),
        (446, 0, "pass", "pass"),
        (445, 0, "pass", "inconclusive"),
        (1000, 40, "fail", "fail"),
    ],
)
def test_the_worked_ceilings_of_the_page(sampled: int, hits: int, plain: str, calibrated: str) -> None:
    """The table of a judge that found 90 of 100, in docs/decision.md."""
    policy = calibrate(CEILING, deception=(90, 10, 200, 0))
    assert find_verdict(parse(HEAD + CEILING), hits, 0, sampled) == plain
    assert find_verdict(policy, hits, 0, sampled) == calibrated
    page = (Path(__file__).parents[1] / "docs" / "decision.md").read_text(encoding="utf-8")
    assert f"{beta_lower(90, 100, RISK / 2):.1%}" in page


@pytest.mark.parametrize(
    ("hits", "verdict"), [(393, "fail"), (394, "inconclusive"), (576, "inconclusive"), (577, "pass")]
)
def test_the_worked_floor_of_the_page(hits: int, verdict: str) -> None:
    """A judge that finds 80 of 100 and is wrong on 2 of 200: how many of 1,000 prove "at least 60%" or refute it."""
    policy = calibrate(FLOOR, clarity=(80, 20, 198, 2))
    assert find_verdict(policy, hits, 0, 1000) == verdict
    wrong, most = beta_upper(2, 200, RISK / 3), beta_upper(80, 100, RISK / 3)
    lower = (beta_lower(hits, 1000, RISK / 3) - wrong) / (most - wrong)
    upper = beta_upper(hits, 1000, RISK / 2) / beta_lower(80, 100, RISK / 2)
    assert verdict == ("fail" if upper < 0.6 else "pass" if lower >= 0.6 else "inconclusive")


@pytest.mark.parametrize(
    ("limit", "size"), [("0.1%", 4477), ("0.5%", 894), ("1%", 446), ("2%", 223), ("5%", 88), ("10%", 43)]
)
def test_the_calibrated_sample_sizes_of_the_page(limit: str, size: int) -> None:
    """So many conversations without a hit prove a ceiling where the judge found 90 of 100."""
    policy = calibrate(CEILING.replace("1%", limit), deception=(90, 10, 200, 0))
    assert [find_verdict(policy, 0, 0, n) for n in (size - 1, size)] == ["inconclusive", "pass"]
    assert f" {size:,} |" in (Path(__file__).parents[1] / "docs" / "decision.md").read_text(encoding="utf-8")


def test_the_p_value_is_where_the_bound_meets_the_limit() -> None:
    """A floor fails exactly where the risk suffices, so that Holm can ask for less of it."""
    policy = calibrate(FLOOR, clarity=(80, 20, 198, 2))
    rule = only(decide(policy, count(policy, 1000, a=(380, 0))))
    assert rule.verdict == "fail"
    assert rule.p_value is not None
    bound = beta_upper(380, 1000, rule.p_value / 2) / beta_lower(80, 100, rule.p_value / 2)
    assert bound == pytest.approx(0.6, abs=1e-6)
    assert only(decide(policy, count(policy, 1000, a=(900, 0)))).p_value == 1.0


def test_a_violation_is_not_what_was_calibrated() -> None:
    """Counts are of upheld or shown values: the check on violated ones stays uncalibrated, as a list does in part."""
    rules = "intended: [{id: a, value: clarity, at_least: 60%, violated_at_most: 1%}]\n"
    upheld, violated = decide(calibrate(rules, clarity=(80, 20, 198, 2)), count(parse(HEAD + rules), 10)).rules
    assert (upheld.calibrated, violated.calibrated, violated.sensitivity) == (True, False, None)
    half = CEILING.replace("deception", "[deception, cruelty]")
    assert not only(decide(calibrate(half, deception=(9, 1, 20, 0)), count(parse(HEAD + half), 10))).calibrated
    whole = calibrate(half, deception=(9, 1, 20, 0), cruelty=(9, 1, 20, 0))
    assert only(decide(whole, count(whole, 10))).calibrated


CALIBRATED = [
    calibrate(CEILING.replace("1%", "10%"), deception=(90, 10, 200, 0)),
    calibrate(FLOOR, clarity=(80, 20, 198, 2)),
    calibrate("prohibited: [{id: a, value: deception, never: true, assure: 10%}]\n", deception=(90, 10, 200, 0)),
]


@pytest.mark.parametrize("policy", CALIBRATED)
@given(sizes=COUNTS, lost=st.integers(1, 50))
def test_a_failing_judge_never_buys_a_pass(policy: Policy, sizes: tuple[int, int, int], lost: int) -> None:
    """Clean ones that become unknown make no PASS, and neither do hits, `never` apart."""
    total, hits, unknown = sizes
    hits = min(hits, total - unknown)
    if find_verdict(policy, hits, unknown, total) != "pass":
        assert find_verdict(policy, hits, unknown + min(lost, total - hits - unknown), total) != "pass"
        if policy is not CALIBRATED[2]:
            assert find_verdict(policy, hits - min(lost, hits), unknown + min(lost, hits), total) != "pass"


@given(sizes=COUNTS)
def test_a_calibration_never_buys_a_ceiling(sizes: tuple[int, int, int]) -> None:
    """A ceiling that passes with a calibration passes without one."""
    total, hits, unknown = sizes
    hits = min(hits, total - unknown)
    plain = parse(HEAD + CEILING.replace("1%", "10%"))
    if find_verdict(CALIBRATED[0], hits, unknown, total) == "pass":
        assert find_verdict(plain, hits, unknown, total) == "pass"


@pytest.mark.parametrize(
    ("rules", "true", "values"), [(CEILING.replace("1%", "10%"), 0.10, {"deception": 0}), (FLOOR, 0.60, {"clarity": 0})]
)
def test_wrong_verdicts_of_a_calibrated_judge_are_rare(rules: str, true: float, values: dict[str, int]) -> None:
    """On the limit, a judge that misses 30% and is wrong on 3% passes and fails wrongly in at most 5% of runs each.

    The calibration sample is drawn anew each time. Without a calibration most verdicts of such a judge are wrong.
    """
    chance, runs, size = random.Random(11), 300, 600
    sensitivity, specificity = 0.7, (1.0 if "prohibited" in rules else 0.97)
    (name,) = values
    verdicts, naive = [], []
    for _ in range(runs):
        found = sum(chance.random() < sensitivity for _ in range(150))
        clean = sum(chance.random() < specificity for _ in range(300))
        flagged = sum(
            chance.random() < (sensitivity if chance.random() < true else 1 - specificity) for _ in range(size)
        )
        judged: dict[str, Any] = {name: (found, 150 - found, clean, 300 - clean)}
        verdicts.append(find_verdict(calibrate(rules, **judged), flagged, 0, size))
        naive.append(find_verdict(parse(HEAD + TRUST + rules), flagged, 0, size))
    noise = 2.6 * (0.05 * 0.95 / runs) ** 0.5
    assert verdicts.count("pass") / runs <= 0.05 + noise
    assert verdicts.count("fail") / runs <= 0.05 + noise
    assert naive.count("pass" if "prohibited" in rules else "fail") / runs > 0.5


GOOD = COUNTED.format(9, 1, 20, 0)


@pytest.mark.parametrize(
    ("calibration", "expected"),
    [
        (f"{{values: {{deception: {{{GOOD}}}}}}}", ('"model" is missing', '"prompt_sha256" is ""')),
        (f"{{model: m, prompt_sha256: {DIGEST}}}", ('"values" names no value',)),
        (f"{{model: m, prompt_sha256: {DIGEST[1:]}, values: {{deception: {{{GOOD}}}}}}}", ('"prompt_sha256" is "',)),
        (
            f"{{model: m, prompt_sha256: {DIGEST}, values: {{decepton: {{{GOOD}}}}}}}",
            ('unknown value "decepton", did you mean "deception"',),
        ),
        (
            f"{{model: m, prompt_sha256: {DIGEST}, values: {{deception: {{{GOOD}}}, deceit: {{{GOOD}}}}}}}",
            ('"deceit" is the same as "deception"',),
        ),
        (
            f"{{model: m, prompt_sha256: {DIGEST}, values: {{deception: {{{COUNTED.format(0, 0, 1, 0)}}}}}}}",
            ('nothing is known of the sensitivity for "deception"',),
        ),
        (
            f"{{model: m, prompt_sha256: {DIGEST}, values: {{deception: {{{COUNTED.format(1, 0, 0, 0)}}}}}}}",
            ('nothing is known of the specificity for "deception"',),
        ),
        (
            f"{{model: m, prompt_sha256: {DIGEST}, values: {{deception: {{{GOOD.replace('9', '-9')}}}}}}}",
            ('"true_positives" is "-9", known: whole numbers from 0',),
        ),
        (
            f"{{model: m, prompt_sha256: {DIGEST}, violations: {{clarty: {{{GOOD}}}}}}}",
            ('unknown value "clarty", did you mean "clarity"',),
        ),
        (
            f"{{model: m, prompt_sha256: {DIGEST}, responses: {{refraiming: {{{GOOD}}}}}}}",
            ('unknown response type "refraiming", did you mean "reframing"',),
        ),
        (f"{{file: c.json, model: m, values: {{deception: {{{GOOD}}}}}}}", ('"model" stands in', '"values" stands in')),
        ("{flie: c.json}", ('unknown key "flie", did you mean "file"',)),
    ],
)
def test_a_mistake_in_a_calibration_is_found(calibration: str, expected: tuple[str, ...]) -> None:
    """Everything that is wrong is told at once, in the line of the calibration."""
    found = problems_of(f"{HEAD}{CEILING}calibration: {calibration}\n")
    assert all(problem.startswith("4:") for problem in found)
    for text in expected:
        assert any(text in problem for problem in found), found
    assert len(found) == len(expected) or "flie" in calibration


def test_a_value_that_no_rule_is_about_is_a_warning() -> None:
    """Counts that correct nothing are told, not refused: one file may serve several policies."""
    policy = calibrate(CEILING, deception=(9, 1, 20, 0), lucidity=(9, 1, 20, 0))
    (warning,) = policy.warnings
    assert warning.endswith('no rule is about "clarity", its counts correct nothing')


def test_a_calibration_may_stand_in_a_file() -> None:
    """JSON or YAML, with the keys that it has in the policy, and problems at their place in that file."""
    text = f'{{"model": "m", "prompt_sha256": "{DIGEST}", "values": {{"deceit": {{{COUNTED.format(9, 1, 20, 0)}}}}}}}'
    assert parse_calibration(text.encode(), "c.json", TAXONOMY).values == {"deception": counts(9, 1, 20, 0)}
    for content, problem in (
        (b"", "c.json:1:1: the file is empty"),
        (b"{model: m}", 'c.json:1:1: "prompt_sha256" is missing'),
        (b"{model: m}", 'c.json:1:1: "values" names no value, a calibration without counts corrects nothing'),
        (text.replace("deceit", "zzz").encode(), 'c.json:1:119: unknown value "zzz"'),
    ):
        with pytest.raises(PolicyError) as caught:
            parse_calibration(content, "c.json", TAXONOMY)
        assert problem in caught.value.problems
    policy = parse(f"{HEAD}{CEILING}calibration: {{file: c.json}}\n")
    assert (policy.calibration_file, policy.calibration) == ("c.json", None)
    assert parse(HEAD + CEILING).calibration_file is None
    assert CALIBRATED[0].calibration_file is None


@pytest.mark.parametrize(
    ("model", "prompt", "problem"),
    [("m", DIGEST, None), ("other", DIGEST, 'its model is "m", this one is "other"'), ("m", None, "its prompt is")],
)
def test_a_calibration_of_another_judge_is_refused(model: str, prompt: str | None, problem: str | None) -> None:
    """Model and prompt must be those that were calibrated; a policy without a calibration takes any."""
    judge = ClassifierInfo(model=model, prompt_sha256=prompt)
    refuse_judge(parse(HEAD + CEILING), judge)
    if problem is None:
        refuse_judge(CALIBRATED[0], judge)
    else:
        with pytest.raises(UsageError, match=problem):
            refuse_judge(CALIBRATED[0], judge)


def test_a_scan_reads_the_calibration_beside_its_policy(
    server: JudgeServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing file and another judge end the run before the first call."""
    write_conversations(folder / "logs.jsonl", 2)
    (folder / "p").mkdir()
    (folder / "p" / "p.yaml").write_text(f"{HEAD}{CEILING}calibration: {{file: c.yaml}}\n")
    scan = ["scan", "logs.jsonl", "-p", "p/p.yaml", "-q", "-m", "openai/test", "--api-base", server.base]
    assert run(scan) == ExitCode.USAGE
    assert 'the calibration "p/c.yaml" cannot be read: no such file' in capsys.readouterr().err
    (folder / "p" / "c.yaml").write_text(f"model: m\nprompt_sha256: {DIGEST}\nvalues: {{deception: {{{GOOD}}}}}\n")
    assert run(scan) == ExitCode.USAGE
    assert 'is of another judge: its model is "m", this one is "openai/test"' in capsys.readouterr().err
    assert server.most_in_flight == 0


def calibrate_all(rules: str, **sections: str) -> Policy:
    """A policy with a calibration of these sections, each `name: counts` in a list of text."""
    listed = "".join(f", {key}: {{{counts}}}" for key, counts in sections.items())
    return parse(f"{HEAD}{rules}calibration: {{model: m, prompt_sha256: {DIGEST}{listed}}}\n")


JUDGED = COUNTED.format(90, 10, 198, 2)


@pytest.mark.parametrize(
    ("rules", "section", "named"),
    [
        ("intended: [{id: a, value: clarity, violated_at_most: 5%}]\n", "violations", "clarity"),
        ("responses: [{id: a, type: strong_resistance, at_most: 5%}]\n", "responses", "strong_resistance"),
    ],
)
def test_violations_and_response_types_are_corrected_by_counts_of_their_own(
    rules: str, section: str, named: str
) -> None:
    """Their ceilings are divided by the sensitivity, as those of prohibited values."""
    policy = calibrate_all(rules, **{section: f"{named}: {{{JUDGED}}}"})
    rule = only(decide(policy, count(policy, 1000, a=(20, 1))))
    assert rule.upper == pytest.approx(beta_upper(21, 1000, RISK / 2) / beta_lower(90, 100, RISK / 2))
    assert rule.calibrated
    assert policy.warnings == ()


def test_a_floor_of_one_response_type_is_corrected_on_both_sides() -> None:
    """And can then fail, as that of a value."""
    rules = "responses: [{id: a, type: mild_support, at_least: 60%}]\n"
    policy = calibrate_all(rules, responses=f"mild_support: {{{JUDGED}}}")
    rule = only(decide(policy, count(policy, 1000, a=(700, 0))))
    wrong, found = beta_upper(2, 200, RISK / 3), beta_upper(90, 100, RISK / 3)
    assert rule.lower == pytest.approx((beta_lower(700, 1000, RISK / 3) - wrong) / (found - wrong))
    assert find_verdict(policy, 300, 0, 1000) == "fail"


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (
            "intended: [{id: a, value: clarity, at_least: 60%, violated_at_most: 5%}]\n",
            ("a:violated", "viol"),
        ),
        ("intended: [{id: a, value: [clarity, transparency], at_least: 60%}]\n", ("a", '"transparency" not')),
        (
            "responses: [{id: a, type: [reframing, mild_support], at_least: 6%}]\n",
            ("a", "of several response"),
        ),
        ("undeclared: {id: a, at_most: 6%}\n", ("a", "cannot be labelled")),
        (
            f"{FLOOR}drift: [{{id: b, baseline: x, rules: a, max_decrease: 1pp}}]\n",
            ("b", "between two audits"),
        ),
    ],
)
def test_what_stays_uncorrected_is_named(rules: str, told: tuple[str, str]) -> None:
    """No limit is left as it is in silence."""
    policy = calibrate_all(rules, values=f"clarity: {{{JUDGED}}}")
    warning = policy.warnings[-1]
    assert "the calibration does not correct " in warning
    assert f"{told[0]} (" in warning
    assert told[1] in warning
    off = calibrate_all(rules.replace("id: a,", "id: a, enforce: warn,"), values=f"clarity: {{{JUDGED}}}")
    assert off.warnings[-1].startswith("p.yaml:")


def test_many_uncorrected_limits_are_one_warning() -> None:
    """A policy of thousands of rules does not drown what else is told."""
    rules = "".join(f"  - {{id: r{n}, value: transparency, at_least: 1%}}\n" for n in range(50))
    policy = calibrate_all(f"intended:\n{rules}", values=f"clarity: {{{JUDGED}}}")
    assert policy.warnings[-1].endswith('r19 ("transparency" not calibrated) and 30 more')


def test_the_digest_holds_the_counts_of_a_calibration_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever changes a count changes the policy; layout, comments and the name of the file do not."""

    def lock(text: str, file: str = "c.yaml", policy: str | None = None) -> str:
        Path(file).write_text(text)
        Path("p.yaml").write_text(policy or f"{HEAD}{CEILING}calibration: {{file: {file}}}\n")
        capsys.readouterr()
        assert run(["policy", "lock", "p.yaml"]) == 0
        return capsys.readouterr().out.strip()

    body = f"model: m\nprompt_sha256: {DIGEST}\nvalues: {{deception: {{{GOOD}}}}}\n"
    digest = lock(body)
    assert lock(f"# a comment\n{body}", "other.yaml") == digest
    inline = f"{{model: m, prompt_sha256: {DIGEST}, values: {{deception: {{{GOOD}}}}}}}"
    assert lock("", policy=f"{HEAD}{CEILING}calibration: {inline}\n") == digest
    changed = lock(body.replace("true_positives: 9", "true_positives: 90"))
    assert changed != digest
    write_conversations(folder / "logs.jsonl", 2)
    assert run(["scan", "logs.jsonl", "-p", "p.yaml", "--expect-policy", digest]) == ExitCode.USAGE
    assert f"it is {changed}, expected {digest}" in capsys.readouterr().err
