"""Penalised regression in the space of a kernel: few conversations, many features, and always the same result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from embedded_material import Array, Material, Targets
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

Weights = Mapping[str, tuple[float, ...]]
STEPS = 60
JITTER = 1e-6
# A higher line raises fewer false alarms; so much of kappa or F1 is given for it.
TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Block:
    """Features of one kind, a row for each conversation; `field` is None for figures."""

    name: str
    field: int | None
    matrix: Any


def build_blocks(material: Material) -> list[Block]:
    size = len(material.vocabulary.words)
    blocks = [Block("words", field, matrix) for field, matrix in enumerate(material.fields)]
    blocks += [Block("vectors", f, matrix[:, :size] @ material.vectors) for f, matrix in enumerate(material.fields)]
    return [*blocks, Block("figures", None, material.figures)]


def weigh_blocks(blocks: Sequence[Block], weights: Weights) -> list[float]:
    """The square of the factor of each block that gives its features the wanted mean square."""
    squares = [b.matrix.multiply(b.matrix).sum() if b.name == "words" else (b.matrix**2).sum() for b in blocks]
    return [
        weights[block.name][block.field or 0] * block.matrix.shape[0] / float(square)
        for block, square in zip(blocks, squares, strict=True)
    ]


def build_kernel(blocks: Sequence[Block], factors: Sequence[float]) -> Array:
    kernel: Array = np.zeros((blocks[0].matrix.shape[0],) * 2)
    for block, factor in zip(blocks, factors, strict=True):
        inner = block.matrix @ block.matrix.T
        kernel += factor * (inner.toarray() if block.name == "words" else inner)
    return kernel


@dataclass(frozen=True, slots=True)
class Fit:
    """What each training conversation adds to each output, and the biases."""

    alphas: Array
    bias: Array


def fit(kernel: Array, losses: Sequence[Loss], penalty: float) -> Fit:
    """Softmax and logistic regression with an L2 penalty, all outputs at once, in the space of the kernel."""
    # any root of the kernel serves, and this one is the fastest; twins would make it singular
    root = np.linalg.cholesky(kernel + JITTER * np.trace(kernel) / len(kernel) * np.eye(len(kernel)))
    features = np.hstack([root, np.ones((len(kernel), 1))]).astype(np.float32)
    shape = (features.shape[1], sum(loss.targets.shape[1] for loss in losses))
    penalties = np.full((shape[0], 1), penalty)
    penalties[-1] = 1e-3

    def lose(flat: Array) -> tuple[float, Array]:
        weights = flat.reshape(shape)
        total, slope = measure_losses((features @ weights.astype(np.float32)).astype(float), losses)
        slopes = features.T @ slope.astype(np.float32) + penalties * weights
        return total + 0.5 * float((penalties * weights**2).sum()), slopes.ravel()

    start = np.zeros(shape[0] * shape[1])
    found = minimize(lose, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "maxcor": 8})
    weights = found.x.reshape(shape)
    return Fit(solve_triangular(root, weights[:-1], trans="T", lower=True), weights[-1])


@dataclass(frozen=True, slots=True)
class Loss:
    """Targets that exclude each other (`exclusive`, a softmax) or stand each for itself."""

    targets: Array
    exclusive: bool


def measure_losses(outputs: Array, losses: Sequence[Loss]) -> tuple[float, Array]:
    """Cross entropy and its slope by each output."""
    slopes, total, start = [], 0.0, 0
    for loss in losses:
        part = outputs[:, start : start + loss.targets.shape[1]]
        start += loss.targets.shape[1]
        if loss.exclusive:
            shares = share(part)
            total -= float((loss.targets * np.log(shares + 1e-12)).sum())
        else:
            shares = squash(part)
            total += float((np.logaddexp(0, part) - loss.targets * part).sum())
        slopes.append(shares - loss.targets)
    return total, np.hstack(slopes)


def share(outputs: Array) -> Array:
    raised = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def squash(outputs: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-outputs)))


def calibrate(outputs: Array, targets: Targets) -> tuple[Array, Array, dict[str, float]]:
    """Slope and shift of each output that make probabilities of unseen conversations true, and where to draw lines.

    Shares get one slope for all (temperature), marks a slope and a shift each (Platt 1999). The lines are those of the
    best kappa (adverse, stated), of the best micro-F1 (subcategories), or higher where that costs next to nothing.
    """
    slope, shift = np.ones(outputs.shape[1]), np.zeros(outputs.shape[1])
    start = 0
    for wanted in (targets.responses, targets.levels):
        part = slice(start, start + wanted.shape[1])
        slope[part] = _fit_line(outputs[:, part], Loss(wanted, True))[0]
        start = part.stop
    for mark in range(targets.marks.shape[1]):
        column = start + mark
        loss = Loss(targets.marks[:, [mark]], False)
        slope[column], shift[column] = _fit_line(outputs[:, [column]], loss)
    return slope, shift, draw_lines(squash(outputs[:, start:] * slope[start:] + shift[start:]), targets.marks)


def draw_lines(shares: Array, marks: Array) -> dict[str, float]:
    """From which probability on a mark is given: adverse, stated, and one line for all subcategories."""
    return {
        "adverse": _find_line(shares[:, 0], marks[:, 0], find_kappa),
        "stated": _find_line(shares[:, 1], marks[:, 1], find_kappa),
        "subcategory": _find_line(shares[:, 2:].ravel(), marks[:, 2:].ravel(), find_f1),
    }


def _fit_line(outputs: Array, loss: Loss) -> tuple[float, float]:
    def lose(line: Array) -> tuple[float, Array]:
        moved = outputs * line[0] + (0 if loss.exclusive else line[1])
        total, slope = measure_losses(moved, [loss])
        return total, np.array([(slope * outputs).sum(), 0 if loss.exclusive else slope.sum()])

    found = minimize(lose, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.05, 5), (-5, 5)]).x
    return float(found[0]), float(found[1])


def _find_line(shares: Array, truth: Array, measure: Callable[[Array, Array], float]) -> float:
    lines = np.round(np.arange(0.1, 0.8, 0.02), 2)
    measured = [measure(truth, (shares >= line).astype(float)) for line in lines]
    return float(max(line for line, value in zip(lines, measured, strict=True) if value >= max(measured) - TOLERANCE))


def find_kappa(truth: Array, found: Array) -> float:
    """Cohen's kappa of two markings."""
    expected = truth.mean() * found.mean() + (1 - truth.mean()) * (1 - found.mean())
    return float(((truth == found).mean() - expected) / max(1 - expected, 1e-9))


def find_f1(truth: Array, found: Array) -> float:
    """F1 of a marking."""
    return float(2 * (truth * found).sum() / max(1.0, truth.sum() + found.sum()))
