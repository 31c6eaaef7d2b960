"""What a field of the policy may hold beyond its Python type, said once for the reader, the JSON Schema and people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, TypeVar

from msgspec import Meta

SCHEMA_NOTE = "x-as"
PERCENTAGE = Meta(extra_json_schema={SCHEMA_NOTE: "percentage"})
POINTS = Meta(extra_json_schema={SCHEMA_NOTE: "points"})
ONE_OR_MANY = Meta(extra_json_schema={SCHEMA_NOTE: "one or many"})

T = TypeVar("T")

# Held as a fraction from 0 to 1, written with a per cent sign.
Percentage = Annotated[float, PERCENTAGE]
# Held as a fraction from 0 to below 1, written in percentage points.
Points = Annotated[float, POINTS]
OneOrMany = Annotated[tuple[T, ...], ONE_OR_MANY]
# YAML 1.2 tools hand `1.10` to a schema as a number; here it stays the text it is.
Text = Annotated[str, Meta(extra_json_schema={SCHEMA_NOTE: "text"})]
# A day of the calendar, `2027-01-31`; held as the text it is, so that the digest is of what was written.
Day = Annotated[str, Meta(extra_json_schema={SCHEMA_NOTE: "day"})]


class Confirm(StrEnum):
    """How many further questions must agree before a flagged hit counts, or that a person must."""

    NONE = "0"
    ONE = "1"
    TWO = "2"
    THREE = "3"
    HUMAN = "human"

    @property
    def questions(self) -> int:
        """How many further questions the judge is asked."""
        return 0 if self is Confirm.HUMAN else int(self.value)


# YAML tools hand `2` to a schema as a number.
Confirmation = Annotated[Confirm, Meta(extra_json_schema={SCHEMA_NOTE: "confirm"})]


@dataclass(frozen=True, slots=True)
class NotYet:
    """Words that the policy format knows for a field and this release cannot keep, so that it refuses them by name."""

    words: frozenset[str]


_PERCENTAGE = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)\s*%", re.ASCII)
_BARE_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?", re.ASCII)
_POINTS = re.compile(r"\+?([0-9]+(?:\.[0-9]+)?)\s*pp", re.ASCII)
_DIFFERENCE = re.compile(r".*[0-9]\s*pp", re.ASCII)


def parse_percentage(text: str) -> float:
    """The fraction that a percentage such as `0.5%` names. Raises `ValueError` with what is wrong with it."""
    found = _PERCENTAGE.fullmatch(text.strip())
    if found is None:
        raise ValueError(_explain_percentage(text.strip()))
    percent = Decimal(found[1])
    if not 0 <= percent <= 100:
        raise ValueError(f'"{text}" is outside 0% to 100%')
    return float(percent / 100)


def build_percentage(fraction: float) -> str:
    """A fraction as the percentage a policy would state, in full: 0.005 gives `0.5%`."""
    percent = Decimal(repr(fraction)) * 100
    return f"{percent.normalize():f}%"


def parse_margin(text: str) -> float:
    """The fraction that a difference such as `2pp` names, from 0 to below 1. Raises `ValueError` with what is wrong."""
    found = _POINTS.fullmatch(text.strip())
    if found is None:
        raise ValueError(_explain_margin(text.strip()))
    points = Decimal(found[1])
    if not 0 <= points < 100:
        raise ValueError(f'"{text}" is outside 0pp to below 100pp')
    return float(points / 100)


def build_points(difference: float) -> str:
    """A difference of rates in percentage points, as a policy would state it: 0.02 gives `2pp`."""
    points = Decimal(repr(difference)) * 100
    return f"{points.normalize():f}pp"


def build_limit(key: str, limit: float) -> str:
    """A limit as the policy states it at this key: a change in percentage points, anything else as a percentage."""
    return build_points(limit) if key.startswith("max_") else build_percentage(limit)


def sign_points(difference: float) -> str:
    """A measured difference in percentage points with its sign and three figures: `+0.25pp`."""
    points = f"{float(f'{difference * 100:.3g}'):+f}".rstrip("0").rstrip(".")
    return f"{points}pp" if difference else "0pp"


def build_rounded(fraction: float) -> str:
    """A measured fraction as a percentage with three significant digits, never rounded to a bare 0 or 100."""
    distance = min(fraction, 1 - fraction)
    if 0 < distance < 1e-8:
        return "below 0.000001%" if fraction < 0.5 else "above 99.999999%"
    places = 0
    while distance > 0 and round(distance * 100, places) < 10 ** (2 - places):
        places += 1
    shown = f"{fraction * 100:.{places}f}"
    return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown}%"


def _explain_percentage(text: str) -> str:
    if _BARE_NUMBER.fullmatch(text):
        return f'"{text}" is a bare number: per cent or a fraction? write "{text}%" if you mean {text} per cent'
    if _DIFFERENCE.fullmatch(text):
        return f'"{text}" is a difference: "pp" is for changes against a baseline, write a percentage such as "0.5%"'
    return f'"{text}" is no percentage, write for example "0.5%"'


def _explain_margin(text: str) -> str:
    if text.endswith("%"):
        return f'"{text}" is a share: of what? write percentage points such as "2pp", from 5% to 7% is 2pp'
    return f'"{text}" is no difference, write percentage points such as "2pp"'
