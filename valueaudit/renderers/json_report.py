"""The report as a machine reads it, and back: the one format that every other output can be rebuilt from."""

from __future__ import annotations

import msgspec

from valueaudit.report import Report


def render_json(report: Report) -> str:
    """The report as JSON, keys in the order of the schema, two spaces of indent, a line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode("utf-8") + "\n"


def parse_report(content: str | bytes) -> Report:
    """The report in a JSON document. Raises `msgspec.ValidationError` or `msgspec.DecodeError` on anything else."""
    return msgspec.json.decode(content, type=Report)


def is_json_report(head: bytes) -> bool:
    """Whether a file that begins like this is a JSON report of ours."""
    return b'"schema_version"' in head and b'"valueaudit"' in head and head.lstrip()[:1] == b"{"
