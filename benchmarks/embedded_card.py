"""The model card as a document for programs: what the model was trained on and how it did on what it did not see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from embedded_fit import find_f1, find_kappa, share, squash
from embedded_material import Array, Row, Targets

from valueaudit.classifiers.embedded_model import LEVELS, RESPONSES, EmbeddedModel, Scores
from valueaudit.classifiers.interpreting import Interpreter, group_of, name_groups
from valueaudit.classifiers.screening import Screening
from valueaudit.observation import Observation
from valueaudit.taxonomy import load_taxonomy

DRAWS = 500
BINS = 10
SMALLEST_SOURCE = 100
Bools = npt.NDArray[np.bool_]


def build_card(
    rows: Sequence[Row],
    seen: Sequence[Screening],
    outputs: tuple[Array, Array],
    targets: Targets,
    model: EmbeddedModel,
) -> str:
    """The card; `outputs` are calibrated, from fits that saw neither the prompt, nor the source of the conversation."""
    interpreter = Interpreter(load_taxonomy(), model)
    observed, abroad = (
        [interpret_outputs(interpreter, *each) for each in zip(seen, lines, strict=True)] for lines in outputs
    )
    figures = (*_figures(rows, observed, model), *_left_out(rows, abroad, model))
    lines = (*_head(rows, "train_embedded.py", model.sha256), *figures, *_calibration(outputs[0], targets))
    return "\n".join(lines) + "\n"


def build_held_out_card(
    rows: Sequence[Row],
    held: Sequence[int],
    observed: Sequence[Observation],
    outputs: Array,
    targets: Targets,
    model: EmbeddedModel,
    sha256: str,
) -> str:
    """The card of a model measured on some of the rows, `held`, by a fit that saw none of their prompts."""
    figures = _figures([rows[number] for number in held], observed, model)
    head = (*_head(rows, "train_encoder.py", sha256), "\n[held_out]", f"conversations = {len(held)}")
    return "\n".join((*head, *figures, *_calibration(outputs, targets))) + "\n"


def interpret_outputs(interpreter: Interpreter, seen: Screening, line: Array) -> Observation:
    """The observation of a conversation by calibrated outputs; its quotations mean nothing."""
    start = len(RESPONSES) + LEVELS
    parts = (share(line[None, : len(RESPONSES)])[0], share(line[None, len(RESPONSES) : start])[0], squash(line[start:]))
    responses, levels, marks = (part.astype(np.float32) for part in parts)
    asked, said = (sum(len(message.sentences) for message in side) for side in (seen.asked, seen.replies))
    return interpreter.interpret(seen, Scores(responses, levels, marks, asked, said, ()))


def _head(rows: Sequence[Row], script: str, sha256: str) -> Iterator[str]:
    yield f"# Written by benchmarks/{script}: what the model is, and how it did on prompts it did not see."
    yield "# Figures: prompts, or a source, that the fit did not see; 95 % intervals, bootstrapped by conversation."
    yield f'weights_sha256 = "{sha256}"'
    yield f"conversations = {len(rows)}"
    yield "\n[sources]"
    yield from (f"{name} = {count}" for name, count in sorted(Counter(row["source"] for row in rows).items()))


def _figures(rows: Sequence[Row], observed: Sequence[Observation], model: EmbeddedModel) -> Iterator[str]:
    labels = [row["labels"] for row in rows]
    told = [(group_of(label["response_type"]), _group(o)) for label, o in zip(labels, observed, strict=True)]
    truth, found = np.array(told).T
    yield "\n[response_groups]"
    yield _interval("kappa", truth, found, agreement)
    yield f"left_open = {int((found < 0).sum())}"
    for number, name in enumerate(name_groups()):
        yield from _mark(f"response.{name}", truth == number, found == number)
    levels = [(label["subjectivity"] >= 3, o.subjectivity) for label, o in zip(labels, observed, strict=True)]
    rated = np.array([(wanted, level >= 3) for wanted, level in levels if level is not None])
    yield from _mark("subjective", *rated.T)
    yield f"left_open = {len(levels) - len(rated)}"
    yield from _mark("adverse", _of(label["adverse"] for label in labels), _of(o.adverse for o in observed))
    yield from _mark("stated", _of(label["human_values"] for label in labels), _of(o.human_values for o in observed))
    shown = [{value["subcategory"] for value in label["ai_values"]} for label in labels]
    seen = [{value.subcategory for value in o.ai_values or ()} for o in observed]
    wanted = np.array([[name in names for name in model.subcategories] for names in shown])
    given = np.array([[name in names for name in model.subcategories] for names in seen])
    yield "\n[subcategories]"
    yield _interval("micro_f1", wanted, given, lambda a, b: find_f1(a.ravel(), b.ravel()))
    for number, name in enumerate(model.subcategories):
        yield from _mark(f'subcategory."{name}"', wanted[:, number], given[:, number])


def _left_out(rows: Sequence[Row], observed: Sequence[Observation], model: EmbeddedModel) -> Iterator[str]:
    """The main figures for each source of at least 100 conversations, from a fit that saw nothing of that source."""
    for source, count in sorted(Counter(row["source"] for row in rows).items()):
        if count < SMALLEST_SOURCE:
            continue
        numbers = [number for number, row in enumerate(rows) if row["source"] == source]
        lines = list(_figures([rows[n] for n in numbers], [observed[n] for n in numbers], model))
        for name in ("response_groups", "response.resistance", "subjective", "adverse", "stated", "subcategories"):
            start = lines.index(f"\n[{name}]")
            told = [line for line in lines[start + 1 : start + 7] if line.startswith(("kappa", "f1", "micro_f1"))]
            yield f"\n[left_out.{source}.{name}]"
            yield from told[: 1 if name in ("response_groups", "subcategories") else 2]


def _group(observation: Observation) -> int:
    return -1 if observation.response_type is None else group_of(observation.response_type)


def _of(marks: Iterable[object]) -> Bools:
    return np.array([bool(mark) for mark in marks])


def agreement(truth: Array, found: Array) -> float:
    """Cohen's kappa of two labellings; what is left open agrees with nothing."""
    expected = sum((truth == name).mean() * (found == name).mean() for name in np.unique(truth))
    return float(((truth == found).mean() - expected) / (1 - expected))


