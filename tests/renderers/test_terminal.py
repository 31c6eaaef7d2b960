from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_factory import (
    adverse_share,
    build_check,
    build_checks,
    build_empty_profile,
    build_profile_of,
    build_report,
    example,
    named,
    value_share,
)
from rich.cells import cell_len

from valueaudit.record import ClassifierInfo, Cost, Coverage, InputInfo, PolicyInfo
from valueaudit.renderers.terminal import render_terminal
from valueaudit.report import Report, RunInfo, WaiverInfo

GOLDEN = Path(__file__).parent / "golden"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_NO_COVERAGE = Coverage(0, 0, 0, 0, 0, 0, 0, {})
_EMBEDDED = ClassifierInfo("embedded", assessed="screening")


def render(report: Report, width: int = 80, **options: bool) -> str:
    """The report without colour unless asked."""
    return render_terminal(report, **{"width": width, "color": False, **options})  # type: ignore[arg-type]


def section(text: str, title: str) -> str:
    """The lines under one heading."""
    return text.partition(f" {title} ")[2].partition("\n── ")[0].partition("\n")[2]


def with_coverage(**changes: object) -> Report:
    """A report with other coverage."""
    return build_report(coverage=msgspec.structs.replace(build_report().coverage, **changes))


def widest(text: str) -> int:
    """Cells of the longest line, ANSI sequences left out."""
    return max(cell_len(_ANSI.sub("", line)) for line in text.split("\n"))


@pytest.mark.parametrize("width", [80, 120])
def test_report_is_the_golden_text(width: int) -> None:
    """The whole report reads as agreed, at both usual widths."""
    assert render(build_report(), width) == (GOLDEN / f"report.{width}.txt").read_text("utf-8")


def test_verbose_report_in_ascii_is_the_golden_text() -> None:
    """The long form reads as agreed where the encoding holds no more than ASCII."""
    text = render(build_report(), 80, verbose=True, ascii_only=True)
    assert text == (GOLDEN / "report.verbose.txt").read_text("utf-8")
    assert text.isascii()


def test_empty_report_is_the_golden_text() -> None:
    """A run that found nothing says so, and says of every field that it was not assessed."""
    report = build_report(
        inputs=(InputInfo("-", "0a" * 32, "openai", 0, 0),),
        classifier=_EMBEDDED,
        policy=None,
        coverage=_NO_COVERAGE,
        bad_records=(),
        profile=build_empty_profile(),
        rules=(),
        verdict="incomplete",
        message="no conversation was found",
        exit_code=4,
        cost=Cost(),
    )
    assert render(report) == (GOLDEN / "empty.80.txt").read_text("utf-8")


