"""Temporary stand-in."""

from valueaudit.errors import UsageError
from valueaudit.readers.format import Format

MAPPED = "map:"


def parse_mapping(text: str) -> Format:
    """Temporary."""
    raise UsageError(f'"{text}" is no mapping', help="")
