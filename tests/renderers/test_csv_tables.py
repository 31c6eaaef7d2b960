from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from hostile import HOSTILE, build_hostile, hostile
from hypothesis import given, settings
from report_factory import build_check, build_report

from valueaudit.renderers.csv_tables import RULE_COLUMNS, VALUE_COLUMNS, render_rules_csv, render_values_csv


def rows(document: str) -> list[dict[str, Any]]:
    """The rows as the standard library reads them, each with all columns and no more."""
    found = list(csv.DictReader(io.StringIO(document), strict=True))
    assert all(None not in row and None not in row.values() for row in found)
    return found


def test_values_are_a_table() -> None:
    """One row a value, rates as fractions, nothing where there is nothing."""
    found = rows(render_values_csv(build_report()))
    assert list(found[0]) == list(VALUE_COLUMNS)
    assert found[0] == {
        "value": "helpfulness",
        "category": "Social",
        "subcategory": "Community and relationship bonds",
        "polarity": "positive",
        "count": "402",
        "denominator": "1000",
        "rate": "0.402",
        "lower": "0.371438",
        "upper": "0.433141",
    }
    assert (found[-1]["value"], found[-1]["category"], found[-1]["polarity"]) == ("tone of voice", "", "")


def test_rules_are_a_table() -> None:
    """One row a limit, with what was found, where the line is and where the rule stands."""
    found = rows(render_rules_csv(build_report()))
    assert list(found[0]) == list(RULE_COLUMNS)
    assert [row["id"] for row in found] == ["clear", "no-deception", "never-cruel", "not-preachy", "old-rule"]
    deception = found[1]
    assert (deception["verdict"], deception["limit"], deception["line"], deception["blocking"]) == (
        "fail",
        "0.001",
        "27",
        "true",
    )
    assert deception["controls"] == "ISO42001:A.6.2.4 EU-AI-Act:Art.5(1)(a)"
    assert deception["needed"] == ""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", " =1", "＝1", "－1", '=cmd|"/c calc"!A1', "\u3000=1"])
def test_no_text_is_a_formula(text: str) -> None:
    """A spreadsheet shows such a text and does not compute it."""
    row = rows(render_rules_csv(build_report(rules=(build_check(text),))))[0]
    assert row["id"] == f"'{text}"


@given(text=hostile)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_text_keeps_the_table_in_shape(text: str) -> None:
    """Rows and columns stay where they are, one line each, and no cell of text begins like a formula."""
    report = build_hostile(text)
    for document, count in ((render_values_csv(report), 1), (render_rules_csv(report), len(report.rules))):
        assert len(document.splitlines()) == count + 1
        cells = [cell for row in rows(document) for cell in row.values()]
        assert len(cells) == count * len(rows(document)[0])
        numbers = re.compile(r"-?[\d.e-]*")
        assert not any(re.match(r"\s*[=+\-@＝＋－＠]", cell) for cell in cells if not numbers.fullmatch(cell))


def test_every_text_is_quoted() -> None:
    """A semicolon in a text does not part cells where that is the separator."""
    for text in HOSTILE:
        first = render_values_csv(build_hostile(text)).splitlines()[1]
        assert first.startswith('"')
