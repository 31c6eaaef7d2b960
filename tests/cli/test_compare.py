from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from loopback import Answer, Asked, JudgeServer, build_reply
from samples import REPLY, build_line, write_logs
from valueaudit.cli.compare import CompareOptions
from valueaudit.cli.compare_run import run_compare
from valueaudit.cli.main import run
from valueaudit.renderers.json_comparison import parse_comparison, render_json_comparison

POLICY = """version: 1
policy: gate
prohibited: [{id: no-deception, value: deception, at_most: 50%, confirm: 0}]
responses: [{id: supports, type: mild_support, at_least: 5%}]
"""
OTHER = POLICY.replace("at_most: 50%", "at_most: 40%")
COUNT = 60


def behave(asked: Asked) -> Answer:
    """Conversations that say so show deception."""
    reply = build_reply(asked)
    if "deceive" in asked.transcript:
        reply["declared"]["deception"] = {"state": "shown", "message": 1, "quote": REPLY[:20]}
        reply["ai_values"].append({**reply["ai_values"][0], "value": "deception", "adverse": True})
    return Answer(json.dumps(reply))


def scan(
    server: JudgeServer, name: str, deceiving: int, *, policy: str = POLICY, start: int = 0, model: str = "openai/test"
) -> None:
    """A report NAME.json and records NAME.jsonl of sixty conversations, so many of which deceive."""
    server.behaviour = behave
    Path("valueaudit.policy.yaml").write_text(policy)
    texts = ("deceive me" if n < deceiving else "be fair" for n in range(COUNT))
    lines = [build_line(f"{text} {n}", f"{REPLY} {n}", id=f"c-{start + n}") for n, text in enumerate(texts)]
    write_logs(Path(f"{name}.log.jsonl"), lines)
    judge = ("-m", model, "--api-base", server.base, "--concurrency", "32")
    run(["scan", f"{name}.log.jsonl", "-o", f"{name}.json", "--records", f"{name}.jsonl", "-q", *judge])


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of audits, made once. In `bad` a third of the conversations deceive, elsewhere none; `apart` has other
    ids, `later` another policy, `other` another judge."""
    folder = tmp_path_factory.mktemp("audits")
    with JudgeServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("OPENAI_API_KEY", "test-key")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        scan(server, "later", 0, policy=OTHER)
        scan(server, "other", 0, model="openai/another")
        scan(server, "apart", 0, start=1000)
        scan(server, "bad", COUNT // 3)
        scan(server, "good", 0)
    return folder


@pytest.fixture
def audits(scanned: Path, folder: Path) -> Path:
    """The audits in a working folder of their own, with the policy that most were decided by."""
    for path in scanned.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "verdict"),
    [
        (("good.jsonl", "good.jsonl", "--margin", "10pp"), 0, "no_worse"),
        (("good.jsonl", "good.jsonl"), 3, "inconclusive"),
        (("good.jsonl", "good.jsonl", "--exit-zero"), 0, "inconclusive"),
        (("good.jsonl", "bad.jsonl", "--margin", "10pp"), 1, "regression"),
        (("good.jsonl", "bad.jsonl", "--margin", "10pp", "--exit-zero"), 0, "regression"),
        (("bad.jsonl", "good.jsonl", "--margin", "10pp"), 0, "no_worse"),
        (("good.json", "bad.json", "--margin", "10pp"), 1, "regression"),
        (("good.json", "bad.jsonl", "--margin", "10pp"), 1, "regression"),
        (("good.jsonl", "bad.json", "--margin", "10pp"), 1, "regression"),
        (("good.jsonl", "apart.jsonl", "--margin", "10pp"), 0, "no_worse"),
        (("good.jsonl", "bad.jsonl", "--no-policy", "--margin", "10pp"), 1, "regression"),
    ],
)
def test_verdicts_have_exit_codes(audits: Path, arguments: tuple[str, ...], code: int, verdict: str) -> None:
    """Records pair, reports do not; the document says the same as the exit code and validates."""
    assert run(["compare", *arguments, "-o", "c.json", "-q"]) == code
    document = json.loads(Path("c.json").read_text())
    assert document["verdict"] == verdict
    assert document["exit_code"] in (code, {"inconclusive": 3, "regression": 1}.get(verdict))
    paired = arguments[0].endswith("l") and arguments[1].endswith("l") and "apart.jsonl" not in arguments
    assert document["pairing"]["method"] == ("paired" if paired else "unpaired")
    kinds = {figure["name"] for figure in document["figures"]}
    assert ("no-deception" in kinds) == ("--no-policy" not in arguments)


def test_a_report_is_never_sharper_than_its_records(audits: Path) -> None:
    """Laid over each other, the report has no more hits and no fewer unknown conversations."""
    run(["compare", "bad.json", "bad.jsonl", "-o", "c.json", "-q"])
    figures = parse_comparison(Path("c.json").read_bytes()).figures
    assert {figure.kind for figure in figures} >= {"prohibited", "adverse", "adverse_conversations", "values"}
    for figure in figures:
        assert figure.base.denominator == figure.new.denominator
        assert figure.base.count <= figure.new.count
        assert figure.base.unclassified >= figure.new.unclassified
    assert any(figure.base.count > 0 for figure in figures if figure.kind == "adverse")


def test_the_document_is_that_of_its_schema(audits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A foreign validator accepts it; it reads back as it was written, and is ours to overwrite."""
    assert run(["schema", "comparison"]) == 0
    schema = json.loads(capsys.readouterr().out)
    for _ in range(2):
        run(["compare", "good.jsonl", "bad.jsonl", "-o", "c.json", "-q"])
    text = Path("c.json").read_text()
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    assert render_json_comparison(parse_comparison(text)) == text


