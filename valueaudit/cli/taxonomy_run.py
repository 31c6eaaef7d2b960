"""The taxonomy as lines of text: names, where they belong, what they mean."""

from __future__ import annotations

from collections import Counter

from valueaudit.errors import UsageError
from valueaudit.observation import Polarity
from valueaudit.taxonomy import Value, fold, load_taxonomy


def list_subcategories() -> list[str]:
    """Every subcategory with its category and the number of its values."""
    taxonomy = load_taxonomy()
    counts = Counter(value.subcategory for value in taxonomy.values.values())
    lines = [
        f"{s.category}: {s.name} ({counts[s.name]} values)\n  {s.definition}" for s in taxonomy.subcategories.values()
    ]
    return [*lines, "", "valueaudit taxonomy show SUBCATEGORY lists its values"]


def list_values(wanted: str) -> list[str]:
    """The values of the subcategories whose name begins like this. Raises `UsageError` where there is none."""
    taxonomy = load_taxonomy()
    names = [name for name in taxonomy.subcategories if fold(name).startswith(fold(wanted))]
    if not names:
        raise UsageError(f'no subcategory begins with "{wanted}"', help="valueaudit taxonomy show lists them")
    return [_describe(value) for value in taxonomy.values.values() if value.subcategory in names]


def find_values(words: str) -> list[str]:
    """The values that match all words. Raises `UsageError` where there is none."""
    parts = words.casefold().split()
    found = [
        value
        for value in load_taxonomy().values.values()
        if all(part in " ".join((value.name, *value.aliases, value.definition)).casefold() for part in parts)
    ]
    if not found:
        raise UsageError(
            f'no value matches "{words}"', help="try one word, or read a subcategory with valueaudit taxonomy show"
        )
    return [f"{_describe(value)}\n  in {value.category}: {value.subcategory}" for value in found]


def _describe(value: Value) -> str:
    mark = " (adverse)" if value.polarity is Polarity.ADVERSE else ""
    aliases = f"\n  also: {', '.join(value.aliases)}" if value.aliases else ""
    return f"{value.name}{mark}: {value.definition}{aliases}"
