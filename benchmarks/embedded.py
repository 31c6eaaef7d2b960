"""Measures how fast the embedded classifier is, and how it stands to labels, in one run over the same conversations.

The files are those of `valueaudit bench` (docs/bench.md), which prints more of the same figures. Speed is measured on
them as they are, and on conversations made of them that are about as long as those people have (600 tokens). Times are
of the processor, so that other work on the machine counts less; parsing alone and splitting alone stand beside them.
Run: embedded.py PATH...
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from valueaudit.bench import View
from valueaudit.benching import Case, Terms, build_questions, measure
from valueaudit.classifiers.embedded import EmbeddedClassifier
from valueaudit.cli.inputs import plan_inputs
from valueaudit.cli.labelled import read_labelled
from valueaudit.observation import Classified
from valueaudit.taxonomy import load_taxonomy
from valueaudit.transcript import Message, Role, Transcript

T = TypeVar("T")

CHARACTERS = 2600
CONVERSATIONS = 2000
RUNS = 3
_LOADING = """
import resource, time
started = time.process_time()
from valueaudit.classifiers.embedded import EmbeddedClassifier
from valueaudit.taxonomy import load_taxonomy
imported = time.process_time()
EmbeddedClassifier(load_taxonomy()).info
loaded = time.process_time()
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"loading: importing {imported - started:.2f} s, the rest {loaded - imported:.2f} s, {memory:.0f} MB")
"""


def main(paths: Iterable[str]) -> None:
    subprocess.run([sys.executable, "-c", _LOADING], check=True)
    taxonomy = load_taxonomy()
    classifier = EmbeddedClassifier(taxonomy)
    for path in paths:
        labelled = read_labelled(plan_inputs([path]), taxonomy).conversations
        transcripts = [each.transcript for each in labelled]
        print(path)
        measure_speed("as they are", classifier, transcripts)
        measure_speed("a question and an answer", classifier, list(join(transcripts, together=True)))
        measure_speed("many turns", classifier, list(join(transcripts, together=False)))
        outcomes = [classifier.observe(each) for each in transcripts]
        seen = [(o.observation, o.probabilities) if isinstance(o, Classified) else (None, {}) for o in outcomes]
        cases = [Case(path, each.labels, *what) for each, what in zip(labelled, seen, strict=True)]
        for question in measure(cases, build_questions(taxonomy), Terms()):
            print(f"  {question.name}: told {question.answered} of {question.labelled}")
            print(f"    told   {describe(question.views.told)}")
            print(f"    whole  {describe(question.views.whole)}")


def join(transcripts: Sequence[Transcript], *, together: bool) -> Iterable[Transcript]:
    """Conversations of about `CHARACTERS`, each of several that follow each other; `together`: one message a side."""
    for start in range(CONVERSATIONS):
        messages: list[Message] = []
        at = start
        while sum(len(m.text) for m in messages) < 0.75 * CHARACTERS:
            messages += transcripts[at % len(transcripts)].messages
            at += 1
        if together:
            sides = [(role, [m.text for m in messages if m.role is role]) for role in (Role.USER, Role.ASSISTANT)]
            messages = [Message(role, "\n\n".join(texts)) for role, texts in sides if texts]
        yield msgspec.structs.replace(transcripts[start % len(transcripts)], messages=tuple(messages))


def measure_speed(name: str, classifier: EmbeddedClassifier, transcripts: Sequence[Transcript]) -> None:
    """Prints the speed of the fastest of some runs, and that of parsing and splitting the same texts."""
    texts = [[m.text for m in each.messages] for each in transcripts]
    lines = [json.dumps(each) for each in texts]
    count = len(transcripts)
    spent = spend(classifier.observe, transcripts)
    parsing = spend(json.loads, lines)
    splitting = spend(str.split, [text for each in texts for text in each])
    size = sum(len(text) for each in texts for text in each) / count
    print(f"  {name}: {count} of {size:.0f} characters in {sum(map(len, texts)) / count:.1f} messages:", end=" ")
    print(f"{count / spent:.0f}/s, {spent / count * 1e6:.0f} us each; ", end="")
    print(f"parsing {parsing / count * 1e6:.0f} us, splitting {splitting / count * 1e6:.0f} us")


def spend(work: Callable[[T], object], items: Sequence[T]) -> float:
    """The seconds of processor time of the fastest run over all items."""
    seconds = []
    for _ in range(RUNS):
        started = time.process_time()
        for item in items:
            work(item)
        seconds.append(time.process_time() - started)
    return min(seconds)


def describe(view: View) -> str:
    figures = {name: getattr(view, name) for name in ("kappa", "precision", "recall", "f1")}
    return ", ".join(f"{name} {e.value:.2f}" for name, e in figures.items() if e is not None and e.value is not None)


if __name__ == "__main__":
    main(sys.argv[1:])
