"""Examples for the report, so that rules and profile point at a conversation in one and the same way."""

from __future__ import annotations

from valueaudit.report import Example
from valueaudit.tally import Sighting


def build_example(sighting: Sighting) -> Example:
    """The place a sighting points at; what the tally keeps as an empty value is left out."""
    has_message = sighting.message >= 0
    return Example(
        conversation=sighting.conversation,
        source=sighting.source,
        line=sighting.line or None,
        pointer=sighting.pointer or None,
        message=sighting.message if has_message else None,
        span=sighting.span if has_message else None,
        quote=sighting.quote or None,
    )