def test_a_page_is_written_by_its_ending(audits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Markdown beside JSON, again over its own, and never over anybody else's."""
    arguments = ("compare", "good.jsonl", "bad.jsonl", "--margin", "10pp", "-q")
    for _ in range(2):
        assert run([*arguments, "-o", "c.md", "-o", "c.json"]) == 1
    page = Path("c.md").read_text()
    assert "**REGRESSION** (exit code 1)" in page
    assert "`no-deception`" in page
    Path("notes.md").write_text("# my notes\n")
    assert run([*arguments, "-o", "notes.md"]) == 2
    assert run([*arguments, "-o", "c.html"]) == 2
    assert "endings known: .json, .md" in capsys.readouterr().err


def test_standard_output_carries_one_document(audits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `-o -` the summary moves to standard error."""
    run(["compare", "good.jsonl", "bad.jsonl", "-o", "-"])
    told = capsys.readouterr()
    assert json.loads(told.out)["document"] == "comparison"
    assert "REGRESSION" in told.err


def test_one_side_may_be_packed_or_piped(audits: Path) -> None:
    """gzip and standard input are read like files."""
    Path("good.gz").write_bytes(gzip.compress(Path("good.jsonl").read_bytes()))
    kept = os.dup(0)
    piped = os.open("bad.json", os.O_RDONLY)
    os.dup2(piped, 0)
    try:
        assert run(["compare", "good.gz", "-", "--margin", "10pp", "-q"]) == 1
    finally:
        os.dup2(kept, 0)
        os.close(piped)
        os.close(kept)


@pytest.mark.parametrize(("new", "code"), [("bad.jsonl", 1), ("good.jsonl", 4)])
def test_what_cannot_be_written_makes_the_comparison_incomplete(
    audits: Path, capsys: pytest.CaptureFixture[str], new: str, code: int
) -> None:
    """A full disk hides no regression, and a verdict that nobody can read is none."""
    Path("full.json").symlink_to("/dev/full")
    assert run(["compare", "good.jsonl", new, "--margin", "10pp", "-o", "full.json", "-q"]) == code
    assert "no space left" in capsys.readouterr().err


def test_reports_of_other_policies_do_not_compare_rules(audits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was counted by another policy may mean something else; records are counted anew by the one that decides."""
    assert run(["compare", "good.json", "later.json", "--margin", "10pp"]) == 4
    told = capsys.readouterr().out
    assert "different policies" in told
    assert "--force" in told
    assert run(["compare", "good.json", "later.json", "--margin", "10pp", "--force", "-q"]) == 0
    assert "none: not comparable" in capsys.readouterr().out
    assert run(["compare", "good.jsonl", "later.jsonl", "--margin", "10pp", "-q"]) == 0
    assert run(["compare", "good.json", "later.jsonl", "--margin", "10pp", "-q"]) == 0
    assert run(["compare", "later.json", "good.jsonl", "--margin", "10pp", "-q"]) == 4


def test_a_report_beside_records_without_a_policy_says_what_is_missing(
    audits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rules of the report have nothing to be held against."""
    Path("valueaudit.policy.yaml").unlink()
    for sides, missing in ((("good.json", "good.jsonl"), "NEW"), (("good.jsonl", "good.json"), "BASE")):
        assert run(["compare", *sides, "--margin", "10pp"]) == 4
        assert f"{missing} is records, which hold no rules" in " ".join(capsys.readouterr().out.split())


def test_another_judge_is_not_comparable(audits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 4 with the reason; the document is still written."""
    assert run(["compare", "good.jsonl", "other.jsonl", "-o", "c.json"]) == 4
    assert "another judge" in capsys.readouterr().out
    document = json.loads(Path("c.json").read_text())
    assert (document["verdict"], document["figures"]) == ("not_comparable", [])


def cut(name: str, to: str) -> None:
    """The first half of a file."""
    content = Path(name).read_bytes()
    Path(to).write_bytes(content[: len(content) // 2])


def edit(name: str, to: str, **changes: Any) -> None:
    """A report with other keys."""
    Path(to).write_text(json.dumps({**json.loads(Path(name).read_text()), **changes}))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("good.json",), 2, "Missing argument"),
        (("missing.json", "good.json"), 2, "missing.json"),
        (("good.json", "."), 2, "is a directory"),
        (("good.json", "half.json"), 2, "cut off"),
        (("good.jsonl", "half.jsonl"), 2, "cut off"),
        (("good.jsonl", "unfinished.jsonl"), 4, "no footer"),
        (("good.jsonl", "shortened.jsonl"), 2, "footer counts"),
        (("good.json", "newer.json"), 2, "1.1"),
        (("good.json", "foreign.json"), 2, "neither a report nor records"),
        (("good.json", "good.log.jsonl"), 2, "neither a report nor records"),
        (("good.json", "empty.json"), 2, "is empty"),
        (("good.json", "torn.gz"), 2, "cannot be read"),
        (("good.json", "comparison.json"), 2, "is a comparison"),
        (("good.json", "deep.json"), 2, "no document of valueaudit"),
        (("good.json", "impossible.json"), 2, 'counts of "no-deception" that cannot be'),
        (("-", "-"), 2, "only one side"),
        (("good.json", "bad.json", "--margin", "2"), 2, "is no difference"),
        (("good.json", "bad.json", "--margin", "2%"), 2, "is a share"),
        (("good.json", "bad.json", "-o", "c.txt"), 2, "no ending"),
        (("good.json", "bad.json", "-o", "good.json"), 2, "will not overwrite"),
        (("good.json", "bad.json", "-o", "c.json", "-o", "./c.json"), 2, "written twice"),
        (("good.json", "bad.json", "-p", "missing.yaml"), 2, "cannot be read"),
        (("good.json", "bad.json", "-p", "x.yaml", "--no-policy"), 2, "contradict"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(
    audits: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Missing, cut off, newer, foreign: each has its code and its words, and none is a traceback."""
    cut("good.json", "half.json")
    cut("good.jsonl", "half.jsonl")
    lines = Path("good.jsonl").read_bytes().splitlines(keepends=True)
    Path("unfinished.jsonl").write_bytes(b"".join(lines[:-1]))
    Path("shortened.jsonl").write_bytes(b"".join([lines[0], *lines[5:]]))
    edit("good.json", "newer.json", schema_version="1.1")
    Path("foreign.json").write_text('{"results": []}')
    Path("empty.json").write_text("\n")
    Path("torn.gz").write_bytes(gzip.compress(Path("good.json").read_bytes())[:-20])
    Path("deep.json").write_text('{"schema_version": "1.0", "x": ' + "[" * 100_000)
    rule = json.loads(Path("good.json").read_text())["rules"][0]
    edit("good.json", "impossible.json", rules=[{**rule, "id": "no-deception", "confirmed": 999}])
    edit("good.json", "comparison.json", document="comparison")
    assert run(["compare", *arguments]) == code
    told = capsys.readouterr()
    assert said in " ".join((told.out + told.err).split())
    assert "Traceback" not in told.err


def test_reports_of_runs_without_a_policy_compare_what_was_seen(
    audits: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no rule, and the reader is told."""
    for name in ("good", "bad"):
        edit(f"{name}.json", f"{name}.json", rules=[], policy=None)
    assert run(["compare", "good.json", "bad.json", "--margin", "10pp"]) == 1
    assert "no rule is compared" in capsys.readouterr().out


def test_rules_of_reports_rest_on_their_questions(audits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report does not say which values a rule is about: any changed question keeps all of these from comparing, and
    rules that are off are left out."""
    report = json.loads(Path("good.json").read_text())
    sleeping = {**report["rules"][0], "id": "sleeps", "enforce": "off"}
    questions = {"classifier": {**report["classifier"], "primed": False, "questions": {"deception": "0" * 64}}}
    same = {"classifier": {**report["classifier"], "primed": False}}
    edit("good.json", "a.json", rules=[*report["rules"], sleeping], **same)
    edit("good.json", "b.json", **questions)
    assert run(["compare", "a.json", "b.json", "-o", "c.json", "-q"]) == 4
    assert "asked differently, or on one side only: deception" in capsys.readouterr().out
    figures = {figure["name"]: figure for figure in json.loads(Path("c.json").read_text())["figures"]}
    assert figures["no-deception"]["verdict"] == "not_comparable"
    assert figures["supports"]["verdict"] != "not_comparable"
    assert "sleeps" not in figures


def test_warnings_of_the_policy_are_told(audits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, as scan does."""
    Path("w.yaml").write_text("version: 1\npolicy: w\nprohibited: [{id: n, value: deception, never: true}]\n")
    run(["compare", "good.jsonl", "good.jsonl", "-p", "w.yaml", "-q"])
    assert "warning:" in capsys.readouterr().err


def test_a_reader_that_left_early_changes_nothing(audits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed pipe under the summary does not change the exit code."""

    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

        def fileno(self) -> int:
            raise OSError

    monkeypatch.setattr(sys, "stdout", Closed())
    options = CompareOptions(
        base="good.jsonl",
        new="bad.jsonl",
        policy=None,
        no_policy=False,
        margin=0.1,
        output=(),
        force=False,
        exit_zero=False,
        quiet=True,
        verbose=False,
    )
    assert run_compare(options) == 1
