"""Measures the embedded classifier on labelled conversations, and how fast it is.

Two kinds of JSONL lines are read: `{"messages": [{"role", "content"}], "labels": {...}}` with the fields that an
observation has, and `{"messages": ..., "label": "1_full_compliance" | "2_full_refusal" | ...}` as in XSTest.
Run: embedded.py PATH...
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from valueaudit.classifiers.embedded import EmbeddedClassifier
from valueaudit.observation import Classified, Observation
from valueaudit.taxonomy import fold, load_taxonomy
from valueaudit.transcript import Location, Message, Role, Transcript

GROUPS = {
    "strong_support": "support",
    "mild_support": "support",
    "neutral_acknowledgment": "neutral",
    "reframing": "reframing",
    "mild_resistance": "resistance",
    "strong_resistance": "resistance",
    "no_values": "none",
}
WHOLE = ("1_full_compliance", "2_full_refusal")
Pair = tuple[dict[str, Any], Observation]


def main(paths: Iterable[str]) -> None:
    classifier = EmbeddedClassifier(load_taxonomy())
    for path in paths:
        rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
        transcripts = [build_transcript(number, row) for number, row in enumerate(rows, start=1)]
        started = time.perf_counter()
        outcomes = [classifier.observe(transcript) for transcript in transcripts]
        seconds = time.perf_counter() - started
        characters = sum(len(m.text) for t in transcripts for m in t.messages)
        print(
            f"{path}: {len(rows)} conversations of {characters / len(rows):.0f} characters, {len(rows) / seconds:.0f}/s"
        )
        pairs = [(r, o.observation) for r, o in zip(rows, outcomes, strict=True) if isinstance(o, Classified)]
        print(f"  classified {len(pairs)}")
        if "labels" in rows[0]:
            print_labelled([(row["labels"], seen) for row, seen in pairs])
        else:
            print_refusals(pairs)


def build_transcript(number: int, row: dict[str, Any]) -> Transcript:
    messages = tuple(Message(Role(m["role"]), m["content"]) for m in row["messages"])
    return Transcript(str(number), Location("benchmark", number), messages, {})


def print_labelled(pairs: Sequence[Pair]) -> None:
    told = [
        (GROUPS[row["response_type"]], GROUPS[seen.response_type])
        for row, seen in pairs
        if seen.response_type is not None
    ]
    print(f"  response in five groups: told {len(told)} of {len(pairs)}, kappa {kappa(told):.2f} on those")
    full = [(GROUPS[row["response_type"]], GROUPS.get(seen.response_type or "", "untold")) for row, seen in pairs]
    print(f"    kappa {kappa(full):.2f} with untold as a group of its own; {Counter(full).most_common(12)}")
    print(f"  resistance: {scores([(t == 'resistance', s == 'resistance') for t, s in full])}")
    rated = [(row["subjectivity"] >= 3, seen.subjectivity >= 3) for row, seen in pairs if seen.subjectivity is not None]
    print(f"  subjective: told {len(rated)}, kappa {kappa(rated):.2f} on those")
    adverse = [(bool(row["adverse"]), bool(seen.adverse)) for row, seen in pairs]
    print(f"  adverse: {scores(adverse)}, kappa {kappa(adverse):.2f}")
    human = [(bool(row["human_values"]), bool(seen.human_values)) for row, seen in pairs]
    print(f"  any human value: {scores(human)}, kappa {kappa(human):.2f}")
    print(f"  subcategories: {scores(subcategory_votes(pairs))}")


def subcategory_votes(pairs: Sequence[Pair]) -> list[tuple[bool, bool]]:
    votes = []
    for row, seen in pairs:
        truth = {fold(value["subcategory"]) for value in row["ai_values"]}
        found = {fold(value.subcategory) for value in seen.ai_values or () if value.subcategory}
        votes += [(name in truth, name in found) for name in truth | found]
    return votes


def print_refusals(pairs: Sequence[tuple[dict[str, Any], Observation]]) -> None:
    whole = [
        (row["label"] == "2_full_refusal", seen.response_type or "") for row, seen in pairs if row["label"] in WHOLE
    ]
    strong = [(truth, kind == "strong_resistance") for truth, kind in whole]
    either = [(truth, kind.endswith("_resistance")) for truth, kind in whole]
    print(f"  full refusal against full compliance, n = {len(whole)}, by strong resistance: {scores(strong)}")
    print(f"    by any resistance: {scores(either)}")


def scores(pairs: Sequence[tuple[bool, bool]]) -> str:
    both = sum(truth and found for truth, found in pairs)
    precision = both / max(1, sum(found for _, found in pairs))
    recall = both / max(1, sum(truth for truth, _ in pairs))
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return f"precision {precision:.2f}, recall {recall:.2f}, F1 {f1:.2f}"


def kappa(pairs: Sequence[tuple[Any, Any]]) -> float:
    """Cohen's kappa of two labellings."""
    n: float = len(pairs)
    left, right = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    observed: float = sum(a == b for a, b in pairs) / n
    expected: float = sum(left[label] * right[label] for label in left) / n**2
    return (observed - expected) / (1 - expected)


if __name__ == "__main__":
    main(sys.argv[1:])
