from __future__ import annotations

import cmarkgfm
import pytest
from hostile import HOSTILE
from msgspec.structs import replace
from test_terminal_comparison import build_comparison

from valueaudit.renderers.markdown import CUT
from valueaudit.renderers.markdown_comparison import is_markdown_comparison, render_markdown_comparison


def test_the_page_tells_verdict_sides_and_figures() -> None:
    """The verdict first, then what was compared, then each figure with both rates, change and bounds."""
    comparison = build_comparison()
    page = render_markdown_comparison(comparison)
    assert is_markdown_comparison(page.encode())
    assert page.index("Comparison of two audits") < page.index("| BASE |") < page.index("### Figures that decide")
    assert f"(exit code {comparison.exit_code})" in page
    for figure in comparison.figures:
        if figure.role != "exploratory":
            assert f"`{figure.name}`" in page
    html = cmarkgfm.github_flavored_markdown_to_html(page)
    assert html.count("<table>") == 3


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_is_no_markup(text: str) -> None:
    """Names, messages and paths cannot become links, HTML or table cells."""
    comparison = build_comparison()
    figures = tuple(replace(f, name=text, statement=text, message=text, reasons=(text,)) for f in comparison.figures)
    base = replace(comparison.base, path=text)
    page = render_markdown_comparison(
        replace(comparison, figures=figures, base=base, message=text, notes=(text,), reasons=(text,))
    )
    html = cmarkgfm.github_flavored_markdown_to_html(page)
    assert "<a " not in html
    assert "<img" not in html
    assert "<script" not in html.lower()
    assert html.count("<table>") == 3


def test_a_page_that_is_too_long_is_cut() -> None:
    """At a line, with a note; many exploratory figures are counted."""
    comparison = build_comparison()
    many = tuple(replace(f, name=f"v{n}", role="exploratory") for n in range(30) for f in comparison.figures[:1])
    assert "And 10 more." in render_markdown_comparison(replace(comparison, figures=many))
    cut = render_markdown_comparison(comparison, 900)
    assert CUT in cut
    assert len(cut.encode()) <= 900


def test_without_figures_there_are_no_tables_of_them() -> None:
    """What is not comparable has reasons in their place."""
    page = render_markdown_comparison(replace(build_comparison(), figures=(), reasons=("another judge",)))
    assert "### " not in page
    assert "**Not comparable:** another judge" in page
