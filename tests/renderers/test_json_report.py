from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from report_factory import build_empty_profile, build_report, example

from valueaudit.renderers.json_report import parse_report, render_json
from valueaudit.report import Report, schema_of_report

GOLDEN = Path(__file__).parent / "golden"


def test_json_is_the_golden_file() -> None:
    """The bytes of a report with fixed run information are known."""
    assert render_json(build_report()) == (GOLDEN / "report.json").read_text("utf-8")


def test_json_keys_come_in_the_order_of_the_schema() -> None:
    """A reader finds the sections where the documentation has them."""
    text = render_json(build_report())
    assert list(json.loads(text)) == [field.name for field in msgspec.structs.fields(Report)]
    assert text.endswith("}\n")


@pytest.mark.parametrize("report", [build_report(), build_report(policy=None, rules=(), profile=build_empty_profile())])
def test_json_satisfies_the_published_schema(report: Report) -> None:
    """A validator that is not ours accepts the document."""
    schema = schema_of_report()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(render_json(report)))


@given(st.text())
@settings(max_examples=25)
def test_json_comes_back_as_the_same_report(text: str) -> None:
    """Nothing is lost on the way to the file and back, whatever the ids say."""
    report = build_report(message=text, bad_records=(example(text, quote=text),))
    assert parse_report(render_json(report)) == report
    assert parse_report(render_json(report).encode()) == report


def test_parse_refuses_what_is_no_report() -> None:
    """A document of another kind is refused with the place of the first problem."""
    with pytest.raises(msgspec.ValidationError, match="tool"):
        parse_report("{}")
