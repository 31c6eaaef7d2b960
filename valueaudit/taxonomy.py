"""Values, where they belong and whether anybody intends them, so that a judge's free words become countable names."""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from msgspec import Struct

from valueaudit.errors import TaxonomyError
from valueaudit.observation import Polarity

_NOT_WORD = re.compile(r"[^\w]+")
_KEPT_PLURALS = ("ss", "us", "is", "ness")


class Value(Struct, frozen=True):
    """One canonical value: its one-line definition, its place, its polarity and other words for the same thing."""

    name: str
    category: str
    subcategory: str
    polarity: Polarity
    definition: str
    aliases: tuple[str, ...] = ()


class Subcategory(Struct, frozen=True):
    """One of the 26 groups of values."""

    name: str
    category: str
    definition: str


class Taxonomy(Struct, frozen=True):
    """Canonical values by name, and every folded spelling that leads to one."""

    id: str
    sha256: str
    categories: Mapping[str, str]
    subcategories: Mapping[str, Subcategory]
    values: Mapping[str, Value]
    spellings: Mapping[str, Value]

    def find(self, label: str) -> Value | None:
        """The canonical value that a label names, exactly or by an alias, whatever its case, hyphens or plural."""
        return self.spellings.get(fold(label))


@cache
def fold(label: str) -> str:
    """A label reduced to what identifies it: compatibility form, case, hyphens, punctuation and plural s removed."""
    words = _NOT_WORD.sub(" ", unicodedata.normalize("NFKC", label).casefold().replace("_", " ")).split()
    return " ".join(_singular(word) for word in words)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(_KEPT_PLURALS):
        return word[:-1]
    return word


@cache
def load_taxonomy() -> Taxonomy:
    """The taxonomy that comes with the package, `data/taxonomy.toml`."""
    return parse_taxonomy(files("valueaudit").joinpath("data/taxonomy.toml").read_bytes())


def parse_taxonomy(content: bytes) -> Taxonomy:
    """The taxonomy in a TOML document. Raises `TaxonomyError` naming everything that is wrong with it."""
    try:
        document = tomllib.loads(content.decode("utf-8"))
        subcategories = {s["name"]: Subcategory(s["name"], s["category"], s["definition"]) for s in document["subcategories"]}
        values = tuple(
            Value(
                name=entry["name"],
                category=group["category"],
                subcategory=group["name"],
                polarity=Polarity(entry.get("polarity", "positive")),
                definition=entry["definition"],
                aliases=tuple(entry.get("aliases", ())),
            )
            for group in document["subcategories"]
            for entry in group["values"]
        )
        identity, categories = document["id"], document["categories"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise TaxonomyError(f"the taxonomy cannot be read: {error!r}") from error
    problems = [f'subcategory "{s.name}" names no category' for s in subcategories.values() if s.category not in categories]
    spellings: dict[str, Value] = {}
    for value in values:
        for spelling in (value.name, *value.aliases):
            other = spellings.setdefault(fold(spelling), value)
            if other is not value:
                problems.append(f'"{spelling}" of "{value.name}" already leads to "{other.name}"')
    if problems:
        raise TaxonomyError("the taxonomy contradicts itself: " + "; ".join(problems))
    digest = hashlib.sha256(content).hexdigest()
    return Taxonomy(identity, digest, categories, subcategories, {v.name: v for v in values}, spellings)
