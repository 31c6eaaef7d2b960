"""Labels by people as they stand in a file, each of them optional, and none of them guessed at: a typo is refused."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from valueaudit.mapper import place
from valueaudit.observation import Polarity, ResponseType
from valueaudit.taxonomy import Subcategory, Taxonomy
from valueaudit.transcript import Metadata

LABELS = "labels"
REFUSAL = "label"
# Röttger et al. 2024, XSTest; a partial refusal is neither
REFUSALS: Mapping[str, bool | None] = {"1_full_compliance": False, "2_full_refusal": True, "3_partial_refusal": None}
_VALUE_FIELDS = ("value", "subcategory", "evidence", "adverse")


class BadLabelsError(Exception):
    """Labels that cannot be used, with the reason in words."""


class LabelledValue(Struct, frozen=True):
    """One value that the assistant shows, by its canonical name where it has one; `polarity` None where unknown."""

    value: str
    category: str
    subcategory: str
    polarity: Polarity | None


class Labels(Struct, frozen=True, kw_only=True):
    """What people say about one conversation; None is what nobody labelled.

    `refused` is a label of the kind of XSTest: the whole reply is a refusal, or full compliance. `declared` says of
    values in a policy whether the assistant upholds or shows them.
    """

    subjectivity: int | None = None
    response_type: ResponseType | None = None
    ai_values: tuple[LabelledValue, ...] | None = None
    human_values: bool | None = None
    adverse: bool | None = None
    refused: bool | None = None
    declared: Mapping[str, bool] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing was labelled."""
        return self == Labels()


def parse_labels(metadata: Metadata, taxonomy: Taxonomy) -> Labels:
    """The labels beside the messages of a record: `labels`, or a `label` as in XSTest.

    Raises `BadLabelsError` where there are neither, or something in them is unknown.
    """
    raw = metadata.get(LABELS)
    if raw is None and REFUSAL in metadata:
        return Labels(refused=REFUSALS[_choose(metadata[REFUSAL], REFUSALS, f'"{REFUSAL}"')])
    if not isinstance(raw, dict):
        found = f'"{LABELS}" is {_name(raw)}' if LABELS in metadata else f'there are no "{LABELS}"'
        raise BadLabelsError(f'{found}, known: an object with {", ".join(_FIELDS)}; or "{REFUSAL}" as in XSTest')
    parsed: dict[str, Any] = {}
    for field, value in raw.items():
        parse = _FIELDS[_choose(field, _FIELDS, "field of labels")]
        if value is not None:
            parsed[field] = parse(value, taxonomy)
    parsed.pop("task", None)
    if parsed.get("adverse") is False and "ai_values" in parsed:
        parsed["ai_values"] = tuple(_as_positive(each) for each in parsed["ai_values"])
    return Labels(**parsed)


def _parse_subjectivity(value: Any, taxonomy: Taxonomy) -> int:
    del taxonomy
    if type(value) is not int or not 1 <= value <= 4:
        raise BadLabelsError(f'"subjectivity" is {_name(value)}, known: 1, 2, 3, 4')
    return value


def _parse_response_type(value: Any, taxonomy: Taxonomy) -> ResponseType:
    del taxonomy
    return ResponseType(_choose(value, tuple(ResponseType), '"response_type"'))


def _parse_bool(value: Any, taxonomy: Taxonomy) -> bool:
    del taxonomy
    if not isinstance(value, bool):
        raise BadLabelsError(f'"adverse" is {_name(value)}, known: true, false')
    return value


def _parse_human_values(value: Any, taxonomy: Taxonomy) -> bool:
    """Whether the user states any value; which ones is not measured."""
    del taxonomy
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadLabelsError('"human_values" is no list of texts, known: [] for none, ["fairness"]')
    return bool(value)


def _parse_task(value: Any, taxonomy: Taxonomy) -> None:
    """Free words that are not measured."""


def _parse_declared(value: Any, taxonomy: Taxonomy) -> dict[str, bool]:
    if not isinstance(value, dict) or not all(isinstance(each, bool) for each in value.values()):
        raise BadLabelsError('"declared" is no object of values and true or false, known: {"deception": false}')
    found: dict[str, bool] = {}
    for label, shown in value.items():
        canonical = taxonomy.find(label)
        name = taxonomy.find_node(label) if canonical is None else canonical.name
        if name is None:
            raise BadLabelsError(f'"declared" has an unknown value "{label}", see valueaudit taxonomy search')
        found[name] = shown
    return found


def _parse_ai_values(value: Any, taxonomy: Taxonomy) -> tuple[LabelledValue, ...]:
    if not isinstance(value, list):
        raise BadLabelsError(f'"ai_values" is {_name(value)}, known: a list, [] for none')
    return tuple(_parse_ai_value(each, taxonomy) for each in value)


def _parse_ai_value(value: Any, taxonomy: Taxonomy) -> LabelledValue:
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        raise BadLabelsError('an entry of "ai_values" has no "value", known: {"value": "honesty", "subcategory": ...}')
    for field in value:
        _choose(field, _VALUE_FIELDS, 'field of "ai_values"')
    name, group, adverse = value["value"], value.get("subcategory"), value.get("adverse")
    if adverse is not None:
        _parse_bool(adverse, taxonomy)
    if group is None and taxonomy.find(name) is None:
        raise BadLabelsError(f'"{name}" has no "subcategory", and the taxonomy does not know it')
    named = None if group is None else _parse_group(group, taxonomy)
    placed = place(taxonomy, name, subcategory=named.name if named else None, adverse=adverse)
    where = named or taxonomy.subcategories[placed.subcategory or ""]
    return LabelledValue(placed.value, where.category, where.name, placed.polarity)


def _parse_group(label: Any, taxonomy: Taxonomy) -> Subcategory:
    found = taxonomy.find_node(label) if isinstance(label, str) else None
    return taxonomy.subcategories[_choose(found or label, taxonomy.subcategories, '"subcategory"')]


def _as_positive(value: LabelledValue) -> LabelledValue:
    """A value of a conversation that is labelled as showing nothing adverse."""
    if value.polarity is not None:
        return value
    return LabelledValue(value.value, value.category, value.subcategory, Polarity.POSITIVE)


_FIELDS: Mapping[str, Callable[[Any, Taxonomy], Any]] = {
    "subjectivity": _parse_subjectivity,
    "task": _parse_task,
    "ai_values": _parse_ai_values,
    "human_values": _parse_human_values,
    "response_type": _parse_response_type,
    "adverse": _parse_bool,
    "declared": _parse_declared,
}


def _choose(value: Any, known: Iterable[str], what: str) -> str:
    """The value, which must be one of those known."""
    names = tuple(known)
    if isinstance(value, str) and value in names:
        return value
    close = difflib.get_close_matches(value, names, n=1) if isinstance(value, str) else []
    hint = f', did you mean "{close[0]}"?' if close else f", known: {', '.join(names)}"
    raise BadLabelsError(f"unknown {what} {_name(value)}{hint}")


def _name(value: Any) -> str:
    """A wrong value for a message: words and numbers as they are, anything longer by its kind."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return json.dumps(value, ensure_ascii=False)
