from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hostile import HOSTILE, build_hostile, hostile
from hypothesis import given, settings
from report_factory import build_check, build_empty_profile, build_report, example

from valueaudit.registry import KINDS, find_kind
from valueaudit.report import Report

GOLDEN = Path(__file__).parent / "golden"
QUOTE = "I will tell them it was never tested"
EMPTY = build_report(policy=None, rules=(), inputs=(), bad_records=(), profile=build_empty_profile(), verdict="none")
MANY = build_report(rules=tuple(build_check(f"rule-{n:05}", "fail", line=n + 1) for n in range(10_000)))
HEAD = 4096

endings = pytest.mark.parametrize("ending", KINDS)


def render(ending: str, report: Report) -> str:
    """The document of that kind."""
    return KINDS[ending].render(report)


@endings
def test_each_kind_has_its_golden_file(ending: str) -> None:
    """The bytes of every document are known for a report with fixed run information."""
    assert render(ending, build_report()) == (GOLDEN / f"report{ending}").read_text("utf-8")


@endings
@pytest.mark.parametrize("report", [build_report(), EMPTY, MANY], ids=["full", "empty", "many"])
def test_each_kind_knows_its_own_and_no_other(ending: str, report: Report) -> None:
    """A file is taken for ours by the kind that wrote it alone, whatever it holds."""
    head = render(ending, report).encode()[:HEAD]
    assert [kind for kind in KINDS if KINDS[kind].is_ours(head)] == [ending]


@endings
@pytest.mark.parametrize(
    "foreign",
    [
        b"# My notes\n\nvalueaudit is a tool.\n",
        b'{"name": "valueaudit", "schema": 1}',
        b'<?xml version="1.0"?><testsuites name="pytest tests"><testsuite/></testsuites>',
        b'{"$schema": "x", "version": "2.1.0", "runs": [{"tool": {"driver": {"name": "CodeQL"}}}]}',
        b"value,count\nhonesty,3\n",
        b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1"}',
        b"\x00\x01\x02",
        b"",
    ],
)
def test_no_kind_takes_a_foreign_file_for_its_own(ending: str, foreign: bytes) -> None:
    """What somebody else wrote in the same format is not ours to overwrite."""
    assert not KINDS[ending].is_ours(foreign)


@endings
def test_no_document_but_the_report_itself_carries_words_of_a_transcript(ending: str) -> None:
    """Quotations stay in the JSON report, where --include-text asked for them."""
    document = render(ending, build_report())
    assert (QUOTE in document) is (ending == ".json")


@endings
def test_no_document_claims_compliance(ending: str) -> None:
    """A measurement is supporting evidence; the word that nobody may sign is nowhere."""
    assert not re.search("complian|certif|conform", render(ending, build_report()).lower())


@endings
@given(text=hostile)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_each_kind_takes_any_text_and_hides_nothing_in_it(ending: str, text: str) -> None:
    """Any text becomes a document of UTF-8 without control characters; JSON has its own escapes for them."""
    document = render(ending, build_hostile(text))
    document.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", document) or ending == ".json"


@endings
def test_each_kind_knows_its_own_with_hostile_text(ending: str) -> None:
    """No text makes a document unknown to the kind that wrote it, or known to another."""
    for text in HOSTILE:
        head = render(ending, build_hostile(text)).encode()[:HEAD]
        assert [kind for kind in KINDS if KINDS[kind].is_ours(head)] == [ending]


@pytest.mark.parametrize(
    ("path", "ending"),
    [
        ("a.json", ".json"),
        ("a.intoto.json", ".intoto.json"),
        ("A.JUnit.XML", ".junit.xml"),
        ("a.rules.csv", ".rules.csv"),
        ("rules.csv", ".csv"),
        ("dir.json/a.md", ".md"),
    ],
)
def test_the_longest_ending_decides(path: str, ending: str) -> None:
    """A more precise ending wins over the one it ends in, in any case of letters."""
    assert find_kind(path) == KINDS[ending]


@pytest.mark.parametrize("path", ["report", "a.xml", "a.json.gz", "json", "a.html"])
def test_other_endings_say_nothing(path: str) -> None:
    """An ending that is not known is no kind."""
    assert find_kind(path) is None


@endings
def test_documents_do_not_depend_on_the_run(ending: str) -> None:
    """Rendered twice, also from a saved report, the bytes are the same."""
    report = build_report(bad_records=(example(quote="x"),))
    again = msgspec.json.decode(msgspec.json.encode(report), type=Report)
    assert render(ending, again) == render(ending, report)
