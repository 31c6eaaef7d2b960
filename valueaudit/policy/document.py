"""The policy file declared once: the reader, the JSON Schema and the canonical digest all follow from here."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, cast

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo

from valueaudit.policy.calibration import CalibrationSource
from valueaudit.policy.waivers import Waiver
from valueaudit.rules import RULE_KINDS, Rule, Severity
from valueaudit.rules.fields import SCHEMA_NOTE, NotYet, OneOrMany, Percentage, Text


class Gate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the verdict is reached; percentages as fractions."""

    not_yet: ClassVar[frozenset[str]] = frozenset({"looks", "sampling"})

    confidence: Percentage = 0.95
    fail_on: Severity = Severity.LOW
    inconclusive: Literal["block", "warn"] = "block"
    min_units: Annotated[int, Meta(ge=1)] = 1
    max_unclassified: Percentage = 0.01
    trust_judge: bool = False
    cluster: Text = ""
    judge: Literal["any", "llm"] = "any"


class DocumentHead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything in the policy file but its rules."""

    not_yet: ClassVar[frozenset[str]] = frozenset({"judge"})

    version: Literal[1]
    policy: Text
    revision: Text = ""
    owner: Text = ""
    approved_by: Text = ""
    approved_date: Text = ""
    review_by: Text = ""
    purpose: Text = ""
    unit: Annotated[Literal["conversation"], NotYet(frozenset({"message", "reply", "session", "turn", "user"}))] = (
        "conversation"
    )
    taxonomy: Text = ""
    gate: Gate = Gate()
    contexts: dict[str, dict[str, OneOrMany[Text]]] = {}
    waivers: tuple[Waiver, ...] = ()
    calibration: CalibrationSource | None = None

    @property
    def sections(self) -> dict[str, tuple[Rule, ...]]:
        """The rules of each kind, in the order of the file."""
        stated = {kind.section: getattr(self, kind.section) for kind in RULE_KINDS}
        return {name: rules if isinstance(rules, tuple) else (rules,) for name, rules in stated.items() if rules}


PolicyDocument = cast(
    type[DocumentHead],
    msgspec.defstruct(
        "PolicyDocument",
        [(k.section, k | None, None) if k.single else (k.section, tuple[k, ...], ()) for k in RULE_KINDS],  # type: ignore[valid-type]
        bases=(DocumentHead,),
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        module=__name__,
    ),
)


def names_taxonomy(wanted: str, id: str, sha256: str) -> bool:
    """Whether what a policy says under `taxonomy` is the taxonomy of this id and digest: by either of them."""
    return wanted.strip() == id or wanted.strip().lower() == f"sha256:{sha256}"


def digest_document(document: DocumentHead) -> str:
    """The sha256 of what a policy says, in hexadecimal: the order of keys, comments, spacing and stated defaults do
    not matter, the order of rules does."""
    canonical = json.dumps(_canonical(document), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def schema_of_policy() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the policy file."""
    schema = _settle(msgspec.json.schema(PolicyDocument))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _canonical(value: Any) -> Any:
    if isinstance(value, Struct):
        stated = {f.encode_name: getattr(value, f.name) for f in _fields(type(value)) if _is_stated(value, f)}
        return {key: found for key, item in stated.items() if (found := _canonical(item)) not in ({}, [])}
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_canonical(item) for item in value]
    return value


@cache
def _fields(struct: type[Struct]) -> tuple[FieldInfo, ...]:
    # msgspec evaluates the annotations of a type anew for each call, which takes half a millisecond.
    return msgspec.structs.fields(struct)


def _is_stated(value: Struct, field: FieldInfo) -> bool:
    return bool(getattr(value, field.name) != field.default)


def _settle(node: Any) -> Any:
    """The schema as people write the file: percentages as text, one or a list, and no null."""
    if isinstance(node, list | tuple):
        return [_settle(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _settle(item) for key, item in node.items() if key not in (SCHEMA_NOTE, "default")}
    for choice in found.pop("anyOf", ()):
        # The only unions are "this or nothing", and nothing is said by leaving the key out.
        found |= choice if choice != {"type": "null"} else {}
    match node.get(SCHEMA_NOTE):
        case "percentage":
            return {"type": "string", "pattern": r"^\+?[0-9]+(\.[0-9]+)?\s*%$"}
        case "points":
            return {"type": "string", "pattern": r"^\+?[0-9]+(\.[0-9]+)?\s*pp$"}
        case "one or many":
            return {"anyOf": [found["items"], {"type": "array", "items": found["items"], "minItems": 1}]}
        case "confirm":
            return {"enum": [0, 1, 2, 3, "human"]}
        case "day":
            return {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
        case "text":
            return {"type": ["string", "number", "boolean"]}
    return found
