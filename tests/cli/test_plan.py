from __future__ import annotations

import re
from pathlib import Path

import pytest

from loopback import JudgeServer
from samples import build_line, write_logs
from valueaudit.cli.main import run

POLICY = """version: 1
policy: planned
contexts: {refunds: {metadata.topic: refunds}, english: {language: en}}
intended: [{id: clear, value: clarity, at_least: 60%, in: english}]
prohibited:
  - {id: honest, value: [deception, manipulation], at_most: 1%, in: refunds}
  - {id: kind, value: cruelty, never: true, assure: 1%}
  - {id: open, value: bias, never: true}
"""


@pytest.fixture
def planned(folder: Path) -> Path:
    """A policy and a log of five conversations, two about refunds, one without an answer, and a bad line."""
    Path("valueaudit.policy.yaml").write_text(POLICY)
    lines = [build_line(id=f"c-{n}", topic="refunds" if n < 2 else "other") for n in range(4)]
    write_logs(folder / "logs.jsonl", [*lines, build_line("hello?", id="c-4"), "no JSON"])
    return folder


def rows(text: str) -> dict[str, str]:
    """The row of each check, spaces folded."""
    found = [" ".join(line.split()) for line in text.splitlines() if line.startswith("  ")]
    return {row.split()[0]: row for row in found}


def test_a_plan_says_what_each_rule_needs(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every check with its limit, the rate it is planned for, the verdict that rate deserves, and the sample."""
    assert run(["plan"]) == 0
    told = capsys.readouterr().out
    assert rows(told)["clear"] == "clear at least 60% 80% pass 39"
    assert rows(told)["honest"] == "honest at most 1% 0.5% pass 2,185"
    assert rows(told)["kind"] == "kind never, assure 1% 0% pass 299"
    assert rows(told)["open"] == "open never 0% pass none"
    assert 'open: no number of conversations, without "assure" the rule cannot pass' in told
    assert "the most is 2,185, for honest (all conversations in refunds)" in told


def test_rates_and_power_are_taken(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rate of zero needs the fewest, more power and unjudged conversations need more."""
    assert run(["plan", "--rate", "honest = 0%", "--rate", "kind=5%", "--power", "95%"]) == 0
    told = capsys.readouterr().out
    assert rows(told)["honest"].endswith("0% pass 299")
    assert rows(told)["kind"].endswith("5% fail 59")
    assert run(["plan", "--rate", "honest=0%", "--unclassified", "0.2%"]) == 0
    assert not rows(capsys.readouterr().out)["honest"].endswith("pass 299")


def test_logs_say_what_is_there(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each check with the conversations inside its context; where the judge decides who belongs, at most so many."""
    assert run(["plan", "logs.jsonl", "--rate", "clear=100%", "--power", "1%", "--rate", "honest=0%"]) == 0
    told = capsys.readouterr().out
    assert rows(told)["honest"].endswith("pass 299 2, 297 too few")
    assert rows(told)["clear"].endswith("pass 6 up to 5, 1 too few")
    assert "the logs: 1 file, 5 conversations, 1 of them without an answer to judge, 1 bad record" in told


def test_a_model_is_priced_and_not_asked(
    planned: Path, capsys: pytest.CaptureFixture[str], server: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls, tokens and price come from the requests themselves and litellm's own list; nothing is sent."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.base)
    assert run(["plan", "logs.jsonl", "-m", "openai/gpt-4o-mini", "--rate", "honest=50%"]) == 0
    told = capsys.readouterr().out
    assert "openai/gpt-4o-mini: 4 calls and about 2 confirming ones" in told
    assert re.search(r"\nprice: (about|less than) \$0\.\d\d; \$0\.\d\d if every reply were 4,096 tokens long", told)
    assert server.asked == []


def test_a_model_without_a_price_is_named(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown is not free."""
    assert run(["plan", "logs.jsonl", "-m", "openai/a-model-of-our-own"]) == 0
    assert "the price of openai/a-model-of-our-own is not known" in capsys.readouterr().out


@pytest.mark.parametrize("model", ["embedded", "encoder"])
def test_what_judges_here_has_no_price(model: str, planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It costs nothing, and the refusal says so."""
    assert run(["plan", "logs.jsonl", "-m", model]) == 2
    assert f'"{model}" costs nothing' in capsys.readouterr().err


def test_an_empty_log_is_priced_at_nothing(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No conversation, no call."""
    Path("empty.jsonl").write_text("")
    assert run(["plan", "empty.jsonl", "-m", "openai/gpt-4o-mini"]) == 0
    told = capsys.readouterr().out
    assert "openai/gpt-4o-mini: 0 calls" in told
    assert "price: about $0.00" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-m", "openai/gpt-4o-mini"), "--model needs logs to price"),
        (("logs.jsonl", "-m", "nonsense"), "error[model]"),
        (("missing.jsonl",), "error[input]"),
        (("--rate", "honest"), '"honest" is no rate'),
        (("--rate", "honst=1%"), 'the policy has no rule "honst", did you mean "honest"'),
        (("--rate", "honest=1"), "is a bare number"),
        (("--power", "100%"), '--power is "100%"'),
        (("--power", "0%"), '--power is "0%"'),
        (("--power", "80"), "is a bare number"),
        (("--unclassified", "100%"), '--unclassified is "100%"'),
        (("-p", "missing.yaml"), "cannot be read"),
    ],
)
def test_what_cannot_be_planned_is_refused(
    planned: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """Wrong usage has exit code 2 and says what is wrong."""
    assert run(["plan", *arguments]) == 2
    assert said in capsys.readouterr().err