@pytest.mark.parametrize("width", [1, 40, 57, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("options", [{}, {"color": True}, {"verbose": True}, {"ascii_only": True}])
def test_no_line_is_wider_than_asked(width: int, options: dict[str, bool]) -> None:
    """From forty cells on every line fits, with colour, in ASCII and in the long form."""
    assert widest(render(build_report(), width, **options)) <= max(width, 40)


def test_colour_changes_no_word() -> None:
    """What colour says, words say too."""
    assert _ANSI.sub("", render(build_report(), color=True)) == render(build_report())


@pytest.mark.parametrize(
    ("verdict", "code"), [("pass", "32"), ("fail", "31"), ("inconclusive", "33"), ("incomplete", "33"), ("none", "1")]
)
def test_verdict_is_a_word_in_its_colour_with_its_exit_code(verdict: str, code: str) -> None:
    """The verdict is one sentence; without a message it still says why."""
    report = build_report(verdict=verdict, message="", exit_code=9)
    word = "NO VERDICT" if verdict == "none" else verdict.upper()
    line = next(line for line in render(report, color=True).split("\n") if "exit code" in line)
    assert re.search(rf"\x1b\[[0-9;]*{code}m{word}", line)
    assert re.search(rf"{word}: \w.* \(exit code 9\)", _ANSI.sub("", line))


def test_embedded_classifier_is_called_a_screening_that_sends_nothing() -> None:
    """A release manager sees that no model judged and that no text left the machine."""
    text = render(build_report(classifier=_EMBEDDED, cost=Cost()))
    assert "embedded classifier: a screening, not a judgement" in text
    assert "text sent    nowhere" in text
    assert "no calls, nothing left this machine" in text


def test_embedded_classifier_with_another_name_keeps_it() -> None:
    """Two kinds of screening are told apart."""
    assert 'embedded classifier "embedded-2": a screening' in render(
        build_report(classifier=ClassifierInfo("embedded-2", assessed="screening"))
    )


@pytest.mark.parametrize(
    ("judge", "told"),
    [
        (ClassifierInfo("m", "m", provider="acme"), "to acme, at its own address"),
        (
            ClassifierInfo("m", endpoint="http://127.0.0.1:1"),
            "to a provider that is not recorded at http://127.0.0.1:1",
        ),
    ],
)
def test_where_text_went_is_said_as_far_as_it_is_known(judge: ClassifierInfo, told: str) -> None:
    """Provider and endpoint are named; what was not recorded is not made up."""
    text = render(build_report(classifier=judge))
    assert told in text
    assert "answered as" not in text
    assert "prompt  " not in text


def test_many_inputs_are_counted_and_the_first_named() -> None:
    """A folder of files does not push the findings off the screen; the long form names every file."""
    inputs = tuple(InputInfo(f"logs/{n}.jsonl", "1f" * 32, "openai", 10, 0) for n in range(50))
    report = build_report(inputs=inputs)
    assert "50 files · 500 conversations · openai" in render(report)
    assert "and 47 more files" in render(report)
    assert "logs/49.jsonl" not in render(report)
    assert "logs/49.jsonl" in render(report, verbose=True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"unclassified": 0, "bad_records": 0}, None),
        ({"unclassified": 20, "bad_records": 0}, "note: 20 of 1,015 records (2.0%) could not be looked at"),
        ({"unclassified": 200}, "POOR COVERAGE: 203 of 1,018 records (19.9%) could not be looked at; the"),
        ({"classified": 0, "unclassified": 1015}, "NOTHING CLASSIFIED: all 1,018 are unknown"),
        ({"sampled": 0, "bad_records": 0, "classified": 0}, "NOTHING FOUND"),
    ],
)
def test_poor_coverage_is_loud(changes: dict[str, int], told: str | None) -> None:
    """The more could not be looked at, the louder the report."""
    lines = section(render(with_coverage(**changes)), "Coverage").split("\n")
    assert lines[0].strip().startswith(told or "found")


def test_early_end_is_loud() -> None:
    """A run that stopped half way never looks like one that saw everything."""
    run = RunInfo("valueaudit scan", "2026-01-02T03:04:05Z", "2026-01-02T03:14:05Z", ended_early="budget reached")
    assert "ENDED EARLY: budget reached" in render(build_report(run=run))


def test_sample_and_bad_records_are_counted() -> None:
    """Sampling is named, and so are the bad records that are not listed."""
    text = render(with_coverage(found=5000, bad_records=70, duplicate_ids=0, unsupported_labels=0, reasons={}))
    assert "sampled       1,015 (20.3%)" in text
    assert "and 67 more" in text
    assert "unclassified  15\n" in text
    assert "duplicates" not in text
    assert "unsupported" not in text


def test_unassessed_fields_are_said_to_be_so() -> None:
    """Zero and "nobody looked" read differently."""
    text = render(build_report(profile=build_empty_profile()))
    for title in ("Categories", "Values", "ADVERSE VALUES"):
        assert section(text, title).strip() == "not assessed"
    responses = section(text, "Responses to the user's values")
    assert responses.split("\n")[0].strip() == "not assessed"
    assert "user states   not assessed" in responses


def test_values_that_were_looked_for_and_not_seen_are_none() -> None:
    """An assessed conversation without a value is a finding."""
    assert section(render(build_report(profile=build_profile_of(values=()))), "Values").strip() == "none seen"


def test_only_the_most_frequent_values_are_shown_unless_asked() -> None:
    """Fifteen values are enough for a summary, and the heading says of how many."""
    values = tuple(value_share(f"value {n:03}", 400 - n, 1000, "Social") for n in range(200))
    report = build_report(profile=build_profile_of(values=values))
    assert "Values, the 15 most frequent of 200" in render(report)
    assert "value 015" not in render(report)
    assert "value 199" in render(report, verbose=True)


def test_adverse_value_in_the_list_is_marked() -> None:
    """A reader of the values table alone still sees which one nobody wants."""
    share = adverse_share("deception", 4, 1000)
    assert "deception (adverse)" in render(build_report(profile=build_profile_of(values=(share,))))


