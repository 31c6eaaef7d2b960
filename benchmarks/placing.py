"""Measures how well labels are placed, on a published tree of values in which each label's place is known.

The tree is a CSV file with the columns cluster_id, name, level and parent_cluster_id (level 0 a value, level 2 its
subcategory), the format of the data of "Values in the Wild" (Huang et al. 2025). Run: placing.py PATH_TO_TREE_CSV
"""

from __future__ import annotations

import csv
import sys
import time
from collections import Counter
from pathlib import Path

from valueaudit.mapper import Mapper, place
from valueaudit.taxonomy import fold, load_taxonomy


def main(path: str) -> None:
    with Path(path).open(encoding="utf-8", newline="") as stream:
        rows = {row["cluster_id"]: row for row in csv.DictReader(stream)}
    taxonomy = load_taxonomy()
    bold = Mapper(taxonomy, least_similarity=0.0, least_share=0.0)
    guesses = 0
    counts: Counter[tuple[str, bool]] = Counter()
    started = time.perf_counter()
    labels = [row for row in rows.values() if row["level"] == "0"]
    for row in labels:
        truth = row
        while truth["level"] != "2":
            truth = rows[truth["parent_cluster_id"]]
        placed = place(taxonomy, row["name"])
        guess = (
            bold.nearest(fold(row["name"]))
            if placed.how != "exact"
            else taxonomy.subcategories[placed.subcategory or ""]
        )
        guesses += guess is not None and fold(guess.name) == fold(truth["name"])
        counts[placed.how, fold(placed.subcategory or "") == fold(truth["name"])] += 1
    seconds = time.perf_counter() - started
    print(f"{len(labels)} labels, {1000 * seconds / len(labels):.2f} ms each")
    report("exact and mapper", counts, ("exact", "mapper"), len(labels))
    report("exact alone", counts, ("exact",), len(labels))
    print(f"without abstention: {guesses} of {len(labels)} rightly ({guesses / len(labels):.1%})")
    unknown = len(labels) - counts["exact", True] - counts["exact", False]
    report("mapper alone", counts, ("mapper",), unknown)


def report(name: str, counts: Counter[tuple[str, bool]], ways: tuple[str, ...], asked: int) -> None:
    right = sum(counts[way, True] for way in ways)
    placed = right + sum(counts[way, False] for way in ways)
    print(
        f"{name}: {placed} of {asked} placed ({placed / max(asked, 1):.1%}), {right} rightly "
        f"({right / max(placed, 1):.1%} of those placed, {right / max(asked, 1):.1%} of all)"
    )


if __name__ == "__main__":
    main(sys.argv[1])
