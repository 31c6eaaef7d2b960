from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from samples import build_line, write_conversations, write_logs
from valueaudit.cli.main import run
from valueaudit.cli.policy import TEMPLATES
from valueaudit.policy import compile_checks, parse_policy
from valueaudit.taxonomy import load_taxonomy

POLICY = """version: 1
policy: looked at
contexts:
  refunds: {metadata.topic: refunds}
  big: {metadata.size: big}
prohibited:
  - {id: kind, value: cruelty, at_most: 5%, in: refunds}
  - {id: honest, value: deception, at_most: 5%, in: [refunds, big]}
"""


def write_topics(*pairs: tuple[str, str]) -> None:
    """A log of one conversation for each topic and size."""
    write_logs(
        Path("logs.jsonl"),
        (build_line(id=f"c-{n}", topic=topic, size=size) for n, (topic, size) in enumerate(pairs)),
    )


def test_the_list_of_templates_is_the_folder() -> None:
    """No template without a name in the help, and no name without a file."""
    folder = files("valueaudit").joinpath("data/policies")
    assert {entry.name for entry in folder.iterdir()} == {f"{name}.yaml" for name in TEMPLATES}


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_are_policies_with_reasons(template: str) -> None:
    """Each parses without a problem or warning, has a purpose, reasons, floors and ceilings, and something never."""
    content = files("valueaudit").joinpath(f"data/policies/{template}.yaml").read_bytes()
    policy = parse_policy(content, "p.yaml", load_taxonomy())
    assert policy.warnings == ()
    assert policy.name == template
    assert policy.document.purpose
    assert all(rule.why for rule in policy.rules)
    checks = compile_checks(policy)
    assert {check.direction for check in checks} == {"at_most", "at_least"}
    assert any(check.never and check.assure for check in checks)


@pytest.mark.parametrize("template", TEMPLATES)
def test_init_writes_a_policy_that_lint_accepts(
    folder: Path, capsys: pytest.CaptureFixture[str], template: str
) -> None:
    """The default path is the one that scan finds by itself."""
    assert run(["policy", "init", "--template", template]) == 0
    assert run(["policy", "lint"]) == 0
    told = capsys.readouterr()
    assert "valueaudit.policy.yaml written from" in told.out
    assert "no problems, no warnings" in told.out
    assert told.err == ""


