"""The trained model: a linear one, so that what each sentence adds to a decision is exact and can be quoted."""

from __future__ import annotations

import hashlib
import io
import json
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from valueaudit.classifiers.embedded_features import FIELDS, Reading, Vocabulary
from valueaudit.correction import JudgeCounts
from valueaudit.observation import ResponseType

RESPONSES = tuple(ResponseType)
LEVELS = 4
_COUNTED = ("subjective", "adverse", "stated")
_RESPONSE = slice(0, len(RESPONSES))
_LEVEL = slice(len(RESPONSES), len(RESPONSES) + LEVELS)
_MARKS = len(RESPONSES) + LEVELS
ADVERSE, STATED, FIRST_SUBCATEGORY = _MARKS, _MARKS + 1, _MARKS + 2

Floats = npt.NDArray[np.float32]


class Scores(Struct, frozen=True):
    """What the model says of one conversation, as probabilities, and what each of its entries adds to each output.

    Entry i adds `parts[i]` times `weights[i]` and the scale of the output.
    """

    responses: Floats
    levels: Floats
    marks: Floats
    reading: Reading
    parts: Floats
    weights: Floats
    scale: Floats

    def add_up(self, direction: int | Floats) -> npt.NDArray[np.float64]:
        """What each sentence adds to an output, or to a weighted sum of the outputs, before calibration."""
        if isinstance(direction, int):
            amounts = self.parts[:, direction] * self.scale[direction]
        else:
            amounts = self.parts @ (direction * self.scale)
        sentences = self.reading.asked + self.reading.said
        return np.bincount(self.reading.owners, amounts * self.weights, sentences).astype(np.float64, copy=False)


class EmbeddedModel:
    """Weights that score a `Reading`; the outputs are 7 response types, 4 levels, adverse, stated, 26 subcategories.

    An output is its bias, plus the figures times their weights, plus for each field the sum of the weights of its words
    and pairs, each times its rarity, over the root of the sum of the squared rarities.
    """

    def __init__(self, arrays: dict[str, npt.NDArray[np.generic]], sha256: str) -> None:
        self.sha256 = sha256
        header = json.loads(bytes(arrays["header"]))
        self.subcategories: tuple[str, ...] = tuple(header["subcategories"])
        self.typical: dict[str, str] = header["typical"]
        self.thresholds: dict[str, float] = header["thresholds"]
        words = bytes(arrays["words"]).decode("utf-8").split("\n")
        self.vocabulary = Vocabulary(words, np.cumsum(arrays["pairs"], dtype=np.int64))
        self._rarity = arrays["rarity"].astype(np.float32)
        self._weights = arrays["weights"].astype(np.int8, copy=False).reshape(len(FIELDS) * len(self.vocabulary), -1)
        self._scale = arrays["scale"].astype(np.float32)
        self._figures = arrays["figures"].astype(np.float32)
        self._bias = arrays["bias"].astype(np.float32)
        self._slope = arrays["slope"].astype(np.float32)
        self._shift = arrays["shift"].astype(np.float32)

    def weigh(self, reading: Reading) -> tuple[npt.NDArray[np.int64], Floats]:
        """The column of each entry of a reading in the table of all fields, and its weight there."""
        columns = reading.fields * len(self.vocabulary) + reading.rows
        rarity = self._rarity.take(columns)
        length = np.sqrt(np.bincount(reading.fields, rarity * rarity, len(FIELDS)))
        return columns, (rarity / length.take(reading.fields)).astype(np.float32)

    def score(self, reading: Reading) -> Scores:
        """Calibrated probabilities, and what they come from."""
        columns, weights = self.weigh(reading)
        parts = self._weights.take(columns, axis=0).astype(np.float32)
        outputs = weights @ parts * self._scale + self._bias + reading.figures @ self._figures
        outputs = outputs * self._slope + self._shift
        shares = _share(outputs[_RESPONSE]), _share(outputs[_LEVEL]), _squash(outputs[_MARKS:])
        return Scores(*shares, reading, parts, weights, self._scale)


def _share(outputs: Floats) -> Floats:
    raised = np.exp(outputs - outputs.max())
    return np.asarray(raised / raised.sum())


def _squash(outputs: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-outputs)))


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of the model: the digest of its weights, and how it stood to labels of unseen prompts."""

    weights_sha256: str
    counts: dict[str, JudgeCounts]


@cache
def load_card() -> Card:
    """The card that comes with the package, `data/embedded_card.toml`."""
    card = tomllib.loads(files("valueaudit").joinpath("data/embedded_card.toml").read_text(encoding="utf-8"))
    told = {"resistance": card["response"]["resistance"], **{name: card[name] for name in _COUNTED}}
    counts = {
        name: JudgeCounts(**{f: fields[f] for f in JudgeCounts.__struct_fields__}) for name, fields in told.items()
    }
    return Card(card["weights_sha256"], counts)


@cache
def load_model() -> EmbeddedModel:
    """The model that comes with the package, `data/embedded.npz`."""
    return parse_model(files("valueaudit").joinpath("data/embedded.npz").read_bytes())


def parse_model(content: bytes) -> EmbeddedModel:
    """The model in a NumPy archive; nothing in it is executed."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return EmbeddedModel(arrays, hashlib.sha256(content).hexdigest())
