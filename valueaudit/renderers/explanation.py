"""A policy's explanation as text for a terminal and as Markdown to be signed; nothing in a policy can draw either."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from valueaudit.explanation import Explanation, Section
from valueaudit.renderers.visible import visible

_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|~!&$]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_TO_SIGN = ("Name", "Role", "Date", "Signature")


@dataclass(frozen=True, slots=True)
class _Page:
    width: int
    ascii_only: bool

    def put(self, text: str, indent: str = "", hang: str | None = None) -> str:
        """A paragraph, broken at spaces only so that paths and digests can be copied."""
        return textwrap.fill(
            _on_one_line(text, ascii_only=self.ascii_only),
            self.width,
            initial_indent=indent,
            subsequent_indent=indent if hang is None else hang,
            break_long_words=False,
            break_on_hyphens=False,
        )


def render_text(explanation: Explanation, *, width: int, ascii_only: bool = False) -> str:
    """Lines of at most `width` cells where words allow, each ended by a line feed."""

    put = _Page(width, ascii_only).put
    lines = [put(explanation.title)]
    lines += [put(f"{label}: {text}", "  ", "    ") for label, text in explanation.head]
    for section in (explanation.gate, explanation.contexts):
        lines += _put_section(section, put)
    lines += ["", put(f"Rules ({len(explanation.rules)})")]
    for rule in explanation.rules:
        lines += ["", put(rule.title, "  ")]
        lines += [put(sentence, "    ") for sentence in rule.sentences]
        lines += [put(f"{label}: {text}", "      ", "        ") for label, text in rule.facts]
    lines += _put_section(explanation.values, put)
    return "\n".join(lines) + "\n"


def render_markdown(explanation: Explanation, *, ascii_only: bool = False) -> str:
    """A page of Markdown that ends with a place to sign; text of the policy is escaped."""

    def escape(text: str) -> str:
        return escape_markdown(_on_one_line(text, ascii_only=ascii_only))

    def facts(section: Section | tuple[tuple[str, str], ...]) -> Iterator[str]:
        pairs = section.facts if isinstance(section, Section) else section
        return (f"- **{escape(label)}**: {escape(text)}" for label, text in pairs)

    lines = [f"# {escape(explanation.title)}", "", *facts(explanation.head)]
    for section in (explanation.gate, explanation.contexts):
        if section.sentences or section.facts:
            lines += ["", f"## {escape(section.title)}", ""]
            lines += [f"- {escape(sentence)}" for sentence in section.sentences]
            lines += facts(section)
    lines += ["", f"## Rules ({len(explanation.rules)})"]
    for rule in explanation.rules:
        lines += ["", f"### {escape(rule.title)}", ""]
        lines += [f"**{escape(sentence)}**\n" for sentence in rule.sentences]
        lines += facts(rule)
    if explanation.values.facts:
        lines += ["", f"## {escape(explanation.values.title)}", "", *facts(explanation.values)]
    return "\n".join([*lines, *_put_signature(explanation, escape(dict(explanation.head)["Digest"]))]) + "\n"


def escape_markdown(text: str) -> str:
    """A text that Markdown shows as it is: no emphasis, code, link, image, table or HTML, and no address made a link.

    GitHub makes an e-mail address a link whatever is escaped; it leads to nothing but that address.
    """
    return _MARKDOWN.sub(lambda found: {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(found[0], "\\" + found[0]), text)


def _on_one_line(text: str, *, ascii_only: bool) -> str:
    return visible(" ".join(text.split()), ascii_only=ascii_only)


def _put_section(section: Section, put: Callable[..., str]) -> list[str]:
    if not section.sentences and not section.facts:
        return []
    lines = ["", put(section.title)]
    lines += [put(sentence, "  ", "    ") for sentence in section.sentences]
    return lines + [put(f"{label}: {text}", "  ", "    ") for label, text in section.facts]


def _put_signature(explanation: Explanation, digest: str) -> list[str]:
    revision = dict(explanation.head).get("Revision")
    named = f", revision {escape_markdown(_on_one_line(revision, ascii_only=False))}" if revision else ""
    return [
        "",
        "## Signature",
        "",
        f"Signed is the policy with the digest {digest}{named}; a policy with another digest is another policy.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {label} | |" for label in _TO_SIGN),
    ]
