from __future__ import annotations

from pathlib import Path

import pytest
from policy_samples import CEILING, HEAD, TAXONOMY, parse, problems_of, prohibited

from samples import write_conversations
from valueaudit.cli.main import run
from valueaudit.errors import ExitCode, UsageError
from valueaudit.policy import refuse_judge, refuse_taxonomy
from valueaudit.record import ClassifierInfo, TaxonomyInfo

RULES = "intended: [{id: a, value: clarity, at_least: 1%}]\n"
SCREENING = ClassifierInfo(model="embedded", assessed="screening")
JUDGE = ClassifierInfo(model="openai/test")


def test_a_screening_is_refused_where_a_judge_is_asked_for() -> None:
    """`judge: llm` takes language models only, `any` and silence take both."""
    for gate in ("", "gate: {judge: any}\n"):
        refuse_judge(parse(HEAD + gate + RULES), SCREENING)
    policy = parse(HEAD + "gate: {judge: llm}\n" + RULES)
    refuse_judge(policy, JUDGE)
    with pytest.raises(UsageError, match='asks for a language model \\("judge: llm"\\), "embedded" is a screening'):
        refuse_judge(policy, SCREENING)


def test_a_scan_is_refused_before_it_reads(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a model such a policy ends the run at once, and no report is written."""
    write_conversations(folder / "logs.jsonl", 2)
    (folder / "p.yaml").write_text(HEAD + "gate: {judge: llm}\n" + RULES)
    assert run(["scan", "logs.jsonl", "-p", "p.yaml"]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "error[usage]: " in told
    assert "name a model with --model" in told
    assert not (folder / "valueaudit-report.json").exists()


@pytest.mark.parametrize("quiet", [True, False])
def test_an_expired_waiver_is_told_loudly(folder: Path, capsys: pytest.CaptureFixture[str], quiet: bool) -> None:
    """In the summary and in the report, and on standard error where there is no summary."""
    write_conversations(folder / "logs.jsonl", 2)
    waiver = "waivers: [{rule: a, at_most: 9%, reason: x, approved_by: y, expires: 2020-01-31}]\n"
    rules = "prohibited: [{id: a, value: cruelty, at_most: 1%}]\n"
    (folder / "p.yaml").write_text(HEAD + rules + waiver)
    run(["scan", "logs.jsonl", "-p", "p.yaml", *(["-q"] if quiet else [])])
    captured = capsys.readouterr()
    told = 'the waiver of rule "a" expired on 2020-01-31: the rule is enforced again'
    assert told in " ".join((captured.err if quiet else captured.out).split())
    assert '"state": "expired"' in (folder / "valueaudit-report.json").read_text()


@pytest.mark.parametrize("wanted", [TAXONOMY.id, f"sha256:{TAXONOMY.sha256}", f" SHA256:{TAXONOMY.sha256.upper()} "])
def test_a_policy_may_name_its_taxonomy(wanted: str) -> None:
    """By id or by digest, and records that another one placed are refused."""
    policy = prohibited(head=f"taxonomy: '{wanted}'\n")
    refuse_taxonomy(policy, TaxonomyInfo(TAXONOMY.id, TAXONOMY.sha256))
    refuse_taxonomy(prohibited(), TaxonomyInfo("other-1", "0" * 64))
    with pytest.raises(UsageError, match="these records were placed by"):
        refuse_taxonomy(policy, TaxonomyInfo("other-1", "0" * 64))


def test_a_policy_of_another_taxonomy_is_refused() -> None:
    """With its place and what there is."""
    (found,) = problems_of(f"{HEAD}taxonomy: acme-7\nprohibited: [{{{CEILING}}}]\n")
    assert found == (
        f'3:11: "taxonomy" is "acme-7", another one than this program has, known: {TAXONOMY.id}, '
        f"sha256:{TAXONOMY.sha256}"
    )
