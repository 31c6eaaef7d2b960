"""The decided part of the terminal report: each rule with what was measured, where the line is and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from valueaudit.renderers.figures import format_count, format_rate
from valueaudit.renderers.limits import format_bounds, format_rule_limit
from valueaudit.renderers.terminal_parts import INDENT, Sheet, pad
from valueaudit.renderers.terminal_places import put_places
from valueaudit.report import UNCALIBRATED, BaselineInfo, Report, RuleCheck, RuleVerdict

VERDICT_STYLES: dict[str, str] = {
    "fail": "red",
    "inconclusive": "yellow",
    "incomplete": "yellow",
    "pass": "green",
    "off": "dim",
    "none": "",
}

SHOWN_PASSES = 20
_ORDER: tuple[RuleVerdict, ...] = ("fail", "inconclusive", "pass", "off")
_TITLES = ("verdict", "rule", "rate", "bounds", "limit", "severity", "needed")
_RIGHT = frozenset({"rate", "bounds", "limit", "needed"})
_RULE = _TITLES.index("rule")
_LONGEST_RULE = 48
_GAP = 2
_HANG = 4


def put_rules(sheet: Sheet, report: Report) -> None:
    """The rules in the order fail, inconclusive, pass, off, with a message under each that does not pass."""
    sheet.heading("Rules")
    if not report.rules:
        sheet.put(sheet.text("none: there is no policy" if report.policy is None else "none: the policy has no rule"))
        return
    rules = sorted(report.rules, key=lambda rule: _ORDER.index(rule.verdict))
    verdicts = Counter(rule.verdict for rule in rules)
    sheet.put(sheet.join(f"{verdicts[verdict]} {verdict}" for verdict in _ORDER if verdicts[verdict]))
    loud = verdicts["fail"] + verdicts["inconclusive"]
    shown = rules if sheet.verbose else rules[: loud + SHOWN_PASSES]
    _put_table(sheet, shown)
    if len(rules) > len(shown):
        sheet.put(sheet.text(f"and {format_count(len(rules) - len(shown))} more that pass or are off", "dim"))
    if not all(rule.calibrated for rule in rules if rule.verdict != "off"):
        sheet.put(sheet.text("uncalibrated: bounds are not corrected for the judge's own errors", "dim"))


def _put_table(sheet: Sheet, rules: Sequence[RuleCheck]) -> None:
    cells = [_build_cells(sheet, rule) for rule in rules]
    # A column without an entry takes its title away too: the room goes to the names of the rules.
    widths = [
        max(map(cell_len, (title, *column))) if any(column) else 0
        for title, column in zip(_TITLES, zip(*cells, strict=True), strict=True)
    ]
    longest = max(cell_len(row[_RULE]) for row in cells)
    others = sum(width + _GAP for number, width in enumerate(widths) if width and number != _RULE)
    widths[_RULE] = min(widths[_RULE], _LONGEST_RULE, sheet.inner - others)
    # Half a name is none: where one does not fit, every rule has lines of its own.
    is_table = widths[_RULE] >= longest
    if is_table:
        sheet.place(_build_row(sheet, _TITLES, widths, "dim", "dim"))
    for rule, row in zip(rules, cells, strict=True):
        style = VERDICT_STYLES[rule.verdict]
        if is_table:
            sheet.place(_build_row(sheet, row, widths, f"bold {style}", "dim" if rule.verdict == "off" else ""))
        else:
            _put_stacked(sheet, row, f"bold {style}")
        _put_details(sheet, rule)


def _build_cells(sheet: Sheet, rule: RuleCheck) -> tuple[str, ...]:
    name, severity = sheet.text(rule.id).plain, sheet.text(rule.severity).plain
    limit = format_rule_limit(rule, at_most=sheet.glyphs.at_most, at_least=sheet.glyphs.at_least)
    if rule.verdict == "off":
        return ("OFF", name, "", "", limit, severity, "")
    bounds = format_bounds(rule, dash=sheet.glyphs.dash)
    needed = ""
    if rule.verdict == "inconclusive":
        needed = sheet.glyphs.dash if rule.needed is None else f"+{format_count(rule.needed)}"
    return (rule.verdict.upper(), name, format_rate(rule.rate), bounds, limit, severity, needed)


def _build_row(sheet: Sheet, cells: Sequence[str], widths: Sequence[int], first: str, rest: str) -> Text:
    line = Text(" " * INDENT)
    for number, (title, cell, width) in enumerate(zip(_TITLES, cells, widths, strict=True)):
        if width:
            content = sheet.cut(cell, width, first if number == 0 else rest)
            line.append_text(pad(content, width, right=title in _RIGHT)).append(" " * _GAP)
    return line


def _put_stacked(sheet: Sheet, cells: Sequence[str], style: str) -> None:
    verdict, name, *figures = cells
    line = Text(" " * INDENT).append(verdict, style=style).append(" " * _GAP)
    sheet.place(line.append_text(sheet.cut(name, sheet.width - len(line.plain))))
    told = [f"{title} {figure}" for title, figure in zip(_TITLES[2:], figures, strict=True) if figure]
    sheet.put(sheet.join(told), indent=_HANG)


def _put_details(sheet: Sheet, rule: RuleCheck) -> None:
    told = rule.verdict in ("fail", "inconclusive")
    sheet.put(sheet.text(rule.statement), indent=_HANG)
    reasons = [reason for reason in rule.reasons if reason != UNCALIBRATED]
    if told and reasons:
        sheet.put(sheet.text("; ".join(reasons)), indent=_HANG)
    if not told:
        for waiver in rule.waivers:
            if waiver.state == "in force":
                text = f"under a waiver until {waiver.expires} by {waiver.approved_by} ({waiver.reason})"
                sheet.put(sheet.text(text, "yellow"), indent=_HANG)
    if rule.baseline is not None and rule.verdict != "off":
        sheet.put(sheet.text(_describe_baseline(rule.baseline), "dim"), indent=_HANG)
    if sheet.verbose:
        sheet.put(sheet.text(_describe_counts(rule), "dim"), indent=_HANG)
    if told and not rule.blocking:
        sheet.put(sheet.text("does not block", "dim"), indent=_HANG)
    if rule.verdict == "fail" or (told and rule.count > rule.confirmed) or sheet.verbose:
        put_places(sheet, rule.evidence, indent=_HANG)


def _describe_baseline(base: BaselineInfo) -> str:
    if base.reasons:
        return f"not comparable with {base.path}: {'; '.join(base.reasons)}"
    paired = "" if base.pairs is None else f", {format_count(base.pairs)} pairs"
    counts = f"{format_count(base.confirmed)} of {format_count(base.denominator)}, {format_rate(base.rate)}"
    return f"{base.path}: {counts}{paired}"


def _describe_counts(rule: RuleCheck) -> str:
    counts = (
        f"{format_count(rule.count)} flagged, {format_count(rule.confirmed)} confirmed, "
        f"{format_count(rule.unclassified)} unknown, of {format_count(rule.denominator)} ({rule.denominator_name})"
    )
    if rule.p_value is None:
        return counts
    adjusted = "" if rule.p_adjusted is None else f", adjusted {rule.p_adjusted:.3g}"
    return f"{counts}; p {rule.p_value:.3g}{adjusted}"