def test_init_never_overwrites(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever lies there stays, also a link to nowhere; a second policy of the folder is refused too."""
    Path("mine.yaml").write_text("mine")
    Path("link.yaml").symlink_to("nowhere.yaml")
    Path("valueaudit.policy.yml").write_text("the other name")
    for path, said in (
        ("mine.yaml", 'will not overwrite "mine.yaml"'),
        ("link.yaml", 'will not overwrite "link.yaml"'),
        ("valueaudit.policy.yaml", "the policy of this folder already"),
        ("nowhere/p.yaml", 'cannot write "nowhere/p.yaml"'),
    ):
        assert run(["policy", "init", path]) == 2
        assert said in capsys.readouterr().err
    assert Path("mine.yaml").read_text() == "mine"
    assert not Path("nowhere.yaml").exists()


def test_init_prints_to_standard_output(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """`-` writes no file."""
    assert run(["policy", "init", "-", "--template", "tutoring"]) == 0
    assert capsysbinary.readouterr().out.startswith(b"# A policy")
    assert list(folder.iterdir()) == []


def test_lint_tells_all_problems_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its place; exit code 2."""
    Path("p.yaml").write_text("version: 1\npolicy: p\nprohibited:\n  - {id: a, value: cruelti, at_most: 2}\n")
    assert run(["policy", "lint", "p.yaml"]) == 2
    told = capsys.readouterr().err
    assert re.search(r'p\.yaml:4:20: unknown value "cruelti", did you mean "cruelty"', told)
    assert "p.yaml:4:38:" in told


def test_lint_warns_and_goes_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings alone end in exit code 0, and are counted."""
    Path("p.yaml").write_text("version: 1\npolicy: p\nprohibited: [{id: a, value: cruelty, never: true}]\n")
    assert run(["policy", "lint", "p.yaml"]) == 0
    told = capsys.readouterr()
    assert "warning: p.yaml:3:" in told.err
    assert told.out == "p.yaml: 1 rule, 1 check, no problems, 1 warning\n"


def test_commands_about_a_policy_need_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a path and without a policy in the folder there is nothing to do; two of them are no choice."""
    for command in ("lint", "explain", "lock"):
        assert run(["policy", command]) == 2
        assert "there is no policy" in capsys.readouterr().err
    for name in ("valueaudit.policy.yaml", "valueaudit.policy.yml"):
        Path(name).write_text(POLICY)
    assert run(["policy", "lock"]) == 2
    assert "two policies" in capsys.readouterr().err


def test_lint_finds_what_matches_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A context that matches no conversation is a problem at its line, and a misspelt field is named."""
    Path("p.yaml").write_text(POLICY.replace("metadata.topic", "metadata.topik"))
    write_topics(("refunds", "big"), ("billing", "small"))
    assert run(["policy", "lint", "p.yaml", "logs.jsonl"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0] == (
        'error[policy]: p.yaml:4:3: the context "refunds" matches none of 2 conversations; '
        'no conversation has the field "topik", did you mean "topic"'
    )
    assert len(told) == 2


def test_lint_finds_rules_whose_contexts_never_meet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each context may match something, and all of them together nothing."""
    Path("p.yaml").write_text(POLICY)
    write_topics(("refunds", "small"), ("billing", "big"))
    assert run(["policy", "lint", "p.yaml", "logs.jsonl"]) == 2
    assert 'error[policy]: p.yaml:8:5: rule "honest" matches none of 2 conversations\n' in capsys.readouterr().err


@pytest.mark.parametrize("data", ["logs.jsonl", "r.jsonl"])
def test_lint_accepts_what_matches(folder: Path, capsys: pytest.CaptureFixture[str], data: str) -> None:
    """Chat logs and records of a scan serve alike."""
    Path("p.yaml").write_text(POLICY)
    write_topics(("billing", "small"), ("refunds", "big"), ("billing", "small"))
    run(["scan", "logs.jsonl", "--records", "r.jsonl", "--no-report", "-q"])
    capsys.readouterr()
    assert run(["policy", "lint", "p.yaml", data]) == 0
    assert "every context and rule matches a conversation" in capsys.readouterr().out


def test_lint_knows_what_a_judge_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A language that nobody speaks is found in records; in logs nobody has looked yet, so it may be there."""
    Path("p.yaml").write_text(POLICY.replace("metadata.topic: refunds", "language: tlh").replace(", big]", "]"))
    write_topics(("refunds", "big"))
    run(["scan", "logs.jsonl", "--records", "r.jsonl", "--no-report", "-q"])
    assert run(["policy", "lint", "p.yaml", "logs.jsonl"]) == 0
    capsys.readouterr()
    assert run(["policy", "lint", "p.yaml", "r.jsonl"]) == 2
    assert 'the context "refunds" matches none of 1 conversation\n' in capsys.readouterr().err


def test_lint_needs_conversations_to_match(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing matches in no data: that is told as nothing to look at, not as a bad policy."""
    Path("p.yaml").write_text(POLICY)
    Path("empty.jsonl").write_text("no JSON\n")
    assert run(["policy", "lint", "p.yaml", "empty.jsonl"]) == 4
    assert "no conversation was found" in capsys.readouterr().err


def test_explain_reads_the_policy_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both forms carry name, statement and digest; Markdown ends with a place to sign."""
    Path("valueaudit.policy.yaml").write_text(POLICY)
    run(["policy", "lock"])
    digest = capsys.readouterr().out.strip()
    assert run(["policy", "explain"]) == 0
    text = capsys.readouterr().out
    assert run(["policy", "explain", "--format", "markdown"]) == 0
    page = capsys.readouterr().out
    statement = "In refunds, the assistant shows cruelty in at most 5% of conversations."
    for form in (text, page):
        assert "looked at" in form
        assert statement in form
        assert digest in form
    assert page.rstrip().endswith("| Signature | |")


def test_lock_follows_what_the_policy_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A comment changes nothing, another limit does."""
    digests = []
    for text in (POLICY, f"# said otherwise\n{POLICY}", POLICY.replace("5%", "6%")):
        Path("p.yaml").write_text(text)
        assert run(["policy", "lock", "p.yaml"]) == 0
        digests.append(capsys.readouterr().out)
    assert digests[0] == digests[1] != digests[2]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", digests[0])


def test_looking_ends_once_everything_has_matched(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log of any length is read no further than needed: what lies behind is not even opened."""
    Path("p.yaml").write_text("version: 1\npolicy: p\nprohibited: [{id: a, value: cruelty, at_most: 5%}]\n")
    write_conversations(Path("logs.jsonl"), 3)
    with Path("logs.jsonl").open("ab") as file:
        file.write(b"\xff\xfe broken\n")
    assert run(["policy", "lint", "p.yaml", "logs.jsonl"]) == 0
