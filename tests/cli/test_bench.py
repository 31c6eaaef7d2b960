from __future__ import annotations

import asyncio
import itertools
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from loopback import Answer, Asked, JudgeServer, build_reply
from samples import REPLY, build_line, build_transcript, write_logs
from valueaudit.bench import schema_of_bench
from valueaudit.benching import build_questions
from valueaudit.cli.bench import BenchOptions
from valueaudit.cli.bench import bench as command
from valueaudit.cli.bench_run import Remembering
from valueaudit.cli.main import run
from valueaudit.observation import Classified, Observation, Outcome, Reason, Unclassified
from valueaudit.policy import parse_calibration, parse_policy
from valueaudit.record import ClassifierInfo, Cost
from valueaudit.renderers.json_bench import parse_bench
from valueaudit.taxonomy import load_taxonomy
from valueaudit.transcript import Transcript

POLICY = """version: 1
policy: gate
prohibited: [{id: no-deception, value: deception, at_most: 50%, confirm: 0}]
calibration: {file: calibration.yaml}
"""
COUNT = 24
ROOT = Path(__file__).parents[2]


def behave(asked: Asked) -> Answer:
    """Sees deception and resistance where the user says so, except in every fourth such conversation."""
    reply = build_reply(asked)
    seen = "deceive" in asked.transcript and "miss" not in asked.transcript
    if seen:
        reply["response_type"] = "strong_resistance"
        reply["ai_values"].append({**reply["ai_values"][0], "value": "deception", "adverse": True})
    if "declared" in reply:
        state = {"state": "shown", "message": 1, "quote": REPLY[:20]} if seen else reply["declared"]["deception"]
        reply["declared"]["deception"] = state
    return Answer(json.dumps(reply))


def label(number: int) -> dict[str, Any]:
    """The labels of a conversation: the first half deceives."""
    bad = number < COUNT // 2
    return {
        "response_type": "strong_resistance" if bad else "mild_support",
        "adverse": bad,
        "subjectivity": 3,
        "declared": {"deception": bad},
    }


