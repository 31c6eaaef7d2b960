"""Names to readers and renderers: plain tables, so that adding one is a file and a line. Tests walk them."""

from __future__ import annotations

from collections.abc import Mapping

from valueaudit.ports import Reader, Renderer
from valueaudit.readers.chat_jsonl import read_chat_jsonl
from valueaudit.renderers.json_report import render_json

DEFAULT_FORMAT = "chat-jsonl"

READERS: Mapping[str, Reader] = {
    "chat-jsonl": read_chat_jsonl,
}

# By the ending of the output's name; `-` stands for standard output.
RENDERERS: Mapping[str, Renderer] = {
    ".json": render_json,
}