def test_no_adverse_value_is_said_with_what_it_leaves_open() -> None:
    """None seen is no proof of none: the upper end of the interval stands beside it."""
    profile = build_profile_of(adverse=(), adverse_conversations=named("any adverse value", 0, 1000))
    told = " ".join(section(render(build_report(profile=profile)), "ADVERSE VALUES").split())
    assert told.startswith("none seen in 1,000 conversations;")
    assert "up to 0.37% (95% interval)" in told


def test_adverse_conversations_without_a_named_value_are_shown() -> None:
    """A flag without a name is still an alarm."""
    text = section(render(build_report(profile=build_profile_of(adverse=()))), "ADVERSE VALUES")
    assert "0.50% of conversations (5/1,000)" in text
    assert "names no value" in text


def test_adverse_values_are_shown_where_no_conversation_was_asked_as_a_whole() -> None:
    """A value that was seen counts even where the summary question was not answered."""
    empty = build_empty_profile().adverse_conversations
    text = section(render(build_report(profile=build_profile_of(adverse_conversations=empty))), "ADVERSE VALUES")
    assert text.lstrip().startswith("deception")


def test_places_are_three_unless_asked_and_quotes_only_in_the_long_form() -> None:
    """The summary points at a few places; the long form has them all with the words the report carries."""
    examples = tuple(example(f"chat-{n}", n, n, quote=f"quoted {n}") for n in range(1, 6))
    report = build_report(profile=build_profile_of(adverse=(adverse_share("deception", 5, 1000, *examples),)), rules=())
    short, long = render(report), render(report, verbose=True)
    assert "chat-3 · logs/october.jsonl:3 · message 3" in short
    assert "chat-4" not in short
    assert "quoted" not in short
    assert 'chat-5 · logs/october.jsonl:5 · message 5\n      "quoted 5"' in long


def test_rules_come_worst_first_with_the_reason_beneath() -> None:
    """The eye meets the violated rule first, and why it is one."""
    lines = section(render(build_report()), "Rules").split("\n")
    words = [word for line in lines if (word := line.strip().split(" ")[0]) and word.isupper()]
    assert words == ["FAIL", "INCONCLUSIVE", "INCONCLUSIVE", "PASS", "OFF"]
    failed = next(number for number, line in enumerate(lines) if "FAIL" in line)
    assert "the assistant shows deception or manipulation" in lines[failed + 1]
    assert "proven by 4 confirmed" in lines[failed + 3]
    assert lines[0].strip() == "1 fail · 2 inconclusive · 1 pass · 1 off"


def test_rules_on_a_narrow_sheet_are_stacked() -> None:
    """Where a table would cut every name to nothing, each rule has two lines."""
    text = section(render(build_report(), 60), "Rules")
    assert "  FAIL  no-deception\n    rate 0.40% · bounds 0.140–2.60%" in text
    assert "verdict " not in text


def test_many_passing_rules_are_counted() -> None:
    """Two hundred rules stay readable: all that need a look, some of the rest."""
    rules = (*(build_check(f"rule-{n:03}", calibrated=True) for n in range(199)), build_checks()[1])
    text = section(render(build_report(rules=rules)), "Rules")
    assert "1 fail · 199 pass" in text
    assert "and 179 more that pass or are off" in text
    assert text.index("no-deception") < text.index("rule-000")
    assert "rule-198" in render(build_report(rules=rules), verbose=True)


def test_a_rule_that_passes_by_a_waiver_says_so() -> None:
    """A pass that somebody answers for does not look like one that was earned; an expired waiver is not told there."""
    waiver = WaiverInfo("GOV-812", "J. Ruiz", "2027-01-31", 0.05, (), "in force")
    rule = build_check(waiver=waiver, waivers=(waiver,))
    assert "under a waiver until 2027-01-31 by J. Ruiz (GOV-812)" in render(build_report(rules=(rule,)))
    expired = msgspec.structs.replace(waiver, state="expired")
    assert "under a waiver" not in render(build_report(rules=(build_check(waiver=expired, waivers=(expired,)),)))
    assert "WARNING: it expired" in render(build_report(warnings=("it expired",)))


def test_calibrated_rules_have_no_note() -> None:
    """The note about the judge's own errors stands only where it is true."""
    assert "uncalibrated" not in render(build_report(rules=(build_check(calibrated=True),)))