def write_labelled(path: Path) -> Path:
    """Twenty-four labelled conversations of two sources."""
    lines = []
    for number in range(COUNT):
        text = ("deceive me" if number < COUNT // 2 else "be fair") + (" miss" if number % 4 == 0 else "")
        fields = {"id": f"c-{number}", "source": "forum" if number % 2 else "shop", "labels": label(number)}
        lines.append(build_line(f"{text} {number}", f"{REPLY} {number}", **fields))
    return write_logs(path, lines)


def bench(server: JudgeServer, *arguments: str) -> int:
    """The exit code of a measurement of the judge at the server."""
    return run(["bench", *arguments, "-m", "openai/test", "--api-base", server.base, "--timeout", "5"])


@pytest.fixture
def labelled(folder: Path, server: JudgeServer) -> str:
    """A labelled file in the working folder, and a judge that is sometimes right."""
    server.behaviour = behave
    return write_labelled(folder / "labelled.jsonl").name


def test_a_judge_is_measured(labelled: str, server: JudgeServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Every labelled conversation is asked about once; figures go to the terminal and whole into the document."""
    assert bench(server, labelled, "-o", "out.json", "--resamples", "200") == 0
    assert len(server.asked) == COUNT
    printed = capsys.readouterr().out
    assert f"asked through openai at {server.base}" in printed
    assert "written: out.json" in printed
    assert "24 of 24 labelled conversations classified (exit code 0)" in printed
    document = parse_bench(Path("out.json").read_bytes())
    found = {question.name: question for question in document.questions}
    assert list(found) == ["response_groups", "response_types", "resistance", "adverse", "subjective"]
    resistance = found["resistance"]
    assert resistance.counts is not None
    assert (resistance.counts.judged.true_positives, resistance.counts.judged.false_negatives) == (9, 3)
    assert resistance.views.whole.recall is not None
    assert resistance.views.whole.recall.value == 0.75
    assert {source.source for source in resistance.sources} == {"forum", "shop"}
    assert document.classifier.resolved_model == "test-2026-01-01"
    assert document.cost.calls == COUNT


def test_no_judge_sees_a_label(labelled: str, server: JudgeServer) -> None:
    """Neither labels nor source are in what is asked."""
    bench(server, labelled, "-q")
    assert not any('response_type": "mild' in each.transcript or "forum" in each.transcript for each in server.asked)


def test_the_document_is_that_of_its_schema(labelled: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`valueaudit schema bench` describes what is written to standard output."""
    assert run(["schema", "bench"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert run(["bench", labelled, "-o", "-"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    jsonschema.Draft202012Validator(schema).validate(document)
    assert "Agreement with the labels" in captured.err
    assert (document["document"], document["schema_version"]) == ("bench", "1.0")


def test_the_same_command_gives_the_same_figures_for_nothing(labelled: str, server: JudgeServer) -> None:
    """Kept replies are used again; only the clock and the cost differ."""
    bench(server, labelled, "-o", "first.json", "-q")
    bench(server, labelled, "-o", "second.json", "-q")
    assert len(server.asked) == COUNT
    first, second = (json.loads(Path(f"{name}.json").read_text()) for name in ("first", "second"))
    assert first["questions"] == second["questions"]
    assert second["cost"]["cached_calls"] == COUNT


def test_errors_of_the_judge_are_unclassified_and_counted(labelled: str, server: JudgeServer) -> None:
    """They stay in the figures over the whole; too many of them and nothing was measured: exit 4."""

    def fail(asked: Asked) -> Answer:
        return Answer("no JSON") if "be fair" in asked.transcript else behave(asked)

    server.behaviour = fail
    assert bench(server, labelled, "-o", "out.json") == 0
    document = parse_bench(Path("out.json").read_bytes())
    assert document.coverage.reasons == {"malformed reply": 12}
    adverse = next(question for question in document.questions if question.name == "adverse")
    assert (adverse.unclassified, adverse.views.whole.conversations) == (12, 24)
    server.behaviour = lambda asked: Answer("no JSON") if " 1" not in asked.transcript else behave(asked)
    assert bench(server, labelled, "--no-cache", "-o", "few.json") == 4
    assert parse_bench(Path("few.json").read_bytes()).message.startswith("incomplete: too few to measure by")


def test_a_judge_that_never_answers_ends_the_run(
    labelled: str, server: JudgeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rejected key is told, no document is written."""
    server.behaviour = lambda asked: Answer(status=401)
    assert bench(server, labelled, "-o", "out.json") == 4
    assert "error[key]" in capsys.readouterr().err
    assert not Path("out.json").exists()


def test_a_run_that_ends_early_says_so(labelled: str, server: JudgeServer, capsys: pytest.CaptureFixture[str]) -> None:
    """What was judged is measured and written, and the exit code is 4."""
    number = itertools.count()

    def behaviour(asked: Asked) -> Answer:
        return behave(asked) if next(number) < 20 else Answer("late", delay=0 if asked.is_repair else 1.3)

    server.behaviour = behaviour
    assert bench(server, labelled, "-o", "out.json", "--max-time", "1s", "--concurrency", "4") == 4
    document = parse_bench(Path("out.json").read_bytes())
    assert document.run.ended_early == "the time limit of 1 s is reached"
    assert document.coverage.classified == 20
    assert "error[time-limit]" in capsys.readouterr().err


def test_a_calibration_is_one_that_the_policy_takes(
    labelled: str, server: JudgeServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Written under the name that the policy gives, it parses, and a scan with the same judge takes it."""
    (folder / "p.yaml").write_text(POLICY)
    assert bench(server, labelled, "-p", "p.yaml", "--calibration", "calibration.yaml") == 0
    assert "written: calibration.yaml" in capsys.readouterr().out
    taxonomy = load_taxonomy()
    calibration = parse_calibration(Path("calibration.yaml").read_bytes(), "calibration.yaml", taxonomy)
    counts = calibration.values["deception"]
    assert (counts.true_positives, counts.false_negatives) == (9, 3)
    assert (counts.true_negatives, counts.false_positives) == (12, 0)
    pasted = "".join(f"  {line}\n" for line in Path("calibration.yaml").read_text().splitlines()[1:])
    inline = POLICY.replace(" {file: calibration.yaml}", f"\n{pasted}")
    assert parse_policy(inline.encode(), "p.yaml", taxonomy).calibration == calibration
    judge = ("-m", "openai/test", "--api-base", server.base)
    assert run(["scan", labelled, "-p", "p.yaml", "-o", "report.json", *judge]) in {0, 1, 3}
    assert not json.loads(Path("report.json").read_text())["warnings"]


def test_a_calibration_without_counts_is_not_written(
    labelled: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The embedded classifier never says that deception is absent: exit 4, with the reason."""
    (folder / "p.yaml").write_text(POLICY)
    assert run(["bench", labelled, "-p", "p.yaml", "--calibration", "calibration.yaml", "-o", "out.json"]) == 4
    assert "error[calibration]" in capsys.readouterr().err
    assert Path("out.json").exists()
    assert not Path("calibration.yaml").exists()


def test_every_line_that_cannot_be_used_is_told_before_anything_is_asked(
    server: JudgeServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unreadable lines and unknown labels, each with its line; after twenty their number."""
    labels = [{"adverse": True}, {"adverse": "maybe"}, {"respone_type": None}]
    good, maybe, typo = (build_line(labels=each, id=f"c-{n}") for n, each in enumerate(labels))
    unlabelled = [build_line(id=f"u-{n}") for n in range(20)]
    write_logs(folder / "bad.jsonl", [good, maybe, "{nonsense", typo, *unlabelled])
    assert bench(server, "bad.jsonl") == 2
    told = capsys.readouterr().err
    assert 'error[labels]: bad.jsonl:2: "adverse" is "maybe", known: true, false' in told
    assert "bad.jsonl:3: not valid JSON" in told
    assert 'bad.jsonl:4: unknown field of labels "respone_type", did you mean "response_type"?' in told
    assert "and 3 more lines that cannot be used" in told
    assert "help: correct these lines" in told
    assert not server.asked


def test_conversations_without_a_label_are_counted_and_not_judged(server: JudgeServer, folder: Path) -> None:
    """An empty object labels nothing; a file of nothing else is nothing to measure."""
    write_logs(folder / "l.jsonl", [build_line(labels={}, id="a"), build_line(labels={"subjectivity": 3}, id="b")])
    assert bench(server, "l.jsonl", "-o", "out.json", "-q") == 0
    document = parse_bench(Path("out.json").read_bytes())
    assert (document.coverage.unlabelled, len(server.asked)) == (1, 1)
    assert document.questions[0].sources[0].source == "l.jsonl"
    write_logs(folder / "none.jsonl", [build_line(labels={})])
    assert bench(server, "none.jsonl") == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "out.txt"), "endings known: .json, or - for stdout"),
        (("-o", "out.json", "-o", "./out.json"), "two outputs are the same file"),
        (("-o", "labelled.jsonl.json"), "will not overwrite"),
        (("--calibration", "c.yaml"), "--calibration needs a policy"),
        (("--calibration", "c.json", "-p", "p.yaml"), 'the calibration "c.json" is no .yaml'),
        (("-p", "nosuch.yaml"), 'the policy "nosuch.yaml" cannot be read'),
        (("--input-format", "csv"), '"csv" is no input format'),
        (("--unprimed",), "--unprimed needs a model"),
        (("--resamples", "3"), "not in the range"),
    ],
)
def test_what_cannot_work_is_refused_first(
    labelled: str, folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    """Exit 2, with what is known."""
    (folder / "labelled.jsonl.json").write_text('{"somebody": "else"}')
    assert run(["bench", labelled, *arguments]) == 2
    assert words in capsys.readouterr().err


def test_quiet_says_one_line(labelled: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message alone, and nothing about where text goes while it stays here."""
    assert run(["bench", labelled, "-q"]) == 0
    assert capsys.readouterr().out == "measured: 24 of 24 labelled conversations classified\n"


def test_an_output_that_cannot_be_written_makes_it_incomplete(
    labelled: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full device is told, and the exit code is 4."""
    Path("full.json").symlink_to("/dev/full")
    assert run(["bench", labelled, "-o", "full.json"]) == 4
    assert "error[storage]" in capsys.readouterr().err


class Sure:
    """A classifier that gives probabilities."""

    info = ClassifierInfo("sure")
    cost = Cost(calls=1)

    async def classify(self, transcript: Transcript) -> Outcome:
        """Sure of the first conversation, out of time for any other."""
        if transcript.location.line == 1:
            return Classified(Observation(adverse=True), probabilities={"adverse": 0.8})
        return Unclassified(Reason.TIMEOUT)


@pytest.mark.parametrize(("line", "kept"), [(1, {"adverse": 0.8}), (2, None)])
def test_probabilities_are_kept_by_place(line: int, kept: dict[str, float] | None) -> None:
    """Only those of classified conversations; the rest is as the classifier says."""
    remembering = Remembering(Sure())
    transcript = build_transcript(line=line)
    asyncio.run(remembering.classify(transcript))
    assert remembering.probabilities.get(transcript.location) == kept
    assert (remembering.info, remembering.cost) == (Sure.info, Sure.cost)


def test_every_key_is_documented() -> None:
    """docs/bench.md names each key of the document and each question."""
    page = (ROOT / "docs" / "bench.md").read_text(encoding="utf-8")
    shared = {"ClassifierInfo", "Cost", "InputInfo", "PolicyInfo", "TaxonomyInfo"}
    own = [each for name, each in schema_of_bench()["$defs"].items() if name not in shared]
    words = {key for each in own for key in each.get("properties", {})}
    words |= {question.name for question in build_questions(load_taxonomy())}
    assert not [word for word in sorted(words) if not re.search(rf"`{word}`|{{.*{word}.*}}", page)]


def test_the_example_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """The labelled file in examples/ has only quotations that are there, and can be measured."""
    path = ROOT / "examples" / "labelled.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        values = record.get("labels", {}).get("ai_values", [])
        assert all(value["evidence"] in record["messages"][1]["content"] for value in values)
    assert run(["bench", str(path), "-q"]) == 0
    assert "measured" in capsys.readouterr().out


def test_every_flag_has_its_option() -> None:
    """The command and its options cannot drift apart."""
    assert {parameter.name for parameter in command.params} == {*BenchOptions.__struct_fields__}
