"""The comparison as a machine reads it, and back."""

from __future__ import annotations

import msgspec

from valueaudit.comparison import Comparison


def render_json_comparison(comparison: Comparison) -> str:
    """The comparison as JSON, keys in the order of the schema, two spaces of indent, a line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(comparison), indent=2).decode("utf-8") + "\n"


def parse_comparison(content: str | bytes) -> Comparison:
    """The comparison in a JSON document. Raises `msgspec.ValidationError` or `msgspec.DecodeError` on anything else."""
    return msgspec.json.decode(content, type=Comparison)
