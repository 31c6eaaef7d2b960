"""Open labels and where they belong, so that words a judge invents can be counted beside the taxonomy's own names."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from valueaudit.observation import Polarity
from valueaudit.taxonomy import Subcategory, Taxonomy, fold

How = Literal["exact", "judge", "mapper", "unplaced"]

LABELS_REMEMBERED = 65_536
_TAXONOMIES_REMEMBERED = 8
_NEIGHBOURS = 12
_DEFINITION_WEIGHT = 0.25
LEAST_SIMILARITY = 0.4
LEAST_SHARE = 0.5

_NEGATING_PREFIX = re.compile(r"^(dis|un|in|im|ir|il|non|anti|mis|counter|mal|a)(\w{4,})")
_NEGATING_WORD = re.compile(
    r"absence|against|anti|avoid|avoidance|avoiding|bypassing|circumvention|denial|denying|"
    r"discouraging|disregard|evading|evasion|false|hiding|ignoring|indifference|lack|lacking|"
    r"minimizing|neglect|never|no|non|not|opposing|opposition|preventing|prevention|refusal|"
    r"refusing|rejecting|rejection|resistance|resisting|suppressing|undermining|violating|"
    r"violation|without"
)


class Placement(Struct, frozen=True):
    """Where a label belongs. `value` is the canonical name, or the folded label where there is none.

    `how` is `exact` (a name or alias of the taxonomy), `judge` (the judge named a subcategory), `mapper` (the nearest
    names belong there) or `unplaced`, and then `category` and `subcategory` are None. `polarity` is the taxonomy's,
    else the judge's own mark, else None.
    """

    value: str
    category: str | None
    subcategory: str | None
    polarity: Polarity | None
    how: How


def place(taxonomy: Taxonomy, label: str, *, subcategory: str | None = None, adverse: bool | None = None) -> Placement:
    """The place of a label: by name, else by the judge's own `subcategory`, else by its nearest names, else none.

    `adverse` is the judge's own mark and gives the polarity of a label that the taxonomy does not know.
    """
    known = taxonomy.find(label)
    if known is not None:
        return Placement(known.name, known.category, known.subcategory, known.polarity, "exact")
    value = fold(label)
    polarity = None if adverse is None else Polarity.ADVERSE if adverse else Polarity.POSITIVE
    mapper = _mapper(_Keyed(taxonomy))
    group, how = mapper.named(subcategory), "judge"
    if group is None:
        group, how = mapper.nearest(value), "mapper"
    if group is None:
        return Placement(value, None, None, polarity, "unplaced")
    return Placement(value, group.category, group.name, polarity, "judge" if how == "judge" else "mapper")


class Mapper:
    """Finds the subcategory whose names look most like a label, and abstains where none is near enough.

    Labels and names are compared by the cosine of TF-IDF weights over words and character 3- and 4-grams; the words of
    a definition count a quarter. The twelve nearest names vote, by the square of their likeness. How well that does,
    and how the two limits were chosen: docs/embedded.md.
    """

    def __init__(
        self, taxonomy: Taxonomy, *, least_similarity: float = LEAST_SIMILARITY, least_share: float = LEAST_SHARE
    ) -> None:
        self._least_similarity, self._least_share = least_similarity, least_share
        self._groups = {fold(name): group for name, group in taxonomy.subcategories.items()}
        names = taxonomy.spellings.items()
        self._words = frozenset(w for name, value in names for w in (*name.split(), *fold(value.definition).split()))
        entries = [
            (_profile(name, value.definition), self._negations(name), value.subcategory) for name, value in names
        ]
        seen = Counter(feature for profile, _, _ in entries for feature in profile)
        self._rarity = {feature: math.log(1 + len(entries) / count) for feature, count in seen.items()}
        self._subcategories = taxonomy.subcategories
        self._entries = tuple((negations, subcategory) for _, negations, subcategory in entries)
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for index, (profile, _, _) in enumerate(entries):
            for feature, weight in self._weigh(profile).items():
                self._postings[feature].append((index, weight))
        self.nearest = lru_cache(maxsize=LABELS_REMEMBERED)(self._nearest)

    def named(self, subcategory: str | None) -> Subcategory | None:
        """The subcategory with this name, whatever its case, hyphens or plurals; None where there is none."""
        return None if subcategory is None else self._groups.get(fold(subcategory))

    def _nearest(self, label: str) -> Subcategory | None:
        scores: dict[int, float] = defaultdict(float)
        for feature, weight in self._weigh(_profile(label, "")).items():
            for index, other in self._postings.get(feature, ()):
                scores[index] += weight * other
        ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:_NEIGHBOURS]
        if not ranked or ranked[0][1] < self._least_similarity:
            return None
        negations = self._negations(label)
        if self._entries[ranked[0][0]][0] != negations:
            return None
        votes: dict[str, float] = defaultdict(float)
        for index, score in ranked:
            if self._entries[index][0] == negations:
                votes[self._entries[index][1]] += score * score
        best, share = max(votes.items(), key=lambda item: (item[1], item[0]))
        return self._subcategories[best] if share >= self._least_share * sum(votes.values()) else None

    def _weigh(self, profile: dict[str, float]) -> dict[str, float]:
        weights = {feature: count * self._rarity.get(feature, 0.0) for feature, count in profile.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        return {feature: weight / length for feature, weight in weights.items() if weight} if length else {}

    def _negations(self, label: str) -> frozenset[str]:
        """What turns a label round: a negating word, -less, or a prefix before a word that the taxonomy uses."""
        found = set()
        for word in label.split():
            if _NEGATING_WORD.fullmatch(word):
                found.add("word")
            elif word.endswith("less") and len(word) > 6:
                found.add("less")
            elif (prefix := _NEGATING_PREFIX.match(word)) is not None and prefix[2] in self._words:
                found.add("prefix")
        return frozenset(found)


class _Keyed:
    """A taxonomy as a cache key: its digest stands for its content."""

    __slots__ = ("key", "taxonomy")

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.key = (taxonomy.id, taxonomy.sha256)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and self.key == other.key


@lru_cache(maxsize=_TAXONOMIES_REMEMBERED)
def _mapper(keyed: _Keyed) -> Mapper:
    return Mapper(keyed.taxonomy)


def _profile(name: str, definition: str) -> dict[str, float]:
    features: dict[str, float] = defaultdict(float)
    for word in fold(name).split():
        features[f"={word}"] += 2.0
        padded = f"^{word}$"
        for size in (3, 4):
            for start in range(len(padded) - size + 1):
                features[padded[start : start + size]] += 1.0 / size
    for word in fold(definition).split():
        if len(word) > 3:
            features[f"={word}"] += _DEFINITION_WEIGHT
    return features
