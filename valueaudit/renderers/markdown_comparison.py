"""The comparison as a page of GitHub-flavoured Markdown: for a job summary, a comment or an archive."""

from __future__ import annotations

from collections.abc import Iterator

from valueaudit.comparison import Comparison, DocumentInfo, Figure, FigureSide, FigureVerdict
from valueaudit.renderers.figures import format_count, format_rate
from valueaudit.renderers.markdown import LIMIT, build_table, fit_lines
from valueaudit.renderers.markdown_text import NOTHING, code, sentence
from valueaudit.rules.fields import build_percentage, build_points, sign_points

SHOWN_EXPLORATORY = 20
_SHORT_DIGEST = 12
_MARK = "<!-- valueaudit comparison -->"
_SIGNS: dict[FigureVerdict, str] = {
    "no_worse": "✅",
    "regression": "❌",
    "inconclusive": "❔",
    "not_comparable": "⚠️",
    "none": "📊",
}
_ORDER: tuple[FigureVerdict, ...] = ("regression", "not_comparable", "inconclusive", "none", "no_worse")
_COLUMNS = ("verdict", "figure", "BASE", "NEW", "change", "bounds")


def render_markdown_comparison(comparison: Comparison, limit: int = LIMIT) -> str:
    """The comparison in GitHub-flavoured Markdown, verdict first, cut with a note at `limit` bytes of UTF-8."""
    puts = (_put_verdict, _put_sides, _put_deciding, _put_exploratory)
    return fit_lines([line for put in puts for line in put(comparison)], limit)


def is_markdown_comparison(head: bytes) -> bool:
    """Whether a file that begins like this is such a page of ours, or empty."""
    return not head.strip() or head.startswith(_MARK.encode())


def _put_verdict(comparison: Comparison) -> Iterator[str]:
    policy = "" if comparison.policy is None else f": {code(comparison.policy.name)}"
    word = comparison.verdict.replace("_", " ").upper()
    yield from (_MARK, "", f"## {_SIGNS[comparison.verdict]} Comparison of two audits{policy}", "")
    yield f"**{word}** (exit code {comparison.exit_code}): {sentence(comparison.message)}"
    for name, told in (("Not comparable", comparison.reasons), ("Note", comparison.notes)):
        for each in told:
            yield from ("", f"**{name}:** {sentence(each)}")
    yield ""


def _put_sides(comparison: Comparison) -> Iterator[str]:
    rows = (_build_side(name, side) for name, side in (("BASE", comparison.base), ("NEW", comparison.new)))
    yield from build_table(("", "file", "judge", "conversations", "not classified"), rows)
    margin = f"A change of up to {build_points(comparison.margin)} for the worse is accepted"
    yield f"{margin}, at {build_percentage(comparison.confidence)} confidence; {sentence(comparison.pairing.reason)}."
    yield ""


def _build_side(name: str, side: DocumentInfo) -> tuple[str, ...]:
    missed = format_count(side.unclassified + side.bad_records)
    file = f"{code(side.path, cell=True)} {code(side.sha256[:_SHORT_DIGEST], cell=True)}"
    return name, file, code(side.classifier.model, cell=True), format_count(side.conversations), missed


def _put_deciding(comparison: Comparison) -> Iterator[str]:
    figures = [figure for figure in comparison.figures if figure.role != "exploratory"]
    if not figures:
        return
    figures.sort(key=lambda figure: _ORDER.index(figure.verdict))
    yield from ("### Figures that decide or warn", "")
    yield from build_table(_COLUMNS, (_build_row(figure) for figure in figures), right=_COLUMNS[2:])
    for figure in figures:
        if figure.verdict != "no_worse":
            told = "; ".join(figure.reasons) or figure.message
            yield f"- {_SIGNS[figure.verdict]} **{code(figure.name)}** {sentence(figure.statement)}: {sentence(told)}"
    yield ""


def _put_exploratory(comparison: Comparison) -> Iterator[str]:
    figures = [figure for figure in comparison.figures if figure.role == "exploratory"]
    figures.sort(key=lambda figure: -abs(figure.difference or 0.0))
    if not figures:
        return
    yield from ("### Largest other changes", "")
    rows = (_build_row(figure) for figure in figures[:SHOWN_EXPLORATORY])
    yield from build_table(_COLUMNS[1:], (row[1:] for row in rows), right=_COLUMNS[2:])
    if len(figures) > SHOWN_EXPLORATORY:
        yield f"And {format_count(len(figures) - SHOWN_EXPLORATORY)} more."
    yield from ("Exploratory: bounds without a verdict.", "")


def _build_row(figure: Figure) -> tuple[str, ...]:
    warned = " (warns)" if figure.role == "warning" else ""
    change = NOTHING if figure.difference is None else sign_points(figure.difference)
    bounds = f"{sign_points(figure.lower)} to {sign_points(figure.upper)}"
    name = code(figure.name.replace("_", " ") if figure.role == "exploratory" else figure.name, cell=True)
    verdict = f"{_SIGNS[figure.verdict]} {figure.verdict.replace('_', ' ')}{warned}"
    return verdict, name, *(_build_rate(side) for side in (figure.base, figure.new)), change, bounds


def _build_rate(side: FigureSide) -> str:
    return f"{format_rate(side.rate)} ({format_count(side.count)}/{format_count(side.denominator)})"
