"""Calibrations: how often the judge was wrong where people had labelled, and the proof that it is the same judge."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from valueaudit.correction import Correction, JudgeCounts
from valueaudit.errors import PolicyError
from valueaudit.observation import ResponseType
from valueaudit.policy.reader import read_document, suggest
from valueaudit.policy.waivers import Remark
from valueaudit.policy.yaml_tree import parse_tree
from valueaudit.rules import DriftRule, Enforce, ResponseRule, Rule
from valueaudit.rules.base import Limit, ValueRule
from valueaudit.rules.fields import Text
from valueaudit.taxonomy import Taxonomy

_MOST_NAMED = 20
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Calibration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Counts of one judge: its model as it is named and the digest of its prompt.

    By value (or branch) that is upheld or shown, by intended value that is violated, and by response type.
    """

    model: Text
    prompt_sha256: Text
    values: dict[str, JudgeCounts] = {}
    violations: dict[str, JudgeCounts] = {}
    responses: dict[str, JudgeCounts] = {}


class CalibrationSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A calibration in the policy itself, or the file that holds it."""

    file: Text = ""
    model: Text = ""
    prompt_sha256: Text = ""
    values: dict[str, JudgeCounts] = {}
    violations: dict[str, JudgeCounts] = {}
    responses: dict[str, JudgeCounts] = {}

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
    if not (calibration.values or calibration.violations or calibration.responses):
        yield Remark(("values",), '"values" names no value, a calibration without counts corrects nothing')
    yield from _inspect_counts("values", calibration.values, lambda label: _find(label, taxonomy), taxonomy.values)
    yield from _inspect_counts(
        "violations", calibration.violations, lambda label: _find_value(label, taxonomy), taxonomy.values
    )
    types = {str(kind): str(kind) for kind in ResponseType}
    yield from _inspect_counts("responses", calibration.responses, types.get, types)


def _inspect_counts(
    key: str, counts: Mapping[str, JudgeCounts], find: Callable[[str], str | None], known: Iterable[str]
) -> Iterator[Remark]:
    what = "response type" if key == "responses" else "value"
    seen: dict[str, str] = {}
    for label, judged in counts.items():
        name = find(label)
        if name is None:
            yield Remark((key, label), f'unknown {what} "{label}"{suggest(label, known)}')
        elif seen.setdefault(name, label) != label:
            yield Remark((key, label), f'"{label}" is the same as "{seen[name]}"')
        if not judged.true_positives + judged.false_negatives:
            text = f'nothing is known of the sensitivity for "{label}": no conversation that shows it was labelled'
            yield Remark((key, label), text)
        if not judged.true_negatives + judged.false_positives:
            text = f'nothing is known of the specificity for "{label}": no conversation without it was labelled'
            yield Remark((key, label), text)


def resolve_calibration(calibration: Calibration, taxonomy: Taxonomy) -> Calibration:
    """The same with canonical names."""
    values = {_find(label, taxonomy) or label: judged for label, judged in calibration.values.items()}
    violations = {_find_value(label, taxonomy) or label: judged for label, judged in calibration.violations.items()}
    return replace(calibration, values=values, violations=violations)


def find_correction(calibration: Calibration | None, rule: Rule, limit: Limit) -> Correction | None:
    """The correction of one limit, None where the judge's errors on it are not known."""
    if calibration is None or find_uncorrected(calibration, rule, limit) is not None:
        return None
    counts = _choose_counts(calibration, rule, limit)
    return Correction(tuple(counts[name] for name in rule.subject()))


def find_uncorrected(calibration: Calibration, rule: Rule, limit: Limit) -> str | None:
    """Why a calibration does not correct one limit, None where it does."""
    if isinstance(rule, DriftRule):
        return "a change is between two audits by one judge"
    if not isinstance(rule, ValueRule | ResponseRule):
        return "what it counts cannot be labelled value by value"
    if isinstance(rule, ResponseRule) and limit.direction == "at_least" and len(rule.type) > 1:
        return "of several response types together nobody knows how many flags are wrong"
    counts = _choose_counts(calibration, rule, limit)
    missing = [f'"{name}"' for name in rule.subject() if name not in counts]
    what = "violations of " if limit.counts == "violated" else ""
    return f"{what}{', '.join(missing[:_MOST_NAMED])} not calibrated" if missing else None


def explain_uncorrected(calibration: Calibration, rules: Iterable[Rule]) -> str | None:
    """The limits that a calibration leaves as they are, each with its reason, in one sentence; None where none is."""
    found = [
        f"{rule.id}{limit.suffix} ({why})"
        for rule in rules
        if rule.enforce is not Enforce.OFF
        for limit in rule.limits()
        if (why := find_uncorrected(calibration, rule, limit)) is not None
    ]
    more = f" and {len(found) - _MOST_NAMED:,} more" if len(found) > _MOST_NAMED else ""
    return f"the calibration does not correct {', '.join(found[:_MOST_NAMED])}{more}" if found else None


def _choose_counts(calibration: Calibration, rule: Rule, limit: Limit) -> Mapping[str, JudgeCounts]:
    if isinstance(rule, ResponseRule):
        return calibration.responses
    return calibration.violations if limit.counts == "violated" else calibration.values


def _find_value(label: str, taxonomy: Taxonomy) -> str | None:
    value = taxonomy.find(label)
    return None if value is None else value.name


def _find(label: str, taxonomy: Taxonomy) -> str | None:
    value = taxonomy.find(label)
    return taxonomy.find_node(label) if value is None else value.name
