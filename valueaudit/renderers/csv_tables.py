"""Two tables for a spreadsheet: the values that were measured, and the rules as they were decided."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from valueaudit.renderers.outcomes import describe_waiver
from valueaudit.renderers.visible import visible
from valueaudit.report import BaselineInfo, Report, RuleCheck, ValueShare

VALUE_COLUMNS = ("value", "category", "subcategory", "polarity", "count", "denominator", "rate", "lower", "upper")
RULE_COLUMNS = (
    *("id", "rule", "line", "kind", "severity", "enforce", "blocking", "verdict"),
    *("count", "confirmed", "denominator", "denominator_name", "unclassified", "rate", "lower", "upper"),
    *("direction", "limit", "needed", "p_value", "p_adjusted", "calibrated"),
    *("statement", "message", "why", "controls"),
    *("baseline", "baseline_confirmed", "baseline_denominator", "difference", "waivers"),
)
_PLAIN_COLUMNS = RULE_COLUMNS[: RULE_COLUMNS.index("controls")]

Cell = str | int | float | bool | None

# What Excel, LibreOffice and Google Sheets take for the start of a formula, full-width forms included (OWASP, "CSV
# Injection"); blanks before it do not protect everywhere.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def render_values_csv(report: Report) -> str:
    """The values that the assistant shows, one a row, most frequent first: fractions, and their 95% interval."""
    return _build_table(VALUE_COLUMNS, (_build_value(share) for share in report.profile.values))


def render_rules_csv(report: Report) -> str:
    """The rules of the policy, one limit a row, in the order of the policy; rates and limits are fractions."""
    return _build_table(RULE_COLUMNS, (_build_rule(check) for check in report.rules))


def is_values_csv(head: bytes) -> bool:
    """Whether a file that begins like this is a table of values of ours."""
    return head.startswith(_build_table(VALUE_COLUMNS[:4], ()).rstrip().encode())


def is_rules_csv(head: bytes) -> bool:
    """Whether a file that begins like this is a table of rules of ours."""
    return head.startswith(_build_table(RULE_COLUMNS[:8], ()).rstrip().encode())


def _build_value(share: ValueShare) -> tuple[Cell, ...]:
    place = (share.value, share.category, share.subcategory, share.polarity)
    return (*place, share.count, share.denominator, share.rate, *share.interval)


def _build_rule(check: RuleCheck) -> tuple[Cell, ...]:
    waivers = "; ".join(describe_waiver(waiver) for waiver in check.waivers)
    fields = (getattr(check, column) for column in _PLAIN_COLUMNS)
    return (*fields, " ".join(check.controls), *_build_baseline(check.baseline), waivers)


def _build_baseline(base: BaselineInfo | None) -> tuple[Cell, ...]:
    if base is None or base.reasons:
        return ("" if base is None else base.path, None, None, None)
    return base.path, base.confirmed, base.denominator, base.difference


def _build_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    text = io.StringIO()
    # Every text is quoted: a semicolon or a tab in it is then no separator to a spreadsheet that would take it for one.
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_build_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _build_cell(cell: Cell) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if not isinstance(cell, str):
        return cell
    shown = visible(cell)
    return f"'{shown}" if _FORMULA.match(shown) else shown
