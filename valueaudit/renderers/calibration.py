"""The counts of a measurement as the `calibration` that a policy takes, so that nobody copies numbers by hand."""

from __future__ import annotations

import msgspec

from valueaudit.bench import Bench
from valueaudit.benching.policy_questions import PREFIX
from valueaudit.correction import JudgeCounts

_START = "# calibration written by valueaudit bench"


def find_calibrated(bench: Bench) -> dict[str, JudgeCounts]:
    """The counts of each value of the policy of which both kinds of labelled conversations were told."""
    found = {}
    for question in bench.questions:
        if question.counts is not None and question.name.startswith(PREFIX):
            judged = question.counts.judged
            shown = judged.true_positives + judged.false_negatives
            if shown and judged.true_negatives + judged.false_positives:
                found[question.name.removeprefix(PREFIX)] = judged
    return found


def render_calibration(bench: Bench) -> str:
    """A YAML document for `calibration: {file: ...}`, or to paste under `calibration:`; see docs/policy.md."""
    lines = [f"{_START}, {bench.run.finished}: {bench.coverage.classified} conversations judged"]
    lines += [f"model: {_quote(bench.classifier.model)}", f"prompt_sha256: {_quote(bench.classifier.prompt_sha256)}"]
    lines.append("values:")
    for value, judged in find_calibrated(bench).items():
        counts = ", ".join(f"{name}: {count}" for name, count in msgspec.structs.asdict(judged).items())
        lines.append(f"  {_quote(value)}: {{{counts}}}")
    return "\n".join(lines) + "\n"


def is_calibration(head: bytes) -> bool:
    """Whether a file that begins like this is a calibration of ours, or empty."""
    return not head.strip() or head.startswith(_START.encode())


def _quote(text: str | None) -> str:
    """Text as YAML 1.2 takes it: as JSON has it."""
    return msgspec.json.encode(text or "").decode()