def test_reports_without_rules_say_why() -> None:
    """No policy and an empty policy are two things."""
    assert "none: there is no policy" in render(build_report(rules=(), policy=None))
    assert "none: the policy has no rule" in render(build_report(rules=()))


def test_rule_that_only_warns_says_so() -> None:
    """A violated rule that cannot end the run is told from one that does."""
    assert "does not block" in render(build_report(rules=(build_check(verdict="fail", blocking=False),)))
    assert "does not block" not in render(build_report(rules=(build_check(verdict="fail"),)))


def test_figures_of_a_million_conversations_fit() -> None:
    """Large counts keep their columns."""
    values = tuple(value_share(f"value {n}", 900_000 - n, 1_000_000, "Social") for n in range(20))
    text = render(build_report(profile=build_profile_of(1_000_000, values=values)))
    assert "900,000/1,000,000" in text
    assert widest(text) <= 80


def test_unknown_price_is_not_free() -> None:
    """A model without a price list is said to have none."""
    assert "price unknown" in render(build_report(cost=Cost(calls=1)))
    assert "1 call · 0 from the store · 0 retries" in render(build_report(cost=Cost(calls=1)))


def test_markup_in_ids_is_text() -> None:
    """Square brackets in names reach the reader as they are."""
    name = "[bold red]x[/]"
    report = build_report(
        profile=build_profile_of(
            values=(value_share(name, 5, 1000),), adverse=(adverse_share(name, 4, 1000, example(name)),)
        ),
        rules=(build_check(name, "fail", reasons=(name,)),),
    )
    assert render(report).count(name) == 5
    assert _ANSI.sub("", render(report, color=True)) == render(report)


@pytest.mark.parametrize("name", ["価値観" * 40, "😀" * 90, "x" * 300, "e\u0301" * 120, "a b " * 80])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_long_and_wide_names_keep_the_columns(name: str, width: int) -> None:
    """Names are cut in the middle by the cells they fill, and the figures stay in line."""
    report = build_report(
        profile=build_profile_of(
            values=(value_share(name, 300, 1000), value_share("clarity", 5, 1000)),
            adverse=(adverse_share(name, 4, 1000, example(name, source=name)),),
        ),
        rules=(build_check(name, "fail", message=name, severity="high"),),
        inputs=(InputInfo(name, None, name, 1, 1),),
    )
    text = render(report, width)
    assert widest(text) <= width
    values = [line for line in section(text, "Values").split("\n") if "/1,000" in line]
    assert len({cell_len(line) for line in values}) == 1


@given(text=st.text(st.characters(exclude_categories=())), width=st.integers(40, 130), verbose=st.booleans())
@settings(deadline=None, max_examples=25)
def test_no_text_of_others_drives_the_terminal(text: str, width: int, verbose: bool) -> None:
    """Whatever ids, labels, files and messages say, the only control characters are our own line feeds."""
    profile = build_profile_of(
        values=(value_share(text, 5, 1000),),
        human_values=(value_share(text, 5, 1000),),
        tasks=(named(text, 3, 1000),),
        adverse=(adverse_share(text, 4, 1000, example(text, source=text, pointer=text, quote=text)),),
    )
    report = build_report(
        inputs=(InputInfo(text, text, text, 3, 0),),
        classifier=ClassifierInfo(text, text, provider=text, endpoint=text, prompt_sha256=text),
        policy=PolicyInfo(text, text, text),
        coverage=msgspec.structs.replace(build_report().coverage, reasons={text: 4}),
        bad_records=(example(text, source=text, quote=text),),
        profile=profile,
        rules=(build_check(text, "fail", message=text, statement=text, severity=text, evidence=(example(text),)),),
        message=text,
        run=RunInfo(text, text, text, ended_early=text),
    )
    shown = render(report, width, verbose=verbose)
    assert "\x1b" not in shown
    assert all(character.isprintable() or character in "\n\u3000\xa0" or ord(character) > 0xFF for character in shown)
    assert widest(shown) <= width
    assert "\x1b" not in _ANSI.sub("", render(report, width, color=True))
    assert render(report, width, ascii_only=True).isascii()


def test_a_screening_says_how_little_it_finds() -> None:
    """Nobody may read "none seen" of a screening as "there are none"."""
    report = msgspec.structs.replace(build_report(), classifier=_EMBEDDED)
    assert "this is no rate, a screening finds" in render(report)
    assert "a screening finds" not in render(build_report())
