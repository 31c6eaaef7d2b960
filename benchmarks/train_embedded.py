"""Trains the embedded classifier's model from labelled conversations, and measures it on what it did not see.

Run with one thread, so that the same files give the same bytes:
OPENBLAS_NUM_THREADS=1 python benchmarks/train_embedded.py LABELLED.jsonl... --model embedded.npz --card card.toml
Rows whose source is `xstest` are left out: their completions may be measured with, not trained on.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from embedded_card import build_card
from embedded_fit import Block, Fit, Loss, Weights, build_blocks, build_kernel, calibrate, fit, weigh_blocks
from embedded_material import (
    Array,
    Indexes,
    Material,
    Row,
    Targets,
    build_material,
    build_targets,
    build_transcript,
    find_prompt,
    read_rows,
)

from valueaudit.classifiers.embedded_features import FIELDS, Figures
from valueaudit.classifiers.embedded_model import LEVELS, RESPONSES, parse_model
from valueaudit.classifiers.phrase_data import load_phrases
from valueaudit.classifiers.screening import screen
from valueaudit.taxonomy import Taxonomy, load_taxonomy

VECTORS = Path(__file__).parent / "data" / "word_vectors.npz"
# The wanted mean square of each kind of feature: words and pairs by field, word vectors by field, figures.
RESPONSE_WEIGHTS = {"words": (1.0, 1.3, 1.5, 1.0), "vectors": (0.3, 0.3, 0.3, 0.3), "figures": (4.0,)}
OTHER_WEIGHTS = {"words": (1.0, 1.3, 1.5, 1.0), "vectors": (1.0, 1.2, 1.5, 1.0), "figures": (4.0,)}
RESPONSE_PENALTY, OTHER_PENALTY = 0.4, 1.4
FOLDS = 5
OUTPUTS = len(RESPONSES) + LEVELS


@dataclass(frozen=True, slots=True)
class Problem:
    """Outputs that are fitted together: their kernel over all conversations, and how much each feature counts."""

    factors: list[float]
    kernel: Array
    losses: list[Loss]
    penalty: float

    def fit(self, rows: Indexes) -> Fit:
        losses = [Loss(loss.targets[rows], loss.exclusive) for loss in self.losses]
        return fit(self.kernel[np.ix_(rows, rows)], losses, self.penalty)


def build_problems(blocks: Sequence[Block], targets: Targets) -> list[Problem]:
    chosen: list[tuple[Weights, list[Loss], float]] = [
        (RESPONSE_WEIGHTS, [Loss(targets.responses, True)], RESPONSE_PENALTY),
        (OTHER_WEIGHTS, [Loss(targets.levels, True), Loss(targets.marks, False)], OTHER_PENALTY),
    ]
    return [
        Problem(factors, build_kernel(blocks, factors), losses, penalty)
        for weights, losses, penalty in chosen
        for factors in [weigh_blocks(blocks, weights)]
    ]


def predict_unseen(problems: Sequence[Problem], folds: Indexes) -> Array:
    """Outputs for each conversation, from a fit to the conversations of the other folds."""
    parts = []
    for problem in problems:
        outputs = np.zeros((len(folds), sum(loss.targets.shape[1] for loss in problem.losses)))
        for fold in np.unique(folds):
            train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            found = problem.fit(train)
            outputs[test] = problem.kernel[np.ix_(test, train)] @ found.alphas + found.bias
        parts.append(outputs)
    return np.hstack(parts)


def find_folds(rows: Sequence[Row]) -> Indexes:
    """A fold for each conversation, the same for all with the same prompt."""
    return np.array([zlib.crc32(find_prompt(row).encode()) % FOLDS for row in rows])


def build_weights(material: Material, blocks: Sequence[Block], problems: Sequence[Problem]) -> dict[str, Array]:
    """Weights of vocabulary rows by field, of figures, and biases, fitted to everything."""
    size = len(material.vocabulary)
    tables, figures, biases = [], [], []
    for problem in problems:
        found = problem.fit(np.arange(len(problem.kernel)))
        table = np.zeros((len(FIELDS), size, len(found.bias)))
        for block, factor in zip(blocks, problem.factors, strict=True):
            weights = factor * (block.matrix.T @ found.alphas)
            if block.field is None:
                figures.append(weights)
            elif block.name == "words":
                table[block.field] += weights
            else:
                table[block.field, : len(material.vectors)] += material.vectors @ weights
        tables.append(table)
        biases.append(found.bias)
    return {"weights": np.concatenate(tables, axis=2), "figures": np.hstack(figures), "bias": np.hstack(biases)}


def pack(weights: Mapping[str, Array], material: Material, slope: Array, shift: Array, header: object) -> bytes:
    """The model as a NumPy archive; weights in 8 bits, a scale for each output."""
    table = weights["weights"]
    scale = np.abs(table).max(axis=(0, 1)) / 127
    target = io.BytesIO()
    np.savez_compressed(
        target,
        header=np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8),
        words=np.frombuffer("\n".join(material.vocabulary.words).encode(), np.uint8),
        pairs=np.diff(material.vocabulary.pairs, prepend=0),
        rarity=material.rarity.ravel().astype(np.float16),
        weights=np.round(table / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        figures=weights["figures"].astype(np.float32),
        bias=weights["bias"].astype(np.float32),
        slope=slope.astype(np.float32),
        shift=shift.astype(np.float32),
    )
    return target.getvalue()


def find_typical(rows: Sequence[Row], taxonomy: Taxonomy) -> dict[str, str]:
    """For each subcategory the positive canonical value that labels name most often there, else its first one."""
    named: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for value in row["labels"]["ai_values"]:
            known = taxonomy.find(value["value"])
            if known is not None and known.polarity == "positive" and known.subcategory == value["subcategory"]:
                named[known.subcategory, known.name] += 1
    values = [value for value in taxonomy.values.values() if value.polarity == "positive"]
    first = {value.subcategory: value.name for value in reversed(values)}
    ranked = sorted(named.items(), key=lambda item: (item[1], item[0]))
    return first | {subcategory: name for (subcategory, name), _ in ranked}


def train(rows: Sequence[Row], vectors: tuple[list[str], Array]) -> tuple[bytes, str]:
    """The model and its card."""
    taxonomy, phrases = load_taxonomy(), load_phrases()
    subcategories = sorted(taxonomy.subcategories)
    seen = [screen(taxonomy, phrases, build_transcript(row)) for row in rows]
    material = build_material(seen, Figures(taxonomy, phrases), vectors)
    blocks, targets = build_blocks(material), build_targets(rows, subcategories)
    problems = build_problems(blocks, targets)
    unseen = predict_unseen(problems, find_folds(rows))
    slope, shift, thresholds = calibrate(unseen, targets)
    header = {
        "subcategories": subcategories,
        "thresholds": thresholds,
        "typical": find_typical(rows, taxonomy),
        "figures": list(Figures(taxonomy, phrases).names),
    }
    sources = sorted({row["source"] for row in rows})
    other = predict_unseen(problems, np.array([sources.index(row["source"]) for row in rows]))
    content = pack(build_weights(material, blocks, problems), material, slope, shift, header)
    model = parse_model(content)
    return content, build_card(rows, seen, (unseen * slope + shift, other * slope + shift), targets, model)


def read_vectors(path: Path = VECTORS) -> tuple[list[str], Array]:
    """Words and their vectors."""
    with np.load(path, allow_pickle=False) as archive:
        words = bytes(archive["words"]).decode("utf-8").split("\n")
        return words, archive["vectors"] * archive["scale"].astype(float)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labelled", nargs="+")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--card", type=Path, required=True)
    options = parser.parse_args()
    content, card = train(read_rows(options.labelled), read_vectors())
    options.model.write_bytes(content)
    options.card.write_text(card, encoding="utf-8")
    print(f"{len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
