"""What is wrong with a policy that is well-formed: a mistake must never disarm a rule in silence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from msgspec.structs import replace

from valueaudit.policy.calibration import inspect_calibration, resolve_calibration
from valueaudit.policy.contexts import METADATA, inspect_context
from valueaudit.policy.document import DocumentHead, names_taxonomy
from valueaudit.policy.drift import inspect_drift
from valueaudit.policy.reader import Path, Reading, suggest
from valueaudit.policy.waivers import inspect_waivers
from valueaudit.policy.yaml_tree import Problem
from valueaudit.rules import RULE_KINDS, DriftRule, Enforce, PriorityRule, Rule
from valueaudit.rules.base import Limit, Match, ValueRule
from valueaudit.rules.fields import build_percentage
from valueaudit.statistics import zero_hit_sample_size
from valueaudit.taxonomy import Taxonomy, Value

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
# difflib against a whole taxonomy takes milliseconds; a policy written for another taxonomy may need thousands.
_MOST_SUGGESTIONS = 100


@dataclass(slots=True)
class Lint:
    """The rules with canonical values, the path of each, and the warnings; problems go to the `Reading`."""

    document: DocumentHead
    reading: Reading
    taxonomy: Taxonomy
    rules: list[tuple[Path, Rule]] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    _suggestions: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Looks at everything."""
        self.rules = [(path, self._resolve(path, rule)) for path, rule in _find_rules(self.document, self.reading)]
        self._inspect_head()
        self._inspect_ids()
        self._inspect_contexts()
        for path, rule in self.rules:
            self._inspect_rule(path, rule)
        self._inspect_contradictions()
        self._inspect_order()
        self._inspect_questions()
        self._inspect_drift()
        self._inspect_arithmetic()
        self._inspect_waivers()
        self._inspect_calibration()

    def _report(self, path: Path, text: str, *, warning: bool = False) -> None:
        if path in self.reading.broken:
            return
        if warning:
            self.warnings.append(Problem(self.reading.mark_of(path), text))
        else:
            self.reading.report(path, text)

    def _resolve(self, path: Path, rule: Rule) -> Rule:
        if isinstance(rule, PriorityRule):
            first, over = (self._find_value(rule, (*path, key), getattr(rule, key)) for key in ("first", "over"))
            return replace(rule, first=first or rule.first, over=over or rule.over)
        if not isinstance(rule, ValueRule):
            return rule
        find = self._find_node if rule.match is Match.SUBTREE else partial(self._find_value, rule)
        found = [find((*path, "value", index), label) for index, label in enumerate(rule.value)]
        return replace(rule, value=tuple(dict.fromkeys(name for name in found if name is not None)))

    def _find_value(self, rule: Rule, where: Path, label: str) -> str | None:
        value = self.taxonomy.find(label)
        if value is None:
            node = self.taxonomy.find_node(label)
            if node is None:
                self._report(where, f'unknown value "{label}"{self._suggest(label)}')
            elif (*where[:-2], "match") not in self.reading.broken:
                self._report(where, f'"{node}" is a branch of the taxonomy, no value: add "match: subtree"')
            return None
        objection = rule.inspect_value(value)
        if objection:
            self._report(where, objection)
        return value.name

    def _find_node(self, where: Path, label: str) -> str | None:
        node = self.taxonomy.find_node(label)
        if node is None and self.taxonomy.find(label) is not None:
            self._report(where, f'"{label}" is a value, no branch of the taxonomy: leave out "match: subtree"')
        elif node is None:
            known = [*self.taxonomy.categories, *self.taxonomy.subcategories]
            near = suggest(label, known) or f", the categories are {', '.join(self.taxonomy.categories)}"
            self._report(where, f'unknown category or subcategory "{label}"{near}')
        return node

    def _suggest(self, label: str) -> str:
        if label not in self._suggestions:
            if len(self._suggestions) == _MOST_SUGGESTIONS:
                return ""
            self._suggestions[label] = suggest(label.casefold(), _spellings(self.taxonomy))
        return self._suggestions[label]

    def _inspect_head(self) -> None:
        if not self.document.policy.strip():
            self._report(("policy",), '"policy" is empty, name the policy')
        wanted = self.document.taxonomy
        if wanted and not names_taxonomy(wanted, self.taxonomy.id, self.taxonomy.sha256):
            known = f"{self.taxonomy.id}, sha256:{self.taxonomy.sha256}"
            self._report(("taxonomy",), f'"taxonomy" is "{wanted}", another one than this program has, known: {known}')
        confidence, fail_on = self.document.gate.confidence, self.document.gate.fail_on
        if not 0.5 <= confidence < 1:
            percent = build_percentage(confidence)
            self._report(("gate", "confidence"), f'"confidence" is {percent}, known: 50% to below 100%')
        cluster = self.document.gate.cluster
        if cluster and not (cluster.startswith(METADATA) and all(cluster.split("."))):
            self._report(("gate", "cluster"), f'"cluster" is "{cluster}", known: {METADATA}<field>')
        if not self.rules and not self.reading.problems:
            self._report((), "the policy has no rules, an audit against it would prove nothing")
        elif self.rules and all(rule.enforce is Enforce.OFF for _, rule in self.rules):
            self._report((), 'every rule is "enforce: off", an audit against it would prove nothing')
        elif not any(rule.enforce is Enforce.BLOCK and rule.severity.reaches(fail_on) for _, rule in self.rules):
            text = 'no rule can fail the audit: none has "enforce: block" and reaches "fail_on"'
            self._report((), text, warning=True)

    def _inspect_ids(self) -> None:
        lines: dict[str, int] = {}
        for path, rule in self.rules:
            where = (*path, "id")
            if rule.id in lines and where not in self.reading.broken:
                self._report(where, f'the id "{rule.id}" is taken by the rule on line {lines[rule.id]}')
            lines.setdefault(rule.id, self.reading.mark_of(where).line)
            if not _ID.fullmatch(rule.id):
                known = 'letters, digits, ".", "_" and "-", a letter or digit first'
                self._report(where, f'the id "{rule.id}" has characters that reports cannot carry, known: {known}')

    def _inspect_contexts(self) -> None:
        contexts = self.document.contexts
        half_read = {path[1] for path in self.reading.broken if path[:1] == ("contexts",) and len(path) > 2}
        for name, context in contexts.items():
            for key, text in inspect_context(context):
                if key or name not in half_read:
                    self._report(("contexts", name, key) if key else ("contexts", name), text)
        used = set()
        for path, rule in self.rules:
            for index, name in enumerate(rule.in_):
                used.add(name)
                if ("contexts", name) not in self.reading.marks:
                    known = f", known: {', '.join(contexts)}" if contexts else ', there are no "contexts"'
                    self._report((*path, "in", index), f'unknown context "{name}"{suggest(name, contexts)}{known}')
        for name in contexts:
            if name not in used:
                self._report(("contexts", name), f'the context "{name}" is used by no rule', warning=True)

    def _inspect_rule(self, path: Path, rule: Rule) -> None:
        stated = frozenset(key for key in rule.__struct_encode_fields__ if (*path, key) in self.reading.marks)
        for finding in rule.inspect(stated):
            where = (*path, finding.key) if finding.key else path
            self._report(where, f"{_name(rule)}: {finding.text}", warning=finding.warning)

    def _inspect_contradictions(self) -> None:
        """A floor above a ceiling for the same subject in the same place, in one rule or two."""
        floors: dict[Any, tuple[float, Rule]] = {}
        limits = [(path, rule, limit) for path, rule in self.rules for limit in rule.limits()]
        for _, rule, limit in limits:
            key = _subject_key(rule, limit)
            if limit.direction == "at_least" and limit.limit > floors.get(key, (-1.0, rule))[0]:
                floors[key] = limit.limit, rule
        for path, rule, limit in limits:
            floor, other = floors.get(_subject_key(rule, limit), (-1.0, rule))
            if limit.direction == "at_most" and floor > limit.limit and rule.subject():
                ceiling = build_percentage(limit.limit)
                text = f"at most {ceiling} contradicts at least {build_percentage(floor)} of {_name(other)}"
                self._report((*path, limit.key), f"{_name(rule)}: {text}")

    def _inspect_order(self) -> None:
        """Two values that each go before the other."""
        before: dict[tuple[str, str], Rule] = {}
        for path, rule in self.rules:
            if isinstance(rule, PriorityRule):
                other = before.get((rule.over, rule.first))
                if other is not None:
                    text = f'"{rule.first}" goes before "{rule.over}" here and after it in {_name(other)}'
                    self._report((*path, "over"), f"{_name(rule)}: {text}")
                before.setdefault((rule.first, rule.over), rule)

    def _inspect_questions(self) -> None:
        asked: dict[str, Rule] = {}
        for path, rule in self.rules:
            for name in rule.names():
                other = asked.setdefault(name, rule)
                if other.question != rule.question:
                    both = f"{rule.question} here and {other.question} by {_name(other)}"
                    self._report((*path, "value"), f'"{name}" is {both}, a value is one or the other')

    def _inspect_drift(self) -> None:
        rules = {rule.id: rule for _, rule in self.rules}
        for path, rule in self.rules:
            if isinstance(rule, DriftRule):
                for where, text, warning in inspect_drift(path, rule, rules):
                    self._report(where, text, warning=warning)

    def _inspect_waivers(self) -> None:
        waivers = zip(self.reading.find_places("waivers"), self.document.waivers, strict=True)
        rules = {rule.id: (path, rule) for path, rule in self.rules}
        for path, text, warning in inspect_waivers(waivers, rules, self.reading):
            self._report(path, text, warning=warning)

    def _inspect_calibration(self) -> None:
        source, place = self.document.calibration, ("calibration",)
        if source is None:
            return
        calibration = source.inline
        if calibration is None:
            for key in ("model", "prompt_sha256", "values", "violations", "responses"):
                if self._states(*place, key):
                    self._report((*place, key), f'"{key}" stands in the file that "file" names, or here without "file"')
            return
        for path, text, _ in inspect_calibration(calibration, self.taxonomy):
            self._report((*place, *path), text)
        named = {name for _, rule in self.rules for name in rule.subject()}
        resolved = resolve_calibration(calibration, self.taxonomy)
        for key in ("values", "violations", "responses"):
            for label, name in zip(getattr(calibration, key), getattr(resolved, key), strict=False):
                if name not in named:
                    text = f'no rule is about "{name}", its counts correct nothing'
                    self._report((*place, key, label), text, warning=True)

    def _inspect_arithmetic(self) -> None:
        """Only numbers that the policy itself states are held against each other, never a default."""
        gate = self.document.gate
        limits = [
            (path, rule, limit, provable)
            for path, rule in self.rules
            if rule.enforce is not Enforce.OFF and not isinstance(rule, DriftRule)
            for limit in rule.limits()
            if 0 < (provable := _provable_rate(limit)) < 1
        ]
        if 0 < gate.confidence < 1:
            for path, rule, limit, provable in limits:
                stated = gate.min_units if self._states("gate", "min_units") else None
                if self._states(*path, "min_units"):
                    stated = rule.min_units
                needed = zero_hit_sample_size(provable, gate.confidence)
                if stated is not None and needed > stated:
                    self._report((*path, limit.key), _explain_sample(rule, limit, needed, stated))
        ceilings = [(provable, _name(rule)) for _, rule, limit, provable in limits if limit.direction == "at_most"]
        if self._states("gate", "max_unclassified") and ceilings:
            tightest, name = min(ceilings)
            if gate.max_unclassified >= tightest:
                text = f"{build_percentage(gate.max_unclassified)} is not below {build_percentage(tightest)}"
                self._report(("gate", "max_unclassified"), f'"max_unclassified": {text}, the tightest limit, of {name}')

    def _states(self, *path: str | int) -> bool:
        return path in self.reading.marks and path not in self.reading.broken


