"""A small transformer that reads word order, in NumPy; what it says is a sum over word pieces, so it can be quoted."""

from __future__ import annotations

import hashlib
import io
import json
import math
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace
from scipy.special import erf

from valueaudit.classifiers.embedded_features import Reading
from valueaudit.classifiers.embedded_model import Added, EmbeddedModel, Floats, Scores
from valueaudit.classifiers.encoder_pieces import ASSISTANT, NOWHERE, USER, PieceReader, Pieces
from valueaudit.classifiers.screening import Screening

HEADS = 12
# How many conversations the linear model reads in the time that the encoder takes for one, roughly.
SLOWER = 50
_EPSILON = 1e-12
_ROOT_2 = np.float32(math.sqrt(2))
_MATRICES = ("query", "key", "value", "attended", "widened", "narrowed")


class Layer(Struct, frozen=True):
    """One transformer layer (Vaswani et al. 2017): (in, out) matrices and (out,) shifts by name, and two norms."""

    matrices: dict[str, Floats]
    shifts: dict[str, Floats]
    norms: tuple[tuple[Floats, Floats], tuple[Floats, Floats]]

    def __call__(self, states: Floats) -> Floats:
        """The states of the pieces, (pieces, width), after this layer."""
        after = _normalise(states + self._apply("attended", self._attend(states)), *self.norms[0])
        widened = self._apply("widened", after)
        widened *= 0.5 * (1 + erf(widened / _ROOT_2))
        return _normalise(after + self._apply("narrowed", widened), *self.norms[1])

    def _apply(self, name: str, states: Floats) -> Floats:
        return states @ self.matrices[name] + self.shifts[name]

    def _attend(self, states: Floats) -> Floats:
        size, width = states.shape
        query, key, value = (
            self._apply(name, states).reshape(size, HEADS, width // HEADS).swapaxes(0, 1) for name in _MATRICES[:3]
        )
        scores = query @ key.swapaxes(1, 2) / np.float32(math.sqrt(width // HEADS))
        scores -= scores.max(axis=2, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=2, keepdims=True)
        return np.asarray((scores @ value).swapaxes(0, 1).reshape(size, width))


class EncoderModel:
    """Embeddings, layers and a head; the outputs are those of `EmbeddedModel`.

    The head is linear on three means of the last states: over the opening of the last reply, over all that the
    assistant says, over all that the user says. So each piece adds a known amount to each output.
    """

    def __init__(self, arrays: dict[str, npt.NDArray[np.generic]], sha256: str) -> None:
        self.sha256 = sha256
        header = json.loads(bytes(arrays["header"]))
        self.reader = PieceReader(bytes(arrays["pieces"]).decode("utf-8").split("\n"))
        # widened when they are looked up: of each conversation few are needed
        self._pieces, self._piece_scale = arrays["piece states"], arrays["piece states scale"].astype(np.float32)
        weights = {name: _widen(arrays, name) for name in header["arrays"] if name != "piece states"}
        self._places, self._sides = weights["place states"], weights["side states"]
        self._norm = weights["norm scale"], weights["norm shift"]
        self._frozen = header["frozen"]
        self._layers = [_build_layer(weights, number) for number in range(header["layers"])]
        self._head, self._bias = weights["head"], weights["head shift"]
        self.thresholds: dict[str, float] = header["thresholds"]
        self._linear_share, self._share, self._shift = weights["linear share"], weights["share"], weights["shift"]

    def score(self, seen: Screening, reading: Reading, linear: EmbeddedModel) -> Scores:
        """What encoder and linear model say together: each output is a weighted sum of theirs, calibrated."""
        pieces = self.reader.read(seen.asked, seen.replies)
        parts = self.weigh(pieces)
        theirs, added = linear.answer(reading)
        outputs = theirs * self._linear_share + (parts.sum(axis=0) + self._bias) * self._share + self._shift
        owned = (pieces.owners != NOWHERE).nonzero()[0]
        own = Added(pieces.owners[owned], parts[owned], np.ones(len(owned), np.float32), self._share)
        return Scores.build(outputs, reading, (replace(added, scale=added.scale * self._linear_share), own))

    def weigh(self, pieces: Pieces) -> Floats:
        """What each piece adds to each output, (pieces, outputs), before calibration."""
        numbers = pieces.numbers
        states = self._pieces[numbers].astype(np.float32) * self._piece_scale[numbers] + self._places[: len(numbers)]
        states = _normalise(states, *self._norm)
        for number, layer in enumerate(self._layers):
            if number == self._frozen:
                states = states + self._sides[pieces.sides]
            states = layer(states)
        pools = np.array([pieces.opening, pieces.sides == ASSISTANT, pieces.sides == USER], np.float32)
        pools /= np.maximum(pools.sum(axis=1, keepdims=True), 1)
        width = states.shape[1]
        parts = sum(
            pool[:, None] * (states @ self._head[at * width : (at + 1) * width]) for at, pool in enumerate(pools)
        )
        return np.asarray(parts, np.float32)


def _normalise(states: Floats, scale: Floats, shift: Floats) -> Floats:
    states = states - states.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.einsum("ij,ij->i", states, states)[:, None] / states.shape[1] + _EPSILON)
    return np.asarray(states / spread * scale + shift, np.float32)


def _widen(arrays: dict[str, npt.NDArray[np.generic]], name: str) -> Floats:
    """A table as it was before it was cut to 8 bits: integers times the scale of their row or column, if it has one."""
    table = arrays[name].astype(np.float32)
    return table * arrays[f"{name} scale"].astype(np.float32) if f"{name} scale" in arrays else table


def _build_layer(weights: dict[str, Floats], number: int) -> Layer:
    own = {name.removeprefix(f"{number} "): table for name, table in weights.items() if name.startswith(f"{number} ")}
    return Layer(
        {name: own[name] for name in _MATRICES},
        {name: own[f"{name} shift"] for name in _MATRICES},
        tuple((own[f"norm {at} scale"], own[f"norm {at} shift"]) for at in range(2)),  # type: ignore[arg-type]
    )


@cache
def load_encoder() -> EncoderModel:
    """The encoder that comes with the package, `data/encoder.npz`."""
    return parse_encoder(files("valueaudit").joinpath("data/encoder.npz").read_bytes())


def parse_encoder(content: bytes) -> EncoderModel:
    """The encoder in a NumPy archive; nothing in it is executed."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return EncoderModel(arrays, hashlib.sha256(content).hexdigest())
