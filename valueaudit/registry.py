"""Formats and renderers by name: plain tables, so that adding one is a file and a line. Tests walk them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from valueaudit.ports import Renderer
from valueaudit.readers.anthropic_batch import ANTHROPIC_BATCH
from valueaudit.readers.anthropic_messages import ANTHROPIC_MESSAGES
from valueaudit.readers.chat import CHAT
from valueaudit.readers.chatgpt import CHATGPT
from valueaudit.readers.claude_ai import CLAUDE_AI
from valueaudit.readers.claude_code import CLAUDE_CODE
from valueaudit.readers.codex import CODEX
from valueaudit.readers.conversation import CONVERSATION
from valueaudit.readers.format import Format
from valueaudit.readers.hh_text import HH_TEXT
from valueaudit.readers.inspect_log import INSPECT
from valueaudit.readers.langfuse import LANGFUSE
from valueaudit.readers.langsmith import LANGSMITH
from valueaudit.readers.librechat import LIBRECHAT
from valueaudit.readers.litellm import LITELLM
from valueaudit.readers.managed_agents import MANAGED_AGENTS
from valueaudit.readers.message_rows import MESSAGE_ROWS
from valueaudit.readers.oasst import OASST
from valueaudit.readers.open_webui import OPEN_WEBUI
from valueaudit.readers.openai_batch import OPENAI_BATCH
from valueaudit.readers.openai_completions import OPENAI_COMPLETIONS
from valueaudit.readers.openai_responses import OPENAI_RESPONSES
from valueaudit.readers.otel import OTEL
from valueaudit.readers.preference import PREFERENCE
from valueaudit.readers.prompt_response import PROMPT_RESPONSE
from valueaudit.readers.scout import SCOUT
from valueaudit.readers.sharegpt import SHAREGPT
from valueaudit.renderers.csv_tables import is_rules_csv, is_values_csv, render_rules_csv, render_values_csv
from valueaudit.renderers.intoto import is_intoto, render_intoto
from valueaudit.renderers.json_report import is_json_report, render_json
from valueaudit.renderers.junit import is_junit, render_junit
from valueaudit.renderers.markdown import is_markdown, render_markdown
from valueaudit.renderers.sarif import is_sarif, render_sarif

# In the order in which they are asked whether a record is theirs: what is told by more comes first.
FORMATS: tuple[Format, ...] = (
    LANGSMITH,
    LANGFUSE,
    OTEL,
    MANAGED_AGENTS,
    CHATGPT,
    CLAUDE_AI,
    CLAUDE_CODE,
    CODEX,
    INSPECT,
    LIBRECHAT,
    OPEN_WEBUI,
    SCOUT,
    OPENAI_BATCH,
    ANTHROPIC_BATCH,
    LITELLM,
    ANTHROPIC_MESSAGES,
    OPENAI_RESPONSES,
    OPENAI_COMPLETIONS,
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
