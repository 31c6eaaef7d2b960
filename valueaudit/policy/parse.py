"""From the bytes of a policy file to a policy whose names are resolved, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import msgspec

from valueaudit.errors import PolicyError
from valueaudit.policy.calibration import (
    Calibration,
    CalibrationSource,
    explain_uncorrected,
    find_correction,
    resolve_calibration,
)
from valueaudit.policy.contexts import Context, build_find_cluster, build_scope
from valueaudit.policy.document import DocumentHead, Gate, PolicyDocument, digest_document
from valueaudit.policy.drift import build_drift_checks, find_baselines
from valueaudit.policy.lint import Lint
from valueaudit.policy.reader import read_document
from valueaudit.policy.waivers import Waiver, gather_accepted
from valueaudit.policy.yaml_tree import Mark, Problem, parse_tree
from valueaudit.rules import Check, DriftRule, ProhibitedRule, Rule
from valueaudit.rules.base import QuestionKind, build_checks
from valueaudit.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class DeclaredQuestion:
    """One value to ask the judge about, and how: upheld or violated (intended), or shown (prohibited)."""

    value: str
    kind: QuestionKind
    definition: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy without problems. Values are canonical names; `lines` gives the line of each rule by its id.

    `sha256` is over what the policy says, not over the file. `warnings` read `file:line:column: text`.
    """

    name: str
    path: str
    sha256: str
    document: DocumentHead
    rules: tuple[Rule, ...]
    questions: tuple[DeclaredQuestion, ...]
    lines: Mapping[str, int]
    warnings: tuple[str, ...]
    calibration: Calibration | None = None
    calibration_place: str = ""

    @property
    def calibration_file(self) -> str | None:
        """The file with the calibration, relative to that of the policy; what it holds is for the caller to read."""
        source = self.document.calibration
        return source.file or None if source is not None else None

    @property
    def gate(self) -> Gate:
        """How the verdict is reached."""
        return self.document.gate

    @property
    def contexts(self) -> Mapping[str, Context]:
        """The contexts by name."""
        return self.document.contexts

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """The waivers in the order of the file, expired ones too."""
        return self.document.waivers

    @property
    def baselines(self) -> tuple[str, ...]:
        """The records files that drift rules name, relative to the policy file; those of rules that are off are left
        out."""
        return find_baselines(self.rules)

    @property
    def known_metadata(self) -> frozenset[str]:
        """Every text that a context compares metadata with: it stands in the policy, so it gives no text away."""
        return frozenset(text for context in self.contexts.values() for texts in context.values() for text in texts)

    @property
    def confirmations(self) -> dict[str, int]:
        """For each prohibited value, how many further questions the strictest rule about it asks."""
        found: dict[str, int] = {}
        for rule in self.rules:
            if isinstance(rule, ProhibitedRule):
                for value in rule.names():
                    found[value] = max(found.get(value, 0), rule.confirm.questions)
        return dict(sorted(found.items()))


def parse_policy(content: bytes, path: str, taxonomy: Taxonomy) -> Policy:
    """The policy in a YAML document. Raises `PolicyError` with every problem at once; `path` is only for telling."""
    tree, problems = parse_tree(content)
    if tree is None:
        raise _refuse(path, problems)
    document, reading = read_document(tree, PolicyDocument)
    reading.problems.extend(problems)
    lint = Lint(document, reading, taxonomy)
    lint.run()
    if reading.problems:
        raise _refuse(path, reading.problems)
    rules = tuple(rule for _, rule in lint.rules)
    inline = document.calibration.inline if document.calibration is not None else None
    policy = Policy(
        name=document.policy,
        path=path,
        sha256=digest_document(document),
        document=document,
        rules=rules,
        questions=_build_questions(rules, taxonomy),
        lines={rule.id: reading.mark_of(place).line for place, rule in lint.rules},
        warnings=_tell(path, lint.warnings),
        calibration_place=_place(path, reading.mark_of(("calibration",))),
    )
    return policy if inline is None else attach_calibration(policy, resolve_calibration(inline, taxonomy))


def attach_calibration(policy: Policy, calibration: Calibration) -> Policy:
    """The policy with its calibration, whose counts are part of what it says: so are those of a file of its digest."""
    source = CalibrationSource(**{f: getattr(calibration, f) for f in Calibration.__struct_fields__})
    left = explain_uncorrected(calibration, policy.rules)
    return replace(
        policy,
        calibration=calibration,
        sha256=digest_document(msgspec.structs.replace(policy.document, calibration=source)),
        warnings=policy.warnings if left is None else (*policy.warnings, f"{policy.calibration_place}: {left}"),
    )


def compile_checks(policy: Policy) -> tuple[Check, ...]:
    """The checks of all rules, in the order of the file; their ids are unique."""
    accepted = gather_accepted(policy.waivers)
    cluster = build_find_cluster(policy.gate.cluster) if policy.gate.cluster else None
    checks = {
        rule.id: [
            *build_checks(
                rule.among(policy.rules),
                build_scope((policy.contexts[name] for name in rule.in_), rule.of),
                accepted.get(rule.id, frozenset()),
                cluster,
                partial(find_correction, policy.calibration, rule),
            )
        ]
        for rule in policy.rules
        if not isinstance(rule, DriftRule)
    }
    rules = {rule.id: rule for rule in policy.rules}
    for rule in policy.rules:
        if isinstance(rule, DriftRule):
            checks[rule.id] = build_drift_checks(rule, rules, checks)
    return tuple(check for rule in policy.rules for check in checks[rule.id])


def _build_questions(rules: tuple[Rule, ...], taxonomy: Taxonomy) -> tuple[DeclaredQuestion, ...]:
    # Rules that are switched off are asked too: switching one on again must not change the prompt and its cost.
    kinds = {value: rule.question for rule in rules for value in rule.names()}
    return tuple(
        DeclaredQuestion(value, kind, taxonomy.values[value].definition) for value, kind in sorted(kinds.items())
    )


def _refuse(path: str, problems: list[Problem]) -> PolicyError:
    count = len(set(problems))
    what = "the problem" if count == 1 else f"all {count} problems"
    return PolicyError(
        _tell(path, problems),
        help=f"correct {what} in the policy file, see docs/policy.md; valueaudit taxonomy search finds values",
    )


def _tell(path: str, problems: list[Problem]) -> tuple[str, ...]:
    return tuple(f"{_place(path, mark)}: {text}" for mark, text in sorted(set(problems)))


def _place(path: str, mark: Mark) -> str:
    return f"{path}:{mark.line}:{mark.column}"
