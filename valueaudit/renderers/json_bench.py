"""The measurement as a machine reads it, and back."""

from __future__ import annotations

import msgspec

from valueaudit.bench import Bench


def render_json_bench(bench: Bench) -> str:
    """The measurement as JSON, keys in the order of the schema, two spaces of indent, a line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(bench), indent=2).decode("utf-8") + "\n"


def parse_bench(content: str | bytes) -> Bench:
    """The measurement in a JSON document. Raises `msgspec.ValidationError` or `msgspec.DecodeError` on others."""
    return msgspec.json.decode(content, type=Bench)


def is_bench(head: bytes) -> bool:
    """Whether a file that begins like this is a measurement of ours, or empty."""
    return not head.strip() or (b'"bench"' in head and b'"valueaudit"' in head and head.lstrip()[:1] == b"{")
