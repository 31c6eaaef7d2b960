"""The comparison as a release manager reads it: may the two be compared, what moved, is anything worse."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from valueaudit.comparison import Comparison, DocumentInfo, Figure, FigureVerdict
from valueaudit.renderers.figures import UNKNOWN, format_count, format_limit, format_rate
from valueaudit.renderers.terminal_parts import INDENT, Sheet, pad
from valueaudit.rules.fields import build_points

TOP_MOVES = 10
_STYLES: dict[FigureVerdict, str] = {
    "regression": "red",
    "inconclusive": "yellow",
    "not_comparable": "yellow",
    "no_worse": "green",
    "none": "",
}
_WORDS: dict[FigureVerdict, str] = {
    "regression": "REGRESSION",
    "inconclusive": "INCONCLUSIVE",
    "not_comparable": "NOT COMPARABLE",
    "no_worse": "NO WORSE",
    "none": "NO VERDICT",
}
_ORDER: tuple[FigureVerdict, ...] = ("regression", "not_comparable", "inconclusive", "none", "no_worse")
_NAME_WIDTH = 8
_TITLES = ("verdict", "figure", "base", "new", "change", "bounds, pp")
_FIGURE = _TITLES.index("figure")
_SHORTEST_FIGURE = 14
_LONGEST_FIGURE = 48
_GAP = 2
_HANG = 4


def render_terminal_comparison(
    comparison: Comparison, *, width: int, color: bool, verbose: bool = False, ascii_only: bool = False
) -> str:
    """The comparison as lines of at most `width` cells (at least 40), each ended by a line feed.

    Options as in `render_terminal`; `verbose` lists every value and the message of every figure.
    """
    sheet = Sheet(width, color=color, verbose=verbose, ascii_only=ascii_only)
    _put_header(sheet, comparison)
    decided = [figure for figure in comparison.figures if figure.worse is not None]
    shown = [figure for figure in comparison.figures if figure.worse is None]
    if decided:
        sheet.heading("Rules and adverse values")
        _put_table(sheet, sorted(decided, key=lambda figure: _ORDER.index(figure.verdict)), details=True)
    if shown:
        _put_moves(sheet, shown)
    _put_verdict(sheet, comparison)
    return sheet.render()


def _put_header(sheet: Sheet, comparison: Comparison) -> None:
    tool = sheet.text(f"{comparison.tool.name} {comparison.tool.version} compare", "bold")
    sheet.put(sheet.join([tool, sheet.text(comparison.run.finished, "dim")]), indent=0)
    sheet.blank()
    for name, side in (("base", comparison.base), ("new", comparison.new)):
        sheet.fact(name, _describe_side(sheet, side), name_width=_NAME_WIDTH)
    policy = comparison.policy
    if policy is not None:
        sheet.fact("policy", sheet.join([sheet.text(policy.name, "bold"), policy.path]), name_width=_NAME_WIDTH)
    pairing = comparison.pairing
    told = [pairing.method, *([f"{format_count(pairing.pairs)} pairs"] if pairing.pairs else []), pairing.reason]
    if pairing.alone_base or pairing.alone_new:
        told.append(f"alone: {format_count(pairing.alone_base)} in base, {format_count(pairing.alone_new)} in new")
    sheet.fact("pairing", sheet.join(told), name_width=_NAME_WIDTH)
    margin = f"{build_points(comparison.margin)} for the worse accepted"
    confidence = f"bounds at {format_limit(comparison.confidence)} one-sided confidence"
    sheet.fact("margin", sheet.join([margin, confidence]), name_width=_NAME_WIDTH)
    for note in comparison.notes:
        sheet.fact("note", sheet.text(note, "yellow"), name_width=_NAME_WIDTH)


def _describe_side(sheet: Sheet, side: DocumentInfo) -> Text:
    judge = side.classifier.resolved_model or side.classifier.model
    lost = side.unclassified + side.bad_records
    parts = [side.path, f"{side.kind}, {format_count(side.conversations)} conversations"]
    if lost:
        parts.append(f"{format_count(lost)} not classified or read")
    return sheet.join([*parts, f"judged by {judge}"])


def _put_moves(sheet: Sheet, figures: Sequence[Figure]) -> None:
    """The exploratory figures, those that moved most first."""
    moved = sorted(figures, key=lambda figure: -abs(figure.difference or 0.0))
    chosen = moved if sheet.verbose else moved[:TOP_MOVES]
    top = f"Other changes, {len(chosen)} of {format_count(len(moved))}"
    sheet.heading(top if len(moved) > len(chosen) else "Other changes")
    sheet.put(sheet.text("exploratory: nothing here is a finding by itself, and nothing decides", "dim"))
    _put_table(sheet, chosen, details=False)


def _put_table(sheet: Sheet, figures: Sequence[Figure], *, details: bool) -> None:
    rows = [_build_cells(sheet, figure, verdict=details) for figure in figures]
    widths = [
        max(map(cell_len, (title, *column))) if any(column) else 0
        for title, column in zip(_TITLES, zip(*rows, strict=True), strict=True)
    ]
    longest = max(cell_len(row[_FIGURE]) for row in rows)
    others = sum(width + _GAP for number, width in enumerate(widths) if width and number != _FIGURE)
    widths[_FIGURE] = min(widths[_FIGURE], _LONGEST_FIGURE, sheet.inner - others)
    is_table = widths[_FIGURE] >= min(_SHORTEST_FIGURE, longest)
    if is_table:
        sheet.place(_build_row(sheet, _TITLES, widths, "dim", "dim"))
    for figure, row in zip(figures, rows, strict=True):
        style = f"bold {_STYLES[figure.verdict]}"
        if is_table:
            sheet.place(_build_row(sheet, row, widths, style, ""))
        else:
            _put_stacked(sheet, row, style)
        if details:
            _put_details(sheet, figure)


def _build_cells(sheet: Sheet, figure: Figure, *, verdict: bool) -> tuple[str, ...]:
    word = _WORDS[figure.verdict] if verdict else ""
    name = figure.name.replace("_", " ") if figure.kind == "response_types" else figure.name
    bounds = f"{format_change(figure.lower)} to {format_change(figure.upper)}"
    rates = (format_rate(figure.base.rate), format_rate(figure.new.rate), format_change(figure.difference))
    return (word, sheet.text(name).plain, *rates, bounds)


def format_change(difference: float | None) -> str:
    """A difference of rates in percentage points with its sign: `+0.25`, `-12`."""
    if difference is None:
        return UNKNOWN
    sign = "-" if difference < 0 else "+" if difference > 0 else ""
    return sign + format_rate(abs(difference)).removesuffix("%")


def _build_row(sheet: Sheet, cells: Sequence[str], widths: Sequence[int], first: str, rest: str) -> Text:
    line = Text(" " * INDENT)
    for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        if width:
            content = sheet.cut(cell, width, first if number == 0 else rest)
            line.append_text(pad(content, width, right=number > _FIGURE)).append(" " * _GAP)
    return line


def _put_stacked(sheet: Sheet, cells: Sequence[str], style: str) -> None:
    verdict, name, *rest = cells
    line = Text(" " * INDENT)
    if verdict:
        line.append(verdict, style=style).append(" " * _GAP)
    sheet.place(line.append_text(sheet.cut(name, sheet.width - cell_len(line.plain))))
    told = [f"{title} {cell}" for title, cell in zip(_TITLES[_FIGURE + 1 :], rest, strict=True)]
    sheet.put(sheet.join(told), indent=_HANG)


def _put_details(sheet: Sheet, figure: Figure) -> None:
    if sheet.verbose:
        sheet.put(sheet.text(figure.statement, "dim"), indent=_HANG)
    base, new = figure.base.unclassified, figure.new.unclassified
    if sheet.verbose or figure.verdict == "regression":
        sheet.put(sheet.text(figure.message), indent=_HANG)
    elif figure.verdict == "inconclusive" and (base or new):
        sheet.put(sheet.text(f"unknown: {format_count(base)} in base, {format_count(new)} in new"), indent=_HANG)
    for reason in figure.reasons:
        sheet.put(sheet.text(reason, "yellow"), indent=_HANG)
    if figure.role == "warning":
        sheet.put(sheet.text("does not decide", "dim"), indent=_HANG)


def _put_verdict(sheet: Sheet, comparison: Comparison) -> None:
    sheet.heading("Verdict")
    for reason in comparison.reasons:
        sheet.put(sheet.text(f"- {reason}", "yellow"), hang=2)
    word = Text(_WORDS[comparison.verdict], style=f"bold {_STYLES[comparison.verdict]}")
    message = sheet.text(f": {comparison.message} (exit code {comparison.exit_code})")
    sheet.put(Text.assemble(word, message))
    if comparison.verdict == "not_comparable":
        sheet.put(sheet.text("--force shows the figures without a verdict", "dim"))
