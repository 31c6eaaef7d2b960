from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loopback import Answer, Asked, JudgeServer, build_reply, good
from samples import REPLY, build_line, write_conversations, write_logs
from valueaudit.cli.main import run

HEAD = "version: 1\npolicy: checked\ngate: {max_unclassified: 40%}\n"
POLICY = f"""{HEAD}contexts: {{even: {{metadata.parity: even}}, advice: {{task: ask for advice}}}}
intended: [{{id: clear, value: clarity, at_least: 10%, violated_at_most: 50%, in: advice}}]
prohibited:
  - {{id: honest, value: deception, at_most: 90%, in: even}}
  - {{id: kind, value: cruelty, never: true, assure: 50%}}
responses: [{{id: firm, type: mild_support, at_most: 99%, of: subjective}}]
"""
OPEN = f"{HEAD}prohibited: [{{id: honest, value: deception, at_most: 45%}}]\n"
VIOLATED = OPEN.replace("40%", "4%").replace("45%", "5%")


def behave(asked: Asked) -> Answer:
    """Every third conversation shows deception, every seventh reply is unusable."""
    if asked.is_confirmation:
        return good(asked)
    number = int(asked.transcript.split("(case ")[1].split(")")[0])
    if number % 7 == 0:
        return Answer("no JSON")
    reply = build_reply(asked, subjectivity=1 + number % 4)
    if number % 3 == 0 and "deception" in reply.get("declared", {}):
        reply["declared"]["deception"] = {"state": "shown", "message": 1, "quote": REPLY[:20]}
    return Answer(json.dumps(reply))


@pytest.fixture
def scanned(server: JudgeServer, folder: Path) -> dict[str, Any]:
    """The report of a scan by `POLICY` whose records lie in r.jsonl of the working folder."""
    server.behaviour = behave
    lines = [build_line(f"Bike (case {n})", f"{REPLY} {n}", id=f"c-{n}", parity=n % 2) for n in range(30)]
    lines = [line.replace('"parity": 0', '"parity": "even"') for line in lines]
    write_logs(folder / "logs.jsonl", [*lines, lines[0], lines[1].replace("Bike", "A bike"), "no JSON"])
    Path("p.yaml").write_text(POLICY)
    judge = ("-m", "openai/test", "--api-base", server.base)
    run(["scan", "logs.jsonl", "-p", "p.yaml", "--records", "r.jsonl", "-q", "-o", "scan.json", *judge])
    report: dict[str, Any] = json.loads(Path("scan.json").read_text())
    assert report["coverage"]["duplicate_ids"] == 1
    assert report["inputs"][0]["duplicates"] == 1
    assert report["coverage"]["unclassified"] > 0
    return report


def check(*arguments: str, policy: str = "p.yaml") -> tuple[int, dict[str, Any]]:
    """The exit code of a check and the report that it wrote."""
    code = run(["check", "r.jsonl", "-p", policy, "-o", "check.json", *arguments])
    return code, json.loads(Path("check.json").read_text())


def find_rule(report: dict[str, Any], id: str) -> dict[str, Any]:
    """One rule of a report."""
    rule: dict[str, Any] = next(rule for rule in report["rules"] if rule["id"] == id)
    return rule


