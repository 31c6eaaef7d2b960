"""Measures how fast the embedded classifier is, and how it stands to labels, in one run over the same conversations.

The files are those of `valueaudit bench` (docs/bench.md), which prints more of the same figures.
Run: embedded.py PATH...
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from valueaudit.bench import View
from valueaudit.benching import Case, Terms, build_questions, measure
from valueaudit.classifiers.embedded import EmbeddedClassifier
from valueaudit.cli.inputs import plan_inputs
from valueaudit.cli.labelled import read_labelled
from valueaudit.observation import Classified
from valueaudit.taxonomy import load_taxonomy


def main(paths: Iterable[str]) -> None:
    taxonomy = load_taxonomy()
    classifier = EmbeddedClassifier(taxonomy)
    for path in paths:
        labelled = read_labelled(plan_inputs([path]), taxonomy).conversations
        started = time.perf_counter()
        outcomes = [classifier.observe(each.transcript) for each in labelled]
        seconds = time.perf_counter() - started
        characters = sum(len(m.text) for each in labelled for m in each.transcript.messages)
        size = f"{characters / len(labelled):.0f} characters"
        print(f"{path}: {len(labelled)} conversations of {size}, {len(labelled) / seconds:.0f}/s")
        seen = [(o.observation, o.probabilities) if isinstance(o, Classified) else (None, {}) for o in outcomes]
        cases = [Case(path, each.labels, *what) for each, what in zip(labelled, seen, strict=True)]
        for question in measure(cases, build_questions(taxonomy), Terms()):
            print(f"  {question.name}: told {question.answered} of {question.labelled}")
            print(f"    told   {describe(question.views.told)}")
            print(f"    whole  {describe(question.views.whole)}")


def describe(view: View) -> str:
    figures = {name: getattr(view, name) for name in ("kappa", "precision", "recall", "f1")}
    return ", ".join(f"{name} {e.value:.2f}" for name, e in figures.items() if e is not None and e.value is not None)


if __name__ == "__main__":
    main(sys.argv[1:])
