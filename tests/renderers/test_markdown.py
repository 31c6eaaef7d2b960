from __future__ import annotations

import re
from html.parser import HTMLParser

import cmarkgfm
import msgspec
from cmarkgfm.cmark import Options
from hostile import HOSTILE, build_hostile, hostile
from hypothesis import given, settings
from report_factory import build_check, build_empty_profile, build_report, named

from valueaudit.record import ClassifierInfo, Coverage
from valueaudit.renderers.markdown import CUT, LIMIT, render_markdown
from valueaudit.renderers.markdown_text import NOTHING, code, sentence
from valueaudit.renderers.visible import visible
from valueaudit.report import RunInfo, WaiverInfo

INLINE = frozenset({"code", "p", "strong", "em"})


class Page(HTMLParser):
    """The tags of a page without what is only inside a line, its links apart, and its text."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Notes a tag."""
        del attributes
        if tag not in INLINE:
            self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        """Notes text."""
        self.text += data


PLAIN = Page(render_markdown(build_hostile("plain"))).tags


@given(text=hostile)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_no_text_becomes_markup(text: str) -> None:
    """To GitHub's own Markdown a page has the same tables, lists and headings, and no link, whatever its texts say."""
    assert Page(render_markdown(build_hostile(text))).tags == PLAIN


def test_no_known_trick_becomes_markup() -> None:
    """The tricks by name, one by one."""
    for text in HOSTILE:
        assert Page(render_markdown(build_hostile(text))).tags == PLAIN, text


@given(text=hostile)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_code_shows_the_text_as_it_is(text: str) -> None:
    """A code span reads as the text, with what is invisible made visible."""
    shown = code(text)
    assert (shown == NOTHING) is not bool(visible(text).strip())
    if shown != NOTHING:
        assert Page(f"x {shown} y").text == f"x {visible(text)} y\n"


def test_a_pipe_in_a_cell_is_a_pipe() -> None:
    """A cell holds a pipe without ending at it, also behind backslashes."""
    for text, shown in (("a|b", "a|b"), ("||", "||"), ("`|`", "`|`"), (r"a\|b", r"a\\|b")):
        page = Page(f"| h |\n|---|\n| {code(text, cell=True)} |\n")
        assert page.tags.count("td") == 1
        assert shown in page.text


def test_words_stay_words() -> None:
    """A sentence of ours needs no code spans, so that the page reads as text."""
    told = '2 of 20 conversations (10%), at least 20% intended; the user\'s words: honest-limits:violated, "x" and 1.5'
    assert sentence(told) == told
    assert Page(sentence("snake_case and __init__")).text == "snake_case and __init__\n"


def test_the_page_has_verdict_rules_and_places() -> None:
    """What decides stands first; where to look stands with each rule that does not pass."""
    page = render_markdown(build_report())
    order = (
        "**FAIL** (exit code 1)",
        "### Rules",
        "❌ fail | `no-deception`",
        "look at: `chat-0017`",
        "### Adverse",
        "### Values",
    )
    places = [page.index(part) for part in order]
    assert places == sorted(places)
    assert "why: A sale that rests on a false belief" in page
    assert "❔ inconclusive (does not block) | `not-preachy`" in page
    assert "| ➖ off | `old-rule` | medium | – | – |" in page


def test_a_page_without_policy_and_without_anything() -> None:
    """What was not assessed is said to be, and a missing policy leaves no empty table."""
    page = render_markdown(build_report(policy=None, rules=(), profile=build_empty_profile(), verdict="none"))
    assert "NO VERDICT" in page
    assert "Not assessed." in page
    assert "### Rules" not in page
    assert "### Values" not in page


def test_an_audit_that_ended_early_says_so_beside_a_violation() -> None:
    """A proven violation does not hide that the audit is not complete."""
    report = build_report()
    ended = build_report(run=RunInfo("x", "x", "x", ended_early="the time limit is reached"))
    assert "**The audit is not complete:** the audit ended early: the time limit is reached" in render_markdown(ended)
    assert "not complete" not in render_markdown(report)


def test_a_huge_report_fits_a_job_summary() -> None:
    """Ten thousand violated rules are cut at a line below one mebibyte, with a note; the verdict is still there."""
    rules = tuple(build_check(f"rule-{n:05}", "fail", statement="x" * 80, message="é" * 200) for n in range(10_000))
    page = render_markdown(build_report(rules=rules))
    assert LIMIT - 2000 < len(page.encode()) <= LIMIT < 1024 * 1024
    assert page.endswith(f"\n\n{CUT}\n")
    assert "**FAIL**" in page
    assert page.encode().decode() == page


def test_many_passing_rules_are_counted_not_listed() -> None:
    """Rules that pass do not bury those that do not."""
    page = render_markdown(build_report(rules=tuple(build_check(f"rule-{n}") for n in range(200))))
    assert "And 150 more that pass or are off." in page


def test_a_page_keeps_within_any_limit() -> None:
    """Every limit is kept, and a cut page is whole lines of the full one."""
    full = render_markdown(build_report())
    lines = set(full.splitlines())
    for limit in (-5, 0, 20, 150, 1000, 3000, len(full.encode()) - 1, len(full.encode())):
        page = render_markdown(build_report(), limit)
        assert len(page.encode()) <= max(limit, 0)
        assert set(page.splitlines()) <= lines | {CUT, ""}


def test_more_places_and_records_are_counted() -> None:
    """Lists that go on say by how much."""
    report = build_report()
    deception = report.rules[1]
    rule = build_check("many", "fail", count=90, evidence=deception.evidence * 3)
    page = render_markdown(build_report(rules=(rule,), bad_records=report.bad_records[:1]))
    assert re.search(r"look at: .*; and 87 more", page)
    assert "- and 2 more" in page


def test_a_screening_is_called_one() -> None:
    """The page of a screening does not let it pass for a judgement."""
    judge = ClassifierInfo("embedded", assessed="screening")
    nothing = Coverage(0, 0, 0, 0, 0, 0, 0, {})
    report = build_report(classifier=judge, policy=None, bad_records=(), coverage=nothing)
    page = render_markdown(report)
    assert "a screening, not a judgement" in page
    assert "5 of 1,000 conversations flagged. No rate" in page
    assert "| value | count | look at |" in page
    assert "| classified | 0 of 0;" in page


def test_no_adverse_value_is_no_proof_of_none() -> None:
    """Where none was seen the page says how many there may still be."""
    none = msgspec.structs.replace(build_report().profile, adverse=(), adverse_conversations=named("any", 0, 1000))
    assert "None seen in 1,000 conversations; that many cannot rule out a rate of up to 0.37%" in render_markdown(
        build_report(profile=none)
    )


def test_waivers_are_told() -> None:
    """What was waived does not look earned, and what expired is told above the rules, escaped."""
    waiver = WaiverInfo("GOV-812", "J. Ruiz", "2027-01-31", 0.05, (), "in force")
    page = render_markdown(
        build_report(rules=(build_check(waiver=waiver, waivers=(waiver,)),), warnings=("*it* expired",))
    )
    assert "pass (under a waiver)" in page
    assert "**Warning:** " in page
    assert "*it* expired" not in page
