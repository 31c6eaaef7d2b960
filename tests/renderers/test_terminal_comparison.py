from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from report_factory import build_report
from rich.cells import cell_len

from valueaudit.comparison import (
    Comparison,
    DocumentInfo,
    Figure,
    FigureSide,
    PairCounts,
    Pairing,
)
from valueaudit.renderers.terminal_comparison import format_change, render_terminal_comparison

GOLDEN = Path(__file__).parent / "golden"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def build_document(path: str, **changes: Any) -> DocumentInfo:
    """One side, with the judge and the inputs of the sample report."""
    report = build_report()
    fields: dict[str, Any] = {
        "path": path,
        "sha256": "5a" * 32,
        "kind": "records",
        "tool": report.tool,
        "inputs": report.inputs,
        "classifier": report.classifier,
        "taxonomy": report.taxonomy,
        "policy": report.policy,
        "conversations": 1015,
        "unclassified": 0,
        "bad_records": 0,
        "duplicate_ids": 0,
        "ended_early": None,
    }
    return DocumentInfo(**{**fields, **changes})


def build_figure(name: str, base: int, new: int, bounds: tuple[float, float], **changes: Any) -> Figure:
    """A figure of a thousand conversations on each side."""
    unknown = changes.pop("unknown", 0)
    fields: dict[str, Any] = {
        "kind": "prohibited",
        "name": name,
        "role": "deciding",
        "worse": "increase",
        "statement": f"The assistant shows {name} in at most 2% of conversations",
        "base": FigureSide(base, 1000, 0, base / 1000),
        "new": FigureSide(new, 1000, unknown, new / 1000),
        "difference": (new - base) / 1000,
        "lower": bounds[0],
        "upper": bounds[1],
        "method": "paired",
        "pairs": PairCounts(1000, new, base, unknown),
        "p_value": 0.01,
        "p_adjusted": 0.04,
        "verdict": "no_worse",
        "reasons": (),
        "message": f"{base} of 1,000 in BASE, {new} of 1,000 in NEW",
    }
    return Figure(**{**fields, **changes})


def build_figures() -> tuple[Figure, ...]:
    """One of each verdict, and some that decide nothing."""
    exploratory: dict[str, Any] = {"kind": "values", "role": "exploratory", "worse": None, "verdict": "none"}
    return (
        build_figure("clear", 640, 655, (-0.01, 0.04), kind="intended", worse="decrease"),
        build_figure("no-deception", 2, 41, (0.0271, 0.0522), verdict="regression"),
        build_figure("no-pressure", 4, 9, (-0.002, 0.0312), verdict="inconclusive", unknown=15),
        build_figure("new-rule", 0, 0, (-1.0, 1.0), verdict="none", reasons=('BASE was not asked about "flattery"',)),
        build_figure("changed", 0, 0, (-1.0, 1.0), verdict="not_comparable", reasons=('"x" was asked differently',)),
        build_figure("warns", 1, 2, (-0.01, 0.01), role="warning"),
        build_figure("mild_support", 145, 120, (-0.05, 0.001), **{**exploratory, "kind": "response_types"}),
        *(build_figure(f"value {n}", 50 + n, 50, (-0.02, 0.02), **exploratory) for n in range(12)),
        build_figure("[red]x\x1b[31m", 1, 1, (-0.01, 0.01), **exploratory),
    )


def build_comparison(**changes: Any) -> Comparison:
    """A comparison with a regression."""
    report = build_report()
    fields: dict[str, Any] = {
        "tool": report.tool,
        "run": report.run,
        "base": build_document("baselines/v4.records.jsonl"),
        "new": build_document("new.records.jsonl", unclassified=12, bad_records=3),
        "policy": report.policy,
        "margin": 0.02,
        "confidence": 0.95,
        "pairing": Pairing(
            method="paired",
            pairs=1010,
            alone_base=5,
            alone_new=8,
            reason="conversations are compared with themselves by id",
        ),
        "reasons": (),
        "notes": ("the judge was called with other parameters: temperature",),
        "figures": build_figures(),
        "verdict": "regression",
        "message": "worse by more than 2pp: no-deception (1 of 5 deciding figures)",
        "exit_code": 1,
    }
    return Comparison(**{**fields, **changes})


def render(comparison: Comparison, width: int = 80, **options: bool) -> str:
    """The comparison without colour unless asked."""
    return render_terminal_comparison(comparison, **{"width": width, "color": False, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [80, 120])
def test_comparison_is_the_golden_text(width: int) -> None:
    """The whole comparison reads as agreed, at both usual widths."""
    assert render(build_comparison(), width) == (GOLDEN / f"comparison.{width}.txt").read_text("utf-8")


@pytest.mark.parametrize("width", [1, 40, 57, 80, 120])
@pytest.mark.parametrize("options", [{}, {"color": True}, {"verbose": True}, {"ascii_only": True}])
def test_no_line_is_wider_than_asked(width: int, options: dict[str, bool]) -> None:
    """From forty cells on every line fits."""
    text = _ANSI.sub("", render(build_comparison(), width, **options))
    assert max(map(cell_len, text.split("\n"))) <= max(width, 40)


def test_ascii_is_ascii() -> None:
    """For encodings that hold no more."""
    assert render(build_comparison(), ascii_only=True).isascii()


def test_colour_changes_no_word() -> None:
    """What colour says, words say too, and foreign text brings no escapes of its own."""
    text = render(build_comparison(), 120, color=True, verbose=True)
    assert _ANSI.sub("", text) == render(build_comparison(), 120, verbose=True)
    assert "[red]x\\x1b[31m" in text


def test_verbose_shows_every_figure_with_its_sentence() -> None:
    """The long form leaves nothing out."""
    text = render(build_comparison(), 120, verbose=True)
    assert all(f"value {n}" in text for n in range(12))
    assert "655 of 1,000 in NEW" in text
    assert "in at most 2% of conversations" in text


def test_obstacles_are_listed_before_the_verdict() -> None:
    """Without figures there are reasons, and what can be done."""
    reason = 'another judge: "a" in BASE, "b" in NEW'
    comparison = build_comparison(
        reasons=(reason,),
        figures=(),
        notes=(),
        policy=None,
        verdict="not_comparable",
        message=f"not comparable: {reason}",
        exit_code=4,
        pairing=Pairing(method="unpaired", pairs=0, alone_base=0, alone_new=0, reason="a report does not say"),
    )
    text = render(comparison, 120)
    assert f"- {reason}" in text
    assert "--force shows the figures without a verdict" in text
    assert "Other changes" not in text


def test_a_few_other_changes_are_all_shown() -> None:
    """The heading then promises no more."""
    figures = build_figures()[6:9]
    assert "── Other changes ─" in render(build_comparison(figures=figures))


def test_a_figure_without_conversations_has_no_rate() -> None:
    """Not zero: unknown."""
    assert format_change(None) == "n/a"
    empty = FigureSide(0, 0, 0, None)
    figure = replace(build_figures()[0], base=empty, new=empty, difference=None)
    assert "n/a" in render(build_comparison(figures=(figure,)))
