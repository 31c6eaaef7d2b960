"""The baselines of a policy read and refused before the first question is paid for."""

from __future__ import annotations

import io
import shlex
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from valueaudit.acceptance import Counts
from valueaudit.cli.gaps import find_gap, restate_questions
from valueaudit.comparing import Ledger
from valueaudit.drifting import Audited, Change, build_change, count_baseline, find_drift_checks, find_reasons
from valueaudit.errors import InputError, NotComparableError
from valueaudit.files import open_source, printable
from valueaudit.policy import Policy, compile_checks
from valueaudit.record import ClassifierInfo, TaxonomyInfo
from valueaudit.rules import Check
from valueaudit.saved import SavedRun
from valueaudit.tally import Predicate, tally_records
from valueaudit.taxonomy import Taxonomy

_HELP = "name the records (scan --records) of an audit by this judge with these questions, or take the rule out"


class Baselines(Struct, frozen=True):
    """The baselines of a policy by their names there, and the checks that are held against them."""

    checks: tuple[Check, ...]
    audited: Mapping[str, Audited]

    def open_ledger(self, predicates: Mapping[str, Predicate]) -> Ledger:
        """A ledger for the conversations of this audit, by the predicates with which it is tallied."""
        return Ledger({check.id: predicates[check.id] for check in self.checks})

    def build_change(self, classifier: ClassifierInfo, taxonomy: TaxonomyInfo, ledger: Ledger) -> Change | None:
        """This audit beside them; None where there are none."""
        return build_change(Audited(classifier, taxonomy, ledger), self.audited) if self.audited else None

    def refuse_other(self, classifier: ClassifierInfo, taxonomy: TaxonomyInfo) -> None:
        """Raises `NotComparableError` for a baseline of another judge, prompt, taxonomy or question.

        Which model answers in the end is known once it has answered, and held against the baseline then.
        """
        for check in self.checks:
            base = self.audited[_name_baseline(check)]
            resolved = classifier.resolved_model or base.classifier.resolved_model
            now = Audited(msgspec.structs.replace(classifier, resolved_model=resolved), taxonomy, base.ledger)
            other = _explain_other(check, base, now)
            if other is not None:
                raise NotComparableError(f'rule "{check.rule}": {other}', help=_HELP)


def read_baselines(policy: Policy | None, taxonomy: Taxonomy) -> Baselines:
    """The baselines that the rules of a policy need, none without one.

    Raises `NotComparableError` where one is missing, damaged, foreign, empty, or of a run that did not end.
    """
    if policy is None or not policy.baselines:
        return Baselines((), {})
    checks = find_drift_checks(compile_checks(policy))
    return Baselines(checks, {name: _read(name, policy, checks, taxonomy) for name in policy.baselines})


def count_baselines(policy: Policy, taxonomy: Taxonomy) -> dict[str, Counts | str]:
    """For each check that is held against a baseline what that counted, or why it cannot be used and what to do.

    The judge of the audit to come is not known, so it is taken for that of the baseline.
    """
    checks = find_drift_checks(compile_checks(policy))
    counts: dict[str, Counts | str] = {}
    for name in policy.baselines:
        held = [check for check in checks if _name_baseline(check) == name]
        try:
            base = _read(name, policy, checks, taxonomy)
        except NotComparableError as error:
            remedy = f"valueaudit scan LOGS --records {shlex.quote(printable(_find_path(name, policy)))}"
            counts |= {check.id: f"{error.message}; audit what is to be compared with: {remedy}" for check in held}
            continue
        asked = restate_questions(base.classifier, policy, taxonomy)
        now = Audited(asked, TaxonomyInfo(taxonomy.id, taxonomy.sha256), base.ledger)
        for check in held:
            other = _explain_other(check, base, now)
            counts[check.id] = f"{other}; {_HELP}" if other else count_baseline(check, base, policy.gate)
    return counts


def _name_baseline(check: Check) -> str:
    return check.against.baseline if check.against else ""


def _find_path(name: str, policy: Policy) -> str:
    return str(Path(policy.path).parent / name)


def _explain_other(check: Check, base: Audited, now: Audited) -> str | None:
    reasons = find_reasons(check, base, now)
    return f'the baseline "{base.path}" is not comparable: {"; ".join(reasons)}' if reasons else None


def _read(name: str, policy: Policy, checks: tuple[Check, ...], taxonomy: Taxonomy) -> Audited:
    path = _find_path(name, policy)
    try:
        with open_source(path, io.BytesIO()) as opened:
            saved = SavedRun(path, opened.stream)
            gap = find_gap(saved.header.classifier, policy, taxonomy)
            ledger = Ledger(gap.restrict({check.id: check.predicate for check in checks}))
            counts = tally_records(ledger.follow(saved), ledger.predicates).rules
            digest = opened.sha256
    except InputError as error:
        raise NotComparableError(
            f"a baseline of the policy cannot be used: {error.message}",
            help=f'"baseline: {name}" is relative to "{policy.path}"; {_HELP}',
        ) from error
    problem = saved.ended_early or (None if ledger.total else "it has no conversation")
    if problem is not None:
        raise NotComparableError(f'the baseline "{path}" is not comparable: {problem}', help=_HELP)
    return Audited(saved.classifier, saved.header.taxonomy, ledger, counts, printable(path), digest)
