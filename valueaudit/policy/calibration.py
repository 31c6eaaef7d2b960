"""Calibrations: how often the judge was wrong where people had labelled, and the proof that it is the same judge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from valueaudit.correction import Correction, JudgeCounts
from valueaudit.errors import PolicyError
from valueaudit.policy.reader import read_document, suggest
from valueaudit.policy.waivers import Remark
from valueaudit.policy.yaml_tree import parse_tree
from valueaudit.rules.fields import Text
from valueaudit.taxonomy import Taxonomy

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Calibration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Counts by value, of one judge: its model as it is named and the digest of its prompt."""

    model: Text
    prompt_sha256: Text
    values: dict[str, JudgeCounts]


class CalibrationSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A calibration in the policy itself, or the file that holds it."""

    file: Text = ""
    model: Text = ""
    prompt_sha256: Text = ""
    values: dict[str, JudgeCounts] = {}

    @property
    def inline(self) -> Calibration | None:
        """The calibration that stands in the policy."""
        return None if self.file else Calibration(**{f: getattr(self, f) for f in Calibration.__struct_fields__})


def parse_calibration(content: bytes, path: str, taxonomy: Taxonomy) -> Calibration:
    """The calibration in a YAML or JSON document. Raises `PolicyError` with every problem at once."""
    tree, problems = parse_tree(content)
    calibration = None
    if tree is not None:
        calibration, reading = read_document(tree, Calibration)
        for remark in inspect_calibration(calibration, taxonomy):
            if remark.path not in reading.broken:
                reading.report(remark.path, remark.text)
        problems = [*problems, *reading.problems]
    if calibration is None or problems:
        told = tuple(f"{path}:{mark.line}:{mark.column}: {text}" for mark, text in sorted(set(problems)))
        raise PolicyError(told, help="correct the calibration file, see docs/policy.md")
    return resolve_calibration(calibration, taxonomy)


def inspect_calibration(calibration: Calibration, taxonomy: Taxonomy) -> Iterator[Remark]:
    """Everything that is wrong with a calibration by itself; paths from its own root."""
    if not calibration.model.strip():
        yield Remark(("model",), '"model" is missing: the figures of another judge say nothing about this one')
    if not _SHA256.fullmatch(calibration.prompt_sha256):
        text = f'"prompt_sha256" is "{calibration.prompt_sha256}", known: 64 digits 0-9 and a-f, as in the report'
        yield Remark(("prompt_sha256",), text)
    if not calibration.values:
        yield Remark(("values",), '"values" names no value, a calibration without counts corrects nothing')
    seen: dict[str, str] = {}
    for label, judged in calibration.values.items():
        name = _find(label, taxonomy)
        if name is None:
            yield Remark(("values", label), f'unknown value "{label}"{suggest(label, taxonomy.values)}')
        elif seen.setdefault(name, label) != label:
            yield Remark(("values", label), f'"{label}" is the same as "{seen[name]}"')
        if not judged.true_positives + judged.false_negatives:
            text = f'nothing is known of the sensitivity for "{label}": no conversation that shows it was labelled'
            yield Remark(("values", label), text)
        if not judged.true_negatives + judged.false_positives:
            text = f'nothing is known of the specificity for "{label}": no conversation without it was labelled'
            yield Remark(("values", label), text)


def resolve_calibration(calibration: Calibration, taxonomy: Taxonomy) -> Calibration:
    """The same with canonical names."""
    values = {_find(label, taxonomy) or label: judged for label, judged in calibration.values.items()}
    return replace(calibration, values=values)


def find_correction(calibration: Calibration | None, subject: Iterable[str]) -> Correction | None:
    """The correction of a rule about these values, None where one of them was not calibrated."""
    counts: Mapping[str, JudgeCounts] = {} if calibration is None else calibration.values
    judged = [counts.get(name) for name in subject]
    known = tuple(each for each in judged if each is not None)
    return Correction(known) if known and len(known) == len(judged) else None


def _find(label: str, taxonomy: Taxonomy) -> str | None:
    value = taxonomy.find(label)
    return taxonomy.find_node(label) if value is None else value.name