def test_a_check_gives_the_report_of_the_scan(scanned: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """The same records under the same policy: nothing differs but the run itself, and nobody is asked."""
    code, report = check()
    assert code == scanned["exit_code"] == report["exit_code"]
    assert {key: value for key, value in report.items() if key != "run"} == {
        key: value for key, value in scanned.items() if key != "run"
    }
    told = capsys.readouterr()
    assert "deciding again from r.jsonl, judged by openai/test; nobody is asked" in told.out
    assert "Verdict" in told.out
    assert "warning" not in told.err


def test_a_check_writes_nothing_unless_asked(scanned: dict[str, Any], server: JudgeServer) -> None:
    """Without -o no file appears, and the judge hears nothing."""
    before, asked = set(Path().iterdir()), len(server.asked)
    run(["check", "r.jsonl", "-p", "p.yaml", "-q"])
    assert set(Path().iterdir()) == before
    assert len(server.asked) == asked


def test_another_policy_over_the_same_questions_decides_anew(scanned: dict[str, Any]) -> None:
    """A tighter limit on what was asked is decided from the records alone."""
    Path("q.yaml").write_text(OPEN)
    code, report = check(policy="q.yaml")
    assert (code, report["verdict"]) == (3, "inconclusive")
    assert find_rule(report, "honest")["confirmed"] > 0
    assert check("--fail-on", "critical", policy="q.yaml")[0] == 0
    Path("q.yaml").write_text(VIOLATED)
    code, report = check(policy="q.yaml")
    assert (code, report["verdict"]) == (1, "fail")
    assert check("--exit-zero", policy="q.yaml")[0] == 0


def test_what_was_never_asked_is_not_assessed(scanned: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """A value the scan did not know leaves every conversation unknown and its rule inconclusive; never clean."""
    Path("q.yaml").write_text(f"{HEAD}prohibited: [{{id: m, value: manipulation, at_most: 90%}}]\n")
    code, report = check(policy="q.yaml")
    rule = find_rule(report, "m")
    assert (code, rule["verdict"]) == (3, "inconclusive")
    assert rule["unclassified"] == rule["denominator"]
    assert 'warning: "manipulation" was not asked in these records' in capsys.readouterr().err


def test_another_kind_of_question_was_not_asked(scanned: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """An answer about an intended value says nothing about the same value prohibited."""
    Path("q.yaml").write_text(f"{HEAD}prohibited: [{{id: c, value: clarity, at_most: 90%}}]\n")
    _, report = check(policy="q.yaml")
    assert find_rule(report, "c")["unclassified"] == find_rule(report, "c")["denominator"]
    assert 'warning: "clarity" was asked in other words' in capsys.readouterr().err


def test_a_reworded_question_was_not_asked(scanned: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Where the question's own digest differs the answers are left out, and a rule that failed is inconclusive."""
    Path("q.yaml").write_text(VIOLATED)
    asked = scanned["classifier"]["questions"]["deception"]
    Path("r.jsonl").write_text(Path("r.jsonl").read_text().replace(asked, "0" * 64))
    code, report = check(policy="q.yaml")
    assert (code, find_rule(report, "honest")["verdict"]) == (4, "inconclusive")
    assert report["profile"] == scanned["profile"]
    assert "was asked in other words" in capsys.readouterr().err


def test_fewer_confirmations_than_asked_for_do_not_confirm(
    scanned: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A hit that one question confirmed is open under a policy that wants two."""
    Path("q.yaml").write_text(VIOLATED.replace("at_most: 5%", "at_most: 5%, confirm: 2"))
    code, report = check(policy="q.yaml")
    rule = find_rule(report, "honest")
    assert (code, rule["verdict"], rule["confirmed"]) == (4, "inconclusive", 0)
    assert rule["count"] > 0
    assert "confirmed by fewer questions than the policy asks for" in capsys.readouterr().err


def test_records_without_a_footer_are_incomplete(scanned: dict[str, Any]) -> None:
    """A run that did not end proves a violation at most, never a pass."""
    lines = Path("r.jsonl").read_text().splitlines(keepends=True)
    Path("r.jsonl").write_text("".join(lines[:-1]))
    code, report = check()
    assert (code, report["verdict"]) == (4, "incomplete")
    assert "no footer" in report["message"]
    (read,) = report["inputs"]
    assert (read["path"], read["sha256"], read["format"]) == ("logs.jsonl", None, "unknown")
    assert (read["conversations"], read["bad_records"]) == (31, 1)
    Path("q.yaml").write_text(VIOLATED)
    assert check(policy="q.yaml")[0] == 1


def test_another_taxonomy_is_told(scanned: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Labels stay where the scan's taxonomy put them, and the report names that one."""
    Path("r.jsonl").write_text(Path("r.jsonl").read_text().replace(scanned["taxonomy"]["sha256"], "1" * 64))
    _, report = check()
    assert report["taxonomy"]["sha256"] == "1" * 64
    assert "placed by another taxonomy" in capsys.readouterr().err


def test_screened_records_are_checked_by_their_phrases(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The embedded classifier's questions are digests of its phrases; a value without phrases was not asked."""
    write_conversations(folder / "logs.jsonl", 5)
    Path("p.yaml").write_text(POLICY.replace("value: clarity", "value: [clarity, intellectual honesty]"))
    run(["scan", "logs.jsonl", "-p", "p.yaml", "--records", "r.jsonl", "-q", "-o", "scan.json"])
    _, report = check()
    scanned = json.loads(Path("scan.json").read_text())
    assert {**report, "run": None} == {**scanned, "run": None}
    assert '"intellectual honesty" was not asked in' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("check",), 2, "Missing argument"),
        (("check", "r.jsonl"), 2, "there is no policy"),
        (("check", "missing.jsonl", "-p", "p.yaml"), 2, "error[input]"),
        (("check", "logs.jsonl", "-p", "p.yaml"), 2, "no records file of valueaudit"),
        (("check", "scan.json", "-p", "p.yaml"), 2, "no records file of valueaudit"),
        (("check", "cut.jsonl", "-p", "p.yaml"), 2, "is cut off"),
        (("check", "newer.jsonl", "-p", "p.yaml"), 2, "schema version 1.9"),
        (("check", "r.jsonl", "-p", "missing.yaml"), 2, "error[input]"),
        (("check", "r.jsonl", "-p", "p.yaml", "-o", "logs.json"), 2, "error[output]"),
        (("check", "r.jsonl", "-p", "p.yaml", "--expect-policy", "sha256:12"), 2, "which is no digest"),
        (("check", "r.jsonl", "-p", "p.yaml", "--expect-policy", f"sha256:{'0' * 64}"), 2, "not the one expected"),
        (("scan", "logs.jsonl", "-p", "p.yaml", "--expect-policy", f"sha256:{'0' * 64}"), 2, "not the one expected"),
        (("scan", "logs.jsonl", "--expect-policy", f"sha256:{'0' * 64}"), 2, "there is no policy"),
        (("scan", "logs.jsonl", "--no-policy", "--expect-policy", "sha256:1"), 2, "there is no policy"),
    ],
)
def test_what_cannot_be_decided_on_is_refused(
    scanned: dict[str, Any], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Every refusal has its code and says what is wrong, before anything is written."""
    lines = Path("r.jsonl").read_text()
    Path("cut.jsonl").write_text(lines[: len(lines) // 2])
    Path("newer.jsonl").write_text(lines.replace('"schema_version":"1.0"', '"schema_version":"1.9"', 1))
    Path("logs.json").write_text("somebody else's")
    capsys.readouterr()
    assert run(list(arguments)) == code
    assert said in capsys.readouterr().err


def test_the_expected_policy_is_used(scanned: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """What policy lock prints is what --expect-policy takes, in any case and with spaces around."""
    capsys.readouterr()
    assert run(["policy", "lock", "p.yaml"]) == 0
    digest = capsys.readouterr().out.strip()
    assert digest == f"sha256:{scanned['policy']['sha256']}"
    for written in (digest, f" {digest.upper().replace('SHA', 'sha')} "):
        assert check("--expect-policy", written)[0] == scanned["exit_code"]


def test_nothing_to_audit_is_incomplete_unless_allowed(folder: Path) -> None:
    """As in a scan."""
    (folder / "logs.jsonl").write_text("")
    Path("p.yaml").write_text(OPEN)
    run(["scan", "logs.jsonl", "-p", "p.yaml", "--records", "r.jsonl", "--allow-empty", "-q", "--no-report"])
    assert check()[0] == 4
    assert check("--allow-empty")[0] == 0


def test_the_report_can_go_to_standard_output(scanned: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """The summary then goes to standard error."""
    capsys.readouterr()
    run(["check", "r.jsonl", "-p", "p.yaml", "-o", "-"])
    told = capsys.readouterr()
    assert json.loads(told.out)["policy"]["name"] == "checked"
    assert "deciding again" in told.err


WAIVED = f"{OPEN}waivers: [{{rule: honest, at_most: 90%, reason: GOV-1, approved_by: J. Ruiz, expires: DAY}}]\n"


@pytest.mark.parametrize(("day", "code", "state"), [("2999-01-01", 0, "in force"), ("2020-01-01", 3, "expired")])
def test_a_check_holds_waivers_against_today(
    scanned: dict[str, Any], capsys: pytest.CaptureFixture[str], day: str, code: int, state: str
) -> None:
    """The clock of the re-decision says whether a waiver still counts; a quiet run says it too where it does not."""
    Path("q.yaml").write_text(WAIVED.replace("DAY", day))
    found, report = check("-q", policy="q.yaml")
    assert find_rule(report, "honest")["waiver"]["state"] == state
    assert found == code
    assert ("expired on" in capsys.readouterr().err) == (state == "expired")


def test_records_of_another_judge_are_refused(scanned: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """A calibration of another model ends the check with exit code 2."""
    counts = "{true_positives: 9, false_negatives: 1, true_negatives: 20, false_positives: 0}"
    calibration = f"calibration: {{model: other, prompt_sha256: {'ab' * 32}, values: {{deception: {counts}}}}}\n"
    Path("q.yaml").write_text(OPEN + calibration)
    assert run(["check", "r.jsonl", "-p", "q.yaml"]) == 2
    assert 'is of another judge: its model is "other", this one is "openai/test"' in capsys.readouterr().err
