"""Contexts and rules that match nothing in the data: well-formed, and still disarmed by one misspelt word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from valueaudit.policy.contexts import METADATA, build_scope
from valueaudit.policy.parse import Policy, compile_checks
from valueaudit.policy.reader import suggest
from valueaudit.policy.yaml_tree import Mapping, Mark, Node, Scalar, Sequence, parse_tree
from valueaudit.record import ConversationRecord
from valueaudit.rules.base import Denominator, Membership
from valueaudit.tally import Standing

_MOST_FIELDS = 1000


class Matching:
    """Looks at conversations until every context and rule has matched one. Where only a judge could say whether a
    conversation belongs and none has said, it may, and that counts as a match."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._contexts = {
            name: build_scope((context,), Denominator.ALL).find for name, context in policy.contexts.items()
        }
        self._rules = {check.rule: check.predicate for check in compile_checks(policy) if check.against is None}
        self._fields: set[str] = set()
        self.conversations = 0

    def look(self, records: Iterable[ConversationRecord]) -> None:
        """Looks at records, no further than needed."""
        for record in records:
            self.conversations += 1
            if len(self._fields) < _MOST_FIELDS:
                self._fields.update(record.metadata)
            for name in [name for name, find in self._contexts.items() if find(record) is not Membership.OUTSIDE]:
                del self._contexts[name]
            for rule in [rule for rule, find in self._rules.items() if find(record).standing is not Standing.OUTSIDE]:
                del self._rules[rule]
            if not self._contexts and not self._rules:
                return

    def problems(self, content: bytes) -> tuple[str, ...]:
        """Each context and rule without a match as `file:line:column: text`; `content` is the policy file's.

        A rule is named only where each of its contexts matches something, or it would be told twice.
        """
        tree, _ = parse_tree(content)
        contexts, rules = _find_contexts(tree), _find_rules(tree)
        found = [(contexts[name], self._explain_context(name)) for name in self._contexts]
        found += [
            (rules[rule.id], f'rule "{rule.id}" {self._none()}')
            for rule in self._policy.rules
            if rule.id in self._rules and not self._contexts.keys() & set(rule.in_)
        ]
        return tuple(f"{self._policy.path}:{mark.line}:{mark.column}: {text}" for mark, text in sorted(found))

    def _none(self) -> str:
        return (
            f"matches none of {self.conversations:,} {'conversation' if self.conversations == 1 else 'conversations'}"
        )

    def _explain_context(self, name: str) -> str:
        missing = [
            f'; no conversation has the field "{field}"{suggest(field, self._fields)}'
            for key in self._policy.contexts[name]
            if key == "model" or key.startswith(METADATA)
            if (field := key.removeprefix(METADATA).split(".")[0]) not in self._fields
        ]
        return f'the context "{name}" {self._none()}{"".join(missing)}'


def _find_contexts(tree: Node | None) -> dict[str, Mark]:
    """Where each context stands, by its name."""
    return {key.text: key.mark for key, _ in _scalars(dict(_entries(tree)).get("contexts"))}


def _find_rules(tree: Node | None) -> dict[str, Mark]:
    """Where each rule stands, by its id, in whichever section."""
    sections = (section for _, section in _entries(tree))
    rules = (rule for each in sections for rule in (each.items if isinstance(each, Sequence) else (each,)))
    named = ((dict(_entries(rule)).get("id"), rule.mark) for rule in rules)
    return {id.text: mark for id, mark in named if isinstance(id, Scalar)}


def _entries(node: Node | None) -> Iterator[tuple[str, Node]]:
    return ((key.text, value) for key, value in _scalars(node))


def _scalars(node: Node | None) -> Iterator[tuple[Scalar, Node]]:
    return iter(node.entries) if isinstance(node, Mapping) else iter(())
