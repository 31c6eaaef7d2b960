"""Formats and renderers by name: plain tables, so that adding one is a file and a line. Tests walk them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from valueaudit.ports import Renderer
from valueaudit.readers.chat import CHAT
from valueaudit.readers.conversation import CONVERSATION
from valueaudit.readers.format import Format
from valueaudit.readers.hh_text import HH_TEXT
from valueaudit.readers.message_rows import MESSAGE_ROWS
from valueaudit.readers.oasst import OASST
from valueaudit.readers.preference import PREFERENCE
from valueaudit.readers.prompt_response import PROMPT_RESPONSE
from valueaudit.readers.sharegpt import SHAREGPT
from valueaudit.renderers.csv_tables import is_rules_csv, is_values_csv, render_rules_csv, render_values_csv
from valueaudit.renderers.intoto import is_intoto, render_intoto
from valueaudit.renderers.json_report import is_json_report, render_json
from valueaudit.renderers.junit import is_junit, render_junit
from valueaudit.renderers.markdown import is_markdown, render_markdown
from valueaudit.renderers.sarif import is_sarif, render_sarif

# In the order in which they are asked whether a record is theirs: what is told by more comes first.
FORMATS: tuple[Format, ...] = (
    SHAREGPT,
    HH_TEXT,
    PREFERENCE,
    OASST,
    CONVERSATION,
    MESSAGE_ROWS,
    PROMPT_RESPONSE,
    CHAT,
)


class Kind(Struct, frozen=True):
    """A kind of document: how it is made, and whether the first 4 KiB of a file are those of one that we made."""

    render: Renderer
    is_ours: Callable[[bytes], bool]


# By the ending of the output's name, the longest that fits; `-` stands for JSON on standard output.
KINDS: Mapping[str, Kind] = {
    ".json": Kind(render_json, is_json_report),
    ".md": Kind(render_markdown, is_markdown),
    ".junit.xml": Kind(render_junit, is_junit),
    ".sarif": Kind(render_sarif, is_sarif),
    ".csv": Kind(render_values_csv, is_values_csv),
    ".rules.csv": Kind(render_rules_csv, is_rules_csv),
    ".intoto.json": Kind(render_intoto, is_intoto),
}


def find_format(name: str) -> Format | None:
    """The transcript format of this name."""
    return next((known for known in FORMATS if known.name == name), None)


def find_kind(path: str) -> Kind | None:
    """The kind of document that a file of this name holds, None where its ending says nothing."""
    endings = [ending for ending in KINDS if path.lower().endswith(ending)]
    return KINDS[max(endings, key=len)] if endings else None
