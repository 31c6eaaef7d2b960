"""Fine-tunes the encoder on labelled conversations, joins it to the linear model, and measures both on new prompts.

Needs `pip install valueaudit[train]`. Run after train_embedded.py, on the same files:
python benchmarks/train_encoder.py LABELLED.jsonl... --model encoder.npz --card encoder_card.toml
Rows whose source is `xstest` are left out: their completions may be measured with, not trained on.
"""

from __future__ import annotations

import argparse
import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from embedded_card import build_held_out_card, interpret_outputs
from embedded_fit import Loss, build_blocks, draw_lines, measure_losses, squash
from embedded_material import (
    Array,
    Indexes,
    Row,
    Targets,
    build_material,
    build_targets,
    build_transcript,
    find_prompt,
    read_rows,
)
from encoder_fit import Read, answer, find_folder, fine_tune, read_conversations
from encoder_pack import gather_tables, pack_tables
from scipy.optimize import minimize
from train_embedded import build_problems, read_vectors
from transformers import AutoModel

from valueaudit.classifiers.embedded_features import Figures
from valueaudit.classifiers.embedded_model import LEVELS, RESPONSES, load_model
from valueaudit.classifiers.encoder_pieces import START, STOP, UNKNOWN, PieceReader, Pieces
from valueaudit.classifiers.interpreting import Interpreter
from valueaudit.classifiers.phrase_data import load_phrases
from valueaudit.classifiers.screening import Screening, screen
from valueaudit.taxonomy import load_taxonomy

# One prompt in three is held out to measure on.
PARTS = 3
SEED = 0
# Besides the pieces that the conversations have, the first of the vocabulary are kept: those most frequent in English.
FIRST_PIECE, FREQUENT_PIECES = 999, 12_000
_START = len(RESPONSES)
_MARKS = _START + LEVELS
# Outputs that share how much each model counts; those that do not exclude each other have a shift of their own.
_BLOCKS = (
    (slice(0, _START), True),
    (slice(_START, _MARKS), True),
    (slice(_MARKS, _MARKS + 1), False),
    (slice(_MARKS + 1, _MARKS + 2), False),
    (slice(_MARKS + 2, None), False),
)
Fit = Callable[[Sequence[Read], Targets, Indexes, int], Any]


def choose_pieces(seen: Sequence[Screening]) -> tuple[Indexes, list[str]]:
    """The pieces of the encoder's vocabulary to keep, as numbers and spelled."""
    vocabulary = find_folder().joinpath("vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    reader = PieceReader(vocabulary)
    used = {vocabulary.index(piece) for piece in (START, STOP, UNKNOWN)} | set(range(FIRST_PIECE, FREQUENT_PIECES))
    for each in seen:
        used.update(reader.read(each.asked, each.replies).numbers.tolist())
    kept = sorted(used)
    return np.array(kept), [vocabulary[number] for number in kept]


def predict_linear(seen: Sequence[Screening], targets: Targets, train: Indexes, test: Indexes) -> Array:
    """The linear model's outputs for the conversations of `test`, from a fit to those of `train`, calibrated."""
    taxonomy, model = load_taxonomy(), load_model()
    blocks = build_blocks(build_material(seen, Figures(taxonomy, load_phrases()), read_vectors()))
    parts = []
    for problem in build_problems(blocks, targets):
        found = problem.fit(train)
        parts.append(problem.kernel[np.ix_(test, train)] @ found.alphas + found.bias)
    return model.calibrate(np.hstack(parts)).astype(float)


def weigh_both(linear: Array, encoder: Array, targets: Targets) -> dict[str, Array]:
    """How much each model counts for each output, and the shift of the sum, so that probabilities are true."""
    wanted = np.hstack([targets.responses, targets.levels, targets.marks])
    shares = np.zeros((2, linear.shape[1]))
    shift = np.zeros(linear.shape[1])
    for block, exclusive in _BLOCKS:
        pair, loss = (linear[:, block], encoder[:, block]), Loss(wanted[:, block], exclusive)

        def lose(line: Array, pair: tuple[Array, Array] = pair, loss: Loss = loss) -> tuple[float, Array]:
            moved = line[0] * pair[0] + line[1] * pair[1] + (0 if loss.exclusive else line[2:])
            total, slope = measure_losses(moved, [loss])
            shifts = np.zeros(len(line) - 2) if loss.exclusive else slope.sum(axis=0)
            return total, np.array([(slope * pair[0]).sum(), (slope * pair[1]).sum(), *shifts])

        start = np.array([0.5, 0.5, *np.zeros(pair[0].shape[1])])
        bounds = [(0, 5), (0, 5), *[(-5, 5)] * pair[0].shape[1]]
        found = minimize(lose, start, jac=True, method="L-BFGS-B", bounds=bounds).x
        shares[:, block] = found[:2, None]
        shift[block] = found[2:]
    return {"linear share": shares[0], "share": shares[1], "shift": shift}


def join(weights: Mapping[str, Array], linear: Array, encoder: Array) -> Array:
    """The outputs of both models together."""
    return np.asarray(linear * weights["linear share"] + encoder * weights["share"] + weights["shift"])


def train(rows: Sequence[Row], fit: Fit = fine_tune) -> tuple[bytes, str]:
    """The encoder and its card."""
    taxonomy, phrases, linear = load_taxonomy(), load_phrases(), load_model()
    seen = [screen(taxonomy, phrases, build_transcript(row)) for row in rows]
    targets = build_targets(rows, sorted(taxonomy.subcategories))
    kept, vocabulary = choose_pieces(seen)
    encoder = AutoModel.from_pretrained(str(find_folder())).eval()
    read = read_conversations(encoder, list(_read_pieces(seen, vocabulary)), kept)
    parts = np.array([zlib.crc32(find_prompt(row).encode()) % PARTS for row in rows])
    trained, held = np.flatnonzero(parts), np.flatnonzero(parts == 0)
    theirs = predict_linear(seen, targets, trained, held)
    own = answer(fit(read, targets, trained, SEED), [read[number] for number in held])
    truth = targets.take(held)
    weights = weigh_both(theirs, own, truth)
    outputs = join(weights, theirs, own)
    lines = draw_lines(squash(outputs[:, _MARKS:]), truth.marks)
    net = fit(read, targets, np.arange(len(rows)), SEED)
    content = pack_tables(gather_tables(encoder, net, kept) | weights, vocabulary, {"thresholds": lines})
    interpreter = Interpreter(taxonomy, linear, lines)
    observed = [interpret_outputs(interpreter, seen[n], line) for n, line in zip(held, outputs, strict=True)]
    sha256 = hashlib.sha256(content).hexdigest()
    return content, build_held_out_card(rows, held.tolist(), observed, outputs, truth, linear, sha256)


def _read_pieces(seen: Sequence[Screening], vocabulary: Sequence[str]) -> Iterator[Pieces]:
    reader = PieceReader(vocabulary)
    for each in seen:
        yield reader.read(each.asked, each.replies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labelled", nargs="+")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--card", type=Path, required=True)
    options = parser.parse_args()
    content, card = train(read_rows(options.labelled))
    options.model.write_bytes(content)
    options.card.write_text(card, encoding="utf-8")
    print(f"{len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