def _find_rules(document: DocumentHead, reading: Reading) -> Iterator[tuple[Path, Rule]]:
    """The rules with their place in the file."""
    for kind in RULE_KINDS:
        places: Iterable[Path] = [(kind.section,)] if kind.single else reading.find_places(kind.section)
        yield from zip(places, document.sections.get(kind.section, ()), strict=not kind.single)


def _name(rule: Rule) -> str:
    return f'rule "{rule.id}"'


def _subject_key(rule: Rule, limit: Limit) -> Any:
    return rule.section, rule.asked, limit.counts, frozenset(rule.subject()), frozenset(rule.in_), rule.of


def _provable_rate(limit: Limit) -> float:
    """The share of conversations that must be ruled out before a limit passes; 0 where none can be."""
    if limit.never:
        return limit.assure or 0.0
    return limit.limit if limit.direction == "at_most" else 1 - limit.limit


def _explain_sample(rule: Rule, limit: Limit, needed: int, min_units: int) -> str:
    state = "assure" if limit.never else limit.key
    percent = build_percentage(limit.assure if limit.assure is not None else limit.limit)
    return (
        f'{_name(rule)}: "{state}: {percent}" needs n={needed:,} conversations without a single exception '
        f'to be proven, and "min_units" is {min_units:,}'
    )


def _spellings(taxonomy: Taxonomy) -> list[str]:
    return [spelling for value in taxonomy.values.values() for spelling in _words(value)]


def _words(value: Value) -> tuple[str, ...]:
    return (value.name, *value.aliases)
