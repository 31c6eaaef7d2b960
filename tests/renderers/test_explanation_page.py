from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from policy_samples import HEAD, WHOLE, parse

from valueaudit.explanation import explain_policy
from valueaudit.policy import Policy
from valueaudit.renderers.explanation import escape_markdown, render_markdown, render_text

HOSTILE = r"""<b>x</b> [a](http://e.example) ![i](x) `c` | * _ # www.e.example \ ${}$ ~ &amp;"""


def build_hostile() -> Policy:
    """A policy whose every free text tries to draw."""
    text = HOSTILE.replace("'", "''")
    return parse(
        f"version: 1\npolicy: '{text}'\nowner: '{text}'\npurpose: \"two\\nlines \\x1b[31m\"\n"
        f"contexts: {{'{text}': {{metadata.a: '{text}'}}}}\n"
        f"prohibited: [{{id: a, value: cruelty, at_most: 1%, in: '{text}', why: '{text}', controls: ['{text}']}}]\n"
    )


def test_text_fits_the_width_and_says_everything() -> None:
    """Every section is there, and no line is wider than the terminal unless one word is."""
    text = render_text(explain_policy(parse(WHOLE)), width=60)
    for title in ("acme-support", "How the audit decides", "Where rules apply", "Rules (5)", "What the values mean"):
        assert f"\n{title}\n" in f"\n{text}"
    assert all(len(line) <= 60 or "sha256:" in line for line in text.splitlines())
    assert text.endswith(".\n")


def test_markdown_is_a_page_to_sign() -> None:
    """Headings, rules as lists, a table to sign, and the digest that the signature is about."""
    policy = parse(WHOLE.replace("unit: conversation", "revision: 1.10"))
    page = render_markdown(explain_policy(policy))
    assert page.startswith("# acme-support\n")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == [
        "How the audit decides",
        "Where rules apply",
        "Rules (5)",
        "What the values mean",
        "Signature",
    ]
    assert f"digest sha256:{policy.sha256}, revision 1.10;" in page
    assert page.count("\n| ") == 5


def test_what_a_policy_does_not_have_is_left_out() -> None:
    """No heading stands over nothing."""
    policy = parse(f"{HEAD}responses: [{{id: a, type: no_values, at_most: 50%}}]\n")
    for form in (render_text(explain_policy(policy), width=80), render_markdown(explain_policy(policy))):
        assert "Where rules apply" not in form
        assert "What the values mean" not in form


def test_no_text_of_a_policy_draws() -> None:
    """Neither control characters nor markup, links, images, tables or HTML of a policy reach the page as such."""
    page = render_markdown(explain_policy(build_hostile()))
    text = render_text(explain_policy(build_hostile()), width=1000)
    for form in (page, text):
        assert "\x1b" not in form
        assert r"two lines" in form
    drawn = list(SyntaxTreeNode(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page)).walk())
    assert {node.type for node in drawn} <= {
        *("root", "inline", "text", "strong", "heading", "paragraph", "bullet_list", "list_item", "hr"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    assert sum(node.type == "table" for node in drawn) == 1
    shown = ["".join(part.content for part in node.walk() if part.type == "text") for node in drawn]
    assert f"Why: {HOSTILE}" in shown
    assert "http://" not in page
    assert "www.e" not in page


@pytest.mark.parametrize("render", [render_markdown, lambda e, **k: render_text(e, width=80, **k)])
def test_ascii_terminals_get_ascii(render: object) -> None:
    """Where the encoding holds no more, nothing fails to be printed."""
    policy = parse(WHOLE.replace("acme-support", "Prüfung – ✓"))
    assert callable(render)
    assert render(explain_policy(policy), ascii_only=True).isascii()


def test_escaped_text_reads_as_it_was() -> None:
    """What is escaped stays readable, what needs no escape stays untouched."""
    assert escape_markdown("at most 0.5% of a-b (c), d@e.example") == "at most 0.5% of a-b (c), d@e.example"
    assert escape_markdown("<a|b>") == r"&lt;a\|b&gt;"
