"""From trained layers to the archive that the program reads: integers of 8 bits, a scale for each row or column."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from embedded_material import Indexes
from encoder_fit import FROZEN, LAYERS, Net

_MATRICES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "widened": "intermediate.dense",
    "narrowed": "output.dense",
}
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")


def gather_tables(encoder: Any, net: Net, kept: Indexes) -> dict[str, Any]:
    """Every table of the model by the name that the program knows it by, in 32 bits."""
    embeddings = encoder.embeddings
    typed = embeddings.token_type_embeddings.weight[0]
    tables = {
        "piece states": embeddings.word_embeddings.weight[kept],
        "place states": embeddings.position_embeddings.weight[:256] + typed,
        "side states": net.sides.weight,
        "norm scale": embeddings.LayerNorm.weight,
        "norm shift": embeddings.LayerNorm.bias,
        "head": net.head.weight.T,
        "head shift": net.head.bias,
    }
    for number, layer in enumerate([*encoder.encoder.layer[:FROZEN], *net.layers]):
        for name, path in _MATRICES.items():
            part = layer.get_submodule(path)
            tables |= {f"{number} {name}": part.weight.T, f"{number} {name} shift": part.bias}
        for at, path in enumerate(_NORMS):
            part = layer.get_submodule(path)
            tables |= {f"{number} norm {at} scale": part.weight, f"{number} norm {at} shift": part.bias}
    return {name: table.detach().float().numpy() for name, table in tables.items()}


def pack_tables(tables: Mapping[str, Any], pieces: Sequence[str], header: Mapping[str, object]) -> bytes:
    """The archive: large tables as integers, the others in 32 bits."""
    arrays: dict[str, Any] = {}
    for name, table in tables.items():
        if table.ndim == 2 and name != "side states":
            axis = 1 if name.endswith("states") else 0
            scale = np.abs(table).max(axis=axis, keepdims=True) / 127
            arrays |= {name: np.round(table / scale).astype(np.int8), f"{name} scale": scale.astype(np.float32)}
        else:
            arrays[name] = table.astype(np.float32)
    known = {**header, "arrays": sorted(tables), "layers": LAYERS, "frozen": FROZEN}
    target = io.BytesIO()
    np.savez_compressed(
        target,
        header=np.frombuffer(json.dumps(known, sort_keys=True).encode(), np.uint8),
        pieces=np.frombuffer("\n".join(pieces).encode(), np.uint8),
        **arrays,
    )
    return target.getvalue()
