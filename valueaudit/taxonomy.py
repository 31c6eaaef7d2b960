"""Values, where they belong and whether anybody intends them, so that a judge's free words become countable names."""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

from msgspec import Struct

from valueaudit.errors import TaxonomyError
from valueaudit.observation import Polarity

_NOT_WORD = re.compile(r"[^\w]+")
_APOSTROPHES = str.maketrans("", "", "'\N{RIGHT SINGLE QUOTATION MARK}")
_KEPT_PLURALS = ("ss", "us", "is", "ness")
_NO_PLURALS = frozenset({"news", "series", "species"})
_JOINED = frozenset({"non", "anti", "co", "re"})
_JOINED_ONCE = ("well", "being")
_OUR = re.compile(r"(?<=\w{3})our(?=$|(?:able|al|ed|ful|hood|ing|ism|less|ly|ship|s)$)")
_ISE = re.compile(r"^(\w{3,})is(ation|e|ed|er|ing)$")
# words in -ise that no spelling writes with z: advise, comprise, compromise, concise, devise, enterprise, exercise ...
_KEPT_ISE = (
    *(
        "adv",
        "adver",
        "advert",
        "ancho",
        "appr",
        "bru",
        "chast",
        "circumc",
        "compr",
        "conc",
        "cru",
        "dem",
        "desp",
        "dev",
    ),
    *(
        "disgu",
        "erpr",
        "exc",
        "exerc",
        "expert",
        "franch",
        "improv",
        "mal",
        "merchand",
        "mort",
        "otherw",
        "likew",
        "pra",
    ),
    *("parad", "porpo", "prec", "prem", "prom", "rev", "superv", "surpr", "telev", "torto", "treat", "upr", "erra"),
)
_SPELLINGS = {
    "acknowledgement": "acknowledgment",
    "analyse": "analyze",
    "centre": "center",
    "centred": "centered",
    "counselling": "counseling",
    "defence": "defense",
    "enrolment": "enrollment",
    "fulfilment": "fulfillment",
    "judgement": "judgment",
    "judgemental": "judgmental",
    "licence": "license",
    "modelling": "modeling",
    "practise": "practice",
    "programme": "program",
    "sceptic": "skeptic",
    "sceptical": "skeptical",
    "scepticism": "skepticism",
    "skilful": "skillful",
    "wilful": "willful",
}


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

    @property
    def beginnings(self) -> frozenset[str]:
        """The first words, folded, of all labels that name a value with more than one word."""
        first = {spelling.partition(" ")[0] for spelling in self.spellings if " " in spelling}
        return frozenset(first | _JOINED | {_JOINED_ONCE[0]})

    def find_node(self, label: str) -> str | None:
        """The category or subcategory of that name, whatever its case, hyphens or plural."""
        folded = fold(label)
        return next((name for name in (*self.categories, *self.subcategories) if fold(name) == folded), None)


@lru_cache(maxsize=65_536)
def fold(label: str) -> str:
    """A label reduced to what identifies it.

    Gone are compatibility forms, case, hyphens, apostrophes, punctuation and plural s; prefixes such as "non" are
    joined to their word, "well being" is one word, and British spelling becomes American.
    """
    text = unicodedata.normalize("NFKC", label).casefold().translate(_APOSTROPHES).replace("_", " ")
    words: list[str] = []
    for word in _NOT_WORD.sub(" ", text).split():
        word = _american(_singular(word))
        if words and (words[-1] in _JOINED or (words[-1], word) == _JOINED_ONCE):
            word = words.pop() + word
        words.append(word)
    return " ".join(words)


def _singular(word: str) -> str:
    if word in _NO_PLURALS:
        return word
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(_KEPT_PLURALS):
        return word[:-1]
    return word


def _american(word: str) -> str:
    word = _SPELLINGS.get(word, word)
    ise = _ISE.match(word)
    if ise and not ise[1].endswith(_KEPT_ISE):
        word = f"{ise[1]}iz{ise[2]}"
    return _OUR.sub("or", word)


@cache
def load_taxonomy() -> Taxonomy:
    """The taxonomy that comes with the package, `data/taxonomy.toml`."""
    return parse_taxonomy(files("valueaudit").joinpath("data/taxonomy.toml").read_bytes())


def parse_taxonomy(content: bytes) -> Taxonomy:
    """The taxonomy in a TOML document. Raises `TaxonomyError` naming everything that is wrong with it."""
    try:
        document = tomllib.loads(content.decode("utf-8"))
        subcategories = {
            s["name"]: Subcategory(s["name"], s["category"], s["definition"]) for s in document["subcategories"]
        }
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
    problems = [
        f'subcategory "{s.name}" names no category' for s in subcategories.values() if s.category not in categories
    ]
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
