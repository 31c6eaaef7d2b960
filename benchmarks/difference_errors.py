"""How often the bounds of `valueaudit compare` err, beside the score intervals that they are taken instead of.

    python benchmarks/difference_errors.py

For each sample size and margin the change is put exactly at the margin, and the chance of every possible table is added
up: that a lower bound lies above the margin, that an upper bound does not reach it. The largest chance over a grid of
rates of the baseline is printed; 0.05 are promised.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri
from scipy.stats import binom

Floats = NDArray[np.float64]
Bounds = Callable[[Floats, int], tuple[Floats, Floats]]

Z = float(ndtri(0.95))
MARGINS = (0.0, 0.005, 0.01, 0.02, 0.05)
UNPAIRED = ((30, 30), (100, 100), (300, 300), (300, 100), (100, 300), (1000, 200), (1000, 1000))
PAIRED = (30, 100, 300)
RARE = (0.0, 0.0001, 0.0003, 0.001, 0.002, 0.003, 0.005, 0.007)


def bound_exactly(hits: Floats, total: int) -> tuple[Floats, Floats]:
    lower = np.where(hits == 0, 0.0, betaincinv(np.maximum(hits, 1), total - hits + 1, 0.05))
    upper = np.where(hits == total, 1.0, betaincinv(np.minimum(hits + 1, total), np.maximum(total - hits, 1), 0.95))
    return lower, upper


def bound_by_score(hits: Floats, total: int) -> tuple[Floats, Floats]:
    rate = hits / total
    half = Z * np.sqrt(rate * (1 - rate) / total + Z * Z / 4 / total**2)
    middle, scale = rate + Z * Z / 2 / total, 1 + Z * Z / total
    return (middle - half) / scale, (middle + half) / scale


def err_unpaired(bounds: Bounds, new_total: int, base_total: int, margin: float) -> tuple[float, float]:
    new, base = np.arange(new_total + 1.0), np.arange(base_total + 1.0)
    p, q = new / new_total, base / base_total
    (new_lower, new_upper), (base_lower, base_upper) = bounds(new, new_total), bounds(base, base_total)
    difference = p[:, None] - q[None, :]
    lower = difference - np.hypot((p - new_lower)[:, None], (base_upper - q)[None, :])
    upper = difference + np.hypot((new_upper - p)[:, None], (q - base_lower)[None, :])
    worst = [0.0, 0.0]
    for rate in (*RARE, *np.linspace(0.01, 1 - margin, 60)):
        chance_new, chance_base = binom.pmf(new, new_total, rate + margin), binom.pmf(base, base_total, rate)
        for side, event in enumerate((lower > margin, upper <= margin)):
            worst[side] = max(worst[side], float(chance_new @ event @ chance_base))
    return worst[0], worst[1]


def decide_by_score(
    gained: Floats, lost: Floats, pairs: int, margin: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tango 1998, Statistics in Medicine 17, 891-908."""
    b = -gained - lost + (2 * pairs - gained + lost) * margin
    root = np.sqrt(np.maximum(b * b + 8 * pairs * lost * margin * (1 - margin), 0))
    variance = pairs * ((root - b) / (2 * pairs) + margin * (1 - margin))
    excess = gained - lost - pairs * margin
    score = np.where(variance > 0, excess / np.sqrt(np.maximum(variance, 1e-300)), 0.0)
    return score > Z, score <= -Z


def decide_exactly(
    gained: Floats, lost: Floats, pairs: int, margin: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    p, q = gained / pairs, lost / pairs
    (gained_lower, gained_upper), (lost_lower, lost_upper) = bound_exactly(gained, pairs), bound_exactly(lost, pairs)
    both = np.maximum((1 - p) * (1 - q), 1e-300)
    correlation = np.where(p * q > 0, -np.minimum(1.0, np.sqrt(p * q / both)), 0.0)

    def add(first: Floats, second: Floats) -> Floats:
        return np.asarray(np.sqrt(first**2 + second**2 - 2 * correlation * first * second))

    lower = p - q - add(p - gained_lower, lost_upper - q)
    upper = p - q + add(gained_upper - p, q - lost_lower)
    return lower > margin, upper <= margin


def err_paired(pairs: int, margin: float) -> dict[str, tuple[float, float]]:
    axis = np.arange(pairs + 1.0)
    gained, lost = np.meshgrid(axis, axis, indexing="ij")
    possible = gained + lost <= pairs
    gained, lost = np.where(possible, gained, 0), np.where(possible, lost, 0)
    events = {
        "score": decide_by_score(gained, lost, pairs, margin),
        "exact": decide_exactly(gained, lost, pairs, margin),
    }
    worst = dict.fromkeys(events, (0.0, 0.0))
    for rate in (*RARE, *np.linspace(0.01, (1 - margin) / 2, 25)):
        rest = min(1.0, rate / (1 - rate - margin))
        chance = binom.pmf(gained, pairs, rate + margin) * binom.pmf(lost, pairs - gained, rest) * possible
        for name, (above, below) in events.items():
            high, low = worst[name]
            worst[name] = max(high, float(chance[above].sum())), max(low, float(chance[below].sum()))
    return worst


def main() -> None:
    print("worst chance of error: lower bound above the margin, upper bound not reaching it")
    for new_total, base_total in UNPAIRED:
        for margin in MARGINS:
            score = err_unpaired(bound_by_score, new_total, base_total, margin)
            exact = err_unpaired(bound_exactly, new_total, base_total, margin)
            print(f"unpaired {new_total:>4} {base_total:>4} {margin:.3f}  {_tell(score, exact)}")
    for pairs in PAIRED:
        for margin in MARGINS:
            worst = err_paired(pairs, margin)
            print(f"paired   {pairs:>4}      {margin:.3f}  {_tell(worst['score'], worst['exact'])}")


def _tell(score: tuple[float, float], exact: tuple[float, float]) -> str:
    return f"score {score[0]:.4f} {score[1]:.4f}  exact {exact[0]:.4f} {exact[1]:.4f}"


if __name__ == "__main__":
    main()
