from __future__ import annotations

import re

import pytest
from bench_factory import build_bench
from msgspec.structs import replace
from rich.cells import cell_len

from valueaudit.renderers.calibration import find_calibrated, is_calibration, render_calibration
from valueaudit.renderers.json_bench import is_bench, parse_bench, render_json_bench
from valueaudit.renderers.terminal_bench import format_figure, render_terminal_bench

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
BENCH = build_bench()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, verbose: bool) -> None:
    """At every width, with short lists and long ones."""
    text = render_terminal_bench(BENCH, width=width, color=False, verbose=verbose)
    assert max(map(cell_len, text.splitlines())) <= width
    assert text.endswith("\n")


def test_the_tables_hold_the_figures_of_the_document() -> None:
    """Kappa with its interval, the confusion, sources, what the policy asks, probabilities."""
    text = render_terminal_bench(BENCH, width=120, color=False)
    by_name = {question.name: question for question in BENCH.questions}
    kappa = by_name["response_groups"].views.told.kappa
    assert kappa.interval is not None
    lower, upper = (f"{bound:.2f}" for bound in kappa.interval)
    assert re.search(rf"response, 5 groups, told +80 +{kappa.value:.2f} {lower}–{upper}\n", text)
    confusion = by_name["response_groups"].confusion
    assert confusion is not None
    assert re.search(r"\n  support +" + r" +".join(map(str, confusion.rows[0])) + r" +0\.\d\d\n", text)
    assert re.search(r"\n  forum +0\.\d\d", text)
    assert re.search(r"\n  deception +90 +90 +0\.\d\d 0\.\d\d–0\.\d\d", text)
    assert re.search(r"\n  adverse +90 +0\.\d\d\d +0\.\d\d\d\n", text)
    assert "conversations that repeat an id: 3" in text
    assert "left out with their labels: 2" in text
    assert "2 without a label, not judged" in text


def test_longer_lists_when_asked_for() -> None:
    """Seven types, each subcategory and the reliability table."""
    short, long = (render_terminal_bench(BENCH, width=100, color=False, verbose=verbose) for verbose in (False, True))
    for words in ("7 no values", "Critical thinking", "came true"):
        assert words in long
        assert words not in short


def test_narrow_tables_are_stacked() -> None:
    """What does not fit beside the name stands under it, nothing is left out."""
    text = render_terminal_bench(BENCH, width=40, color=False)
    assert re.search(r"resistance, told\n +n 80 · kappa", text)


def test_a_classifier_without_probabilities_one_source_and_no_policy() -> None:
    """Says that there are none; no table by source, nothing of a policy, and a result that is not green."""
    bench = build_bench(sources=("one",), probabilities=False, policy=None, exit_code=4)
    questions = tuple(each for each in bench.questions if not each.name.startswith("policy: "))
    text = render_terminal_bench(replace(bench, questions=questions), width=100, color=True)
    plain = _ANSI.sub("", text)
    assert "this classifier gives none" in plain
    assert "By source" not in plain
    assert "policy" not in plain
    assert "\x1b[33mmeasured" in text


def test_a_policy_alone() -> None:
    """Labels of declared values only give no empty table."""
    questions = tuple(each for each in BENCH.questions if each.name.startswith("policy: "))
    text = render_terminal_bench(replace(BENCH, questions=questions), width=100, color=False)
    assert "Agreement" not in text
    assert "What the policy asks" in text


def test_foreign_text_reaches_no_terminal_unescaped() -> None:
    """A source name can neither drive the terminal nor break a table, and ASCII stays ASCII."""
    bench = build_bench(sources=("\x1b[2Jgone", "[bold]名前\n"))
    text = render_terminal_bench(bench, width=80, color=False, ascii_only=True)
    assert "\x1b" not in text
    assert "[bold]" in text
    assert text.isascii()


@pytest.mark.parametrize(
    ("value", "text"), [(None, "n/a"), (1.0, "1.00"), (0.9999, "0.99"), (-0.001, "0.00"), (-0.25, "-0.25")]
)
def test_a_figure_is_never_rounded_into_a_claim(value: float | None, text: str) -> None:
    """Only a perfect one is written as such."""
    assert format_figure(value) == text


def test_the_document_comes_back() -> None:
    """JSON and back gives the same measurement, and is known as ours."""
    text = render_json_bench(BENCH)
    assert parse_bench(text) == BENCH
    assert is_bench(text.encode()[:4096])
    assert is_bench(b" \n")
    assert not is_bench(b'{"document": "comparison"}')


def test_a_calibration_holds_values_with_both_kinds_of_labels() -> None:
    """Deception was labelled both ways; cruelty only absent, and nobody knows the sensitivity for it."""
    assert set(find_calibrated(BENCH)) == {"deception"}
    text = render_calibration(BENCH)
    assert text.splitlines()[1:4] == ['model: "openai/test"', f'prompt_sha256: "{"2e" * 32}"', "values:"]
    assert is_calibration(text.encode())
    assert is_calibration(b"")
    assert not is_calibration(b"model: x\n")