def _mark(name: str, truth: Bools, found: Bools) -> Iterator[str]:
    yield f"\n[{name}]"
    yield f"true_positives = {int((truth & found).sum())}"
    yield f"false_negatives = {int((truth & ~found).sum())}"
    yield f"true_negatives = {int((~truth & ~found).sum())}"
    yield f"false_positives = {int((~truth & found).sum())}"
    yield _interval("kappa", truth, found, find_kappa)
    yield _interval("f1", truth, found, find_f1)


def _interval(name: str, truth: Any, found: Any, measure: Callable[[Any, Any], float]) -> str:
    random = np.random.default_rng(1)
    drawn = (random.integers(0, len(truth), len(truth)) for _ in range(DRAWS))
    low, high = np.quantile([measure(truth[rows], found[rows]) for rows in drawn], (0.025, 0.975))
    return f"{name} = {{estimate = {measure(truth, found):.3f}, interval = [{low:.3f}, {high:.3f}]}}"


def _calibration(outputs: Array, targets: Targets) -> Iterator[str]:
    """How far probabilities lie from what comes true: the weighted mean gap over ten bins.

    The lines of the calibration were fitted to the same conversations, two figures for each output.
    """
    start = len(RESPONSES) + LEVELS
    responses, levels = share(outputs[:, : len(RESPONSES)]), share(outputs[:, len(RESPONSES) : start])
    marks = squash(outputs[:, start:])
    right = targets.responses.argmax(axis=1) == responses.argmax(axis=1)
    yield "\n[calibration_error]"
    for name, shares, truth in (
        ("response_type", responses.max(axis=1), right),
        ("subjective", levels[:, LEVELS // 2 :].sum(axis=1), targets.levels[:, LEVELS // 2 :].sum(axis=1)),
        ("adverse", marks[:, 0], targets.marks[:, 0]),
        ("stated", marks[:, 1], targets.marks[:, 1]),
        ("subcategory", marks[:, 2:].ravel(), targets.marks[:, 2:].ravel()),
    ):
        bins = np.minimum((shares * BINS).astype(int), BINS - 1)
        gaps = [abs((shares[bins == b] - truth[bins == b]).sum()) for b in range(BINS)]
        yield f"{name} = {sum(gaps) / len(shares):.3f}"
