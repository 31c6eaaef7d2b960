"""Labelled conversations as numbers, so that training and measuring read them in the same way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from valueaudit.classifiers.embedded_features import FIELDS, Figures, Reading, Vocabulary, read_features
from valueaudit.classifiers.embedded_model import LEVELS, RESPONSES
from valueaudit.classifiers.screening import Screening
from valueaudit.transcript import Location, Message, Role, Transcript

Row = dict[str, Any]
Array = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.int64]
FEWEST_WORD, FEWEST_PAIR = 2, 3


def read_rows(paths: Iterable[str]) -> list[Row]:
    rows = [json.loads(line) for path in paths for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["source"] != "xstest"]


def build_transcript(row: Row) -> Transcript:
    messages = tuple(Message(Role(m["role"]), m["content"]) for m in row["messages"])
    return Transcript(str(row["id"]), Location("training", 1), messages, {})


def find_prompt(row: Row) -> str:
    asked = [m["content"] for m in row["messages"] if m["role"] == "user"]
    return " ".join("".join(c if c.isalnum() else " " for c in (asked or [""])[0].lower()).split())[:120]


@dataclass(frozen=True, slots=True)
class Targets:
    """What is to be learned: one-hot response types and levels, and marks (adverse, stated, subcategories)."""

    responses: Array
    levels: Array
    marks: Array

    def take(self, rows: npt.NDArray[np.int64]) -> Targets:
        return Targets(self.responses[rows], self.levels[rows], self.marks[rows])


def build_targets(rows: Sequence[Row], subcategories: Sequence[str]) -> Targets:
    labels = [row["labels"] for row in rows]
    responses = np.array([[float(label["response_type"] == kind) for kind in RESPONSES] for label in labels])
    levels = np.array([[float(label["subjectivity"] == level + 1) for level in range(LEVELS)] for label in labels])
    shown = [{value["subcategory"] for value in label["ai_values"]} for label in labels]
    marks = [
        [bool(label["adverse"]), bool(label["human_values"]), *(name in names for name in subcategories)]
        for label, names in zip(labels, shown, strict=True)
    ]
    return Targets(responses, levels, np.array(marks, float))


@dataclass(frozen=True, slots=True)
class Material:
    """Conversations as numbers: word rows by field, vectors of the words, figures."""

    vocabulary: Vocabulary
    readings: tuple[Reading, ...]
    rarity: Array
    fields: tuple[sparse.csr_matrix, ...]
    vectors: Array
    figures: Array


def build_material(seen: Sequence[Screening], figures: Figures, vectors: tuple[list[str], Array]) -> Material:
    vocabulary = build_vocabulary(seen, vectors[0])
    readings = [read_features(vocabulary, each, figures.build(each)) for each in seen]
    rarity = find_rarity(readings, len(vocabulary))
    fields = tuple(build_field(readings, field, rarity[field], len(vocabulary)) for field in range(len(FIELDS)))
    known = dict(zip(*vectors, strict=True))
    nothing = np.zeros(vectors[1].shape[1])
    table = np.array([known.get(word, nothing) for word in vocabulary.words])
    return Material(
        vocabulary, tuple(readings), rarity, fields, table, np.array([each.figures for each in readings], float)
    )


def build_vocabulary(seen: Sequence[Screening], vector_words: Sequence[str]) -> Vocabulary:
    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for each in seen:
        sentences = [s.words for m in (*each.asked, *each.replies) for s in m.sentences]
        words.update({word for sentence in sentences for word in sentence})
        pairs.update({pair for s in sentences for pair in pairwise(s)})
    listed = sorted({*vector_words, *(word for word, count in words.items() if count >= FEWEST_WORD)})
    at = {word: number for number, word in enumerate(listed)}
    keys = sorted(
        at[a] * len(listed) + at[b] for (a, b), n in pairs.items() if n >= FEWEST_PAIR and a in at and b in at
    )
    return Vocabulary(listed, np.array(keys, np.int64))


def find_rarity(readings: Sequence[Reading], size: int) -> Array:
    """For each field and row, log((1 + conversations) / (1 + conversations with it)) + 1."""
    counts = np.zeros((len(FIELDS), size))
    for reading in readings:
        columns = np.unique(reading.fields * size + reading.rows)
        counts.reshape(-1)[columns] += 1
    return np.asarray(np.log((1 + len(readings)) / (1 + counts)) + 1, np.float32).astype(float)


def build_field(readings: Sequence[Reading], field: int, rarity: Array, size: int) -> sparse.csr_matrix:
    columns = [reading.rows[reading.fields == field] for reading in readings]
    weights = [rarity[rows] / max(np.linalg.norm(rarity[rows]), 1e-9) for rows in columns]
    starts = np.cumsum([0, *map(len, columns)])
    shape = (len(readings), size)
    matrix = sparse.csr_matrix((np.concatenate(weights), np.concatenate(columns), starts), shape=shape)
    matrix.sum_duplicates()
    return matrix
