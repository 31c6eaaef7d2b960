"""What to tell whoever names a log in a format nobody knows: what was found in it, and how to have it read."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from valueaudit.errors import InputError
from valueaudit.readers.prompt_response import is_message
from valueaudit.readers.reading import Unknown
from valueaudit.readers.suggesting import find_lists, suggest_mapping
from valueaudit.registry import FORMATS
from valueaudit.renderers.visible import visible

_LISTS = "valueaudit formats lists what is read"
READ_WHY = f"each bad record says why; {_LISTS}, with an example of each"
_SHAPES = (
    "say where its texts lie: --map user=COLUMN,assistant=COLUMN, or --map messages=/LIST,role=/FIELD,text=/FIELD "
    f"for a list of messages; {_LISTS}"
)
_OWN = "valueaudit report and valueaudit check read it; name the chat logs that it was made from"
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def refuse_unknown(unknown: Unknown) -> InputError:
    """The error for a file that begins with this record, in no format that we know."""
    value, name = unknown.record.value, unknown.record.location.source
    own = _name_own(value)
    if own is not None:
        return InputError(f'"{name}" is {own}, no chat log', help=_OWN)
    taken = f"it looks like {unknown.format}, but " if unknown.format is not None else ""
    return InputError(f'"{name}" cannot be understood: {taken}{unknown.reason}', help=advise_on_unknown(value))


def advise_on_bad(unknown: Unknown | None) -> str:
    """What to try where nothing but bad records was found, of which this is the first that is JSON."""
    if unknown is None or (unknown.format is not None and suggest_mapping(unknown.record.value) is None):
        return READ_WHY
    return advise_on_unknown(unknown.record.value)


def advise_on_unknown(value: Any) -> str:
    """What to try, ready to be copied wherever the shape of the record allows."""
    inner = _find_inner(value)
    if inner is not None:
        return f"what lies in its {inner[0]} would be read: jq -c {shlex.quote(inner[1])} FILE > NEW.jsonl"
    found = suggest_mapping(value)
    # what a terminal cannot show cannot be copied from it either
    if found is None or visible(found.mapping) != found.mapping:
        return _SHAPES
    flag = f"--map {shlex.quote(found.mapping)}"
    if not found.names_speakers:
        return f"try {flag}, with role:NAME=user and role:NAME=assistant for the names of its speakers; {_LISTS}"
    return f"try {flag}, and look at what it reads with valueaudit inspect; {_LISTS}"


def _name_own(value: Any) -> str | None:
    """What this is where valueaudit wrote it and it is no conversation."""
    tool = value.get("tool") if isinstance(value, dict) else None
    if not isinstance(tool, dict) or tool.get("name") != "valueaudit" or "schema_version" not in value:
        return None
    return "a records file of valueaudit" if value.get("kind") == "header" else "a report of valueaudit"


def _find_inner(value: Any) -> tuple[str, str] | None:
    """A list in the record whose elements are conversations, as a pointer and as a path of jq."""
    for steps, elements in find_lists(value):
        first = elements[0]
        if steps and not is_message(first) and any(known.recognises(first) for known in FORMATS):
            keys = [f".{step}" if _PLAIN_KEY.fullmatch(step) else f"[{json.dumps(step)}]" for step in steps]
            path = "".join(keys)
            return f'"{"/".join(steps)}"', f"{path if path.startswith('.') else '.' + path}[]"
    return None
