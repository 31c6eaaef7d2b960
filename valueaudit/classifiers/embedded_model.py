"""The trained model: a linear one, so that what each sentence adds to a decision is exact and can be quoted."""

from __future__ import annotations

import hashlib
import io
import json
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from valueaudit.classifiers.embedded_features import FIELDS, Reading, Rows, Vocabulary
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


class Added(Struct, frozen=True):
    """What the entries of a conversation add to the outputs: entry i `parts[i]` times `weights[i]` and `scale`.

    `owners[i]` is the sentence that it belongs to; `scale` has an entry for each output.
    """

    owners: Rows
    parts: Floats
    weights: Floats
    scale: Floats

    def add_up(self, direction: int | Floats, sentences: int) -> npt.NDArray[np.float64]:
        """What each of so many sentences adds to an output, or to a weighted sum of the outputs."""
        if isinstance(direction, int):
            amounts = self.parts[:, direction] * self.scale[direction]
        else:
            amounts = self.parts @ (direction * self.scale)
        return np.bincount(self.owners, amounts * self.weights, sentences).astype(np.float64, copy=False)


class Scores(Struct, frozen=True):
    """What a model says of one conversation, as probabilities, and which sentences they come from.

    `asked` and `said` are how many sentences user and assistant have.
    """

    responses: Floats
    levels: Floats
    marks: Floats
    asked: int
    said: int
    added: tuple[Added, ...]

    @classmethod
    def build(cls, outputs: Floats, reading: Reading, added: tuple[Added, ...]) -> Scores:
        """Probabilities of calibrated outputs."""
        shares = _share(outputs[_RESPONSE]), _share(outputs[_LEVEL]), _squash(outputs[_MARKS:])
        return cls(*shares, reading.asked, reading.said, added)

    def add_up(self, direction: int | Floats) -> npt.NDArray[np.float64]:
        """What each sentence adds to an output, or to a weighted sum of the outputs, the user's before the others."""
        sentences = self.asked + self.said
        return sum((each.add_up(direction, sentences) for each in self.added), np.zeros(sentences))


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

    def calibrate(self, outputs: npt.NDArray[np.floating[Any]]) -> Floats:
        """Outputs whose softmax (response types, levels) or logistic function (marks) is a true probability."""
        return np.asarray(outputs * self._slope + self._shift, np.float32)

    def answer(self, reading: Reading) -> tuple[Floats, Added]:
        """Calibrated outputs, and what they come from."""
        columns, weights = self.weigh(reading)
        parts = self._weights.take(columns, axis=0).astype(np.float32)
        outputs = weights @ parts * self._scale + self._bias + reading.figures @ self._figures
        return self.calibrate(outputs), Added(reading.owners, parts, weights, self._scale * self._slope)

    def score(self, reading: Reading) -> Scores:
        """Probabilities, and what they come from."""
        outputs, added = self.answer(reading)
        return Scores.build(outputs, reading, (added,))


def _share(outputs: Floats) -> Floats:
    raised = np.exp(outputs - outputs.max())
    return np.asarray(raised / raised.sum())


def _squash(outputs: Floats) -> Floats:
    # beyond, a probability is 0 or 1 in 32 bits, and the exponential of more would not fit
    return np.asarray(1 / (1 + np.exp(-outputs.clip(-60, 60))))


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of the model: the digest of its weights, and how it stood to labels of unseen prompts."""

    weights_sha256: str
    counts: dict[str, JudgeCounts]


@cache
def load_card(name: str = "embedded") -> Card:
    """The card that comes with the package for a model, `data/NAME_card.toml`."""
    card = tomllib.loads(files("valueaudit").joinpath(f"data/{name}_card.toml").read_text(encoding="utf-8"))
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
