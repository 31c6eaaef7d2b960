"""Reports in which every text is one that would like to be markup, a formula or a control sequence."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st
from report_factory import adverse_share, build_check, build_profile_of, build_report, example, value_share

from valueaudit.record import ClassifierInfo, Coverage, InputInfo, PolicyInfo, TaxonomyInfo
from valueaudit.report import BaselineInfo, Report, RuleCheck, RunInfo, WaiverInfo

HOSTILE = (
    *("<script>alert(1)</script>", "[x](http://evil.example)", "![x](http://evil.example/p.png)", "a | b | c", "\\|"),
    *("`", "``", "` | `", "a\\", "http://evil.example", "www.evil.example", "x@evil.example", "@team", "#1", ":tada:"),
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", '=cmd|"/c calc"!A1', "a;=1", '"', '""', "a,b", "a\r\nb", "\x00"),
    *("]]>", "<!-- ", "-->", "&lt;", "&#0;", "\ufffe", "\uffff", "\x1b[2J", "\u202e", "# h", "> q", "- i", "1. i"),
    *("$x$", "***", "___", "~~x~~", "| a |\n|---|\n| b |", "<details>", "{0}", "{{", "[x](1)", "%00", "../x", "C:\\x"),
    *(" ", "\u3000"),
)

hostile = st.text(min_size=1) | st.sampled_from(HOSTILE) | st.lists(st.sampled_from(HOSTILE), min_size=2).map("".join)


def _build_compared(text: str, changes: dict[str, Any]) -> tuple[RuleCheck, ...]:
    """Checks beside a baseline and under waivers of this text."""
    base = BaselineInfo(path=text, sha256="6f" * 32, check=text)
    waivers = (
        WaiverInfo(text, text, text, 0.5, (), "in force"),
        WaiverInfo(text, text, text, None, (text,), "expired"),
    )
    return (
        build_check(f"{text}d", "pass", waivers=waivers, waiver=waivers[0], baseline=base, **changes),
        build_check(
            f"{text}e", "fail", waivers=waivers, baseline=msgspec.structs.replace(base, reasons=(text,)), **changes
        ),
    )


def build_hostile(text: str) -> Report:
    """A report with this text in every place that people, logs or judges fill."""
    place = example(text, source=text, pointer=text)
    changes = {
        "statement": text,
        "message": text,
        "why": text,
        "controls": (text,),
        "denominator_name": text,
        "evidence": (place,),
    }
    checks = tuple(
        msgspec.structs.replace(build_check(f"{text}{n}" if n else text, verdict, **changes), rule=text)
        for n, verdict in enumerate(("fail", "inconclusive", "pass", "off"))
    )
    return build_report(
        run=RunInfo(text, text, text, ended_early=text),
        inputs=(InputInfo(text, "1f" * 32, text, 1, 0),),
        classifier=ClassifierInfo(text, f"{text}!", questions={text: "5e" * 32}, prompt_sha256="2e" * 32),
        taxonomy=TaxonomyInfo(text, "3d" * 32),
        policy=PolicyInfo(text, text, "4c" * 32),
        coverage=Coverage(9, 9, 8, 1, 1, 0, 0, {text: 1}),
        bad_records=(example(text, source=text, quote=text),),
        profile=build_profile_of(
            values=(value_share(text, 4, 9, text, text),),
            human_values=(value_share(text, 3, 9),),
            adverse=(adverse_share(text, 2, 9, place),),
        ),
        rules=(*checks, build_check(text, "fail", blocking=False, **changes), *_build_compared(text, changes)),
        message=text,
    )
