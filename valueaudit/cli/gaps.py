"""What a saved run did not ask as a policy would have it asked, so that an old answer never passes for a new one."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from valueaudit.policy import Policy
from valueaudit.record import ClassifierInfo
from valueaudit.saved import find_less_confirmed, find_unasked, restrict_predicates
from valueaudit.tally import Predicate
from valueaudit.taxonomy import Taxonomy


class Gap(Struct, frozen=True):
    """What the saved run did not ask as the policy would have: values, and values with too few confirmations."""

    unasked: tuple[str, ...]
    less_confirmed: tuple[str, ...]

    def restrict(self, predicates: Mapping[str, Predicate]) -> Mapping[str, Predicate]:
        """The predicates as they stand to the records of that run."""
        return restrict_predicates(predicates, unasked=self.unasked, less_confirmed=self.less_confirmed)


def find_gap(classifier: ClassifierInfo, policy: Policy, taxonomy: Taxonomy) -> Gap:
    """What a run by this classifier did not ask as the policy would have it asked."""
    wanted = _question_digests(classifier, policy, taxonomy)
    return Gap(find_unasked(classifier, wanted), find_less_confirmed(classifier, policy.confirmations))


def restate_questions(classifier: ClassifierInfo, policy: Policy, taxonomy: Taxonomy) -> ClassifierInfo:
    """The classifier as it would be asked by a policy today, everything else as it was."""
    questions = dict(_question_digests(classifier, policy, taxonomy))
    return msgspec.structs.replace(classifier, questions=questions, confirmations=dict(policy.confirmations))


def _question_digests(classifier: ClassifierInfo, policy: Policy, taxonomy: Taxonomy) -> Mapping[str, str]:
    """For each declared value the sha256 of its question, as this kind of classifier would ask it today."""
    if classifier.assessed != "screening":
        from valueaudit.classifiers.prompt import question_digests

        return question_digests(policy.questions)
    from valueaudit.classifiers.embedded import EmbeddedClassifier

    known = EmbeddedClassifier(taxonomy, policy.questions).info.questions
    return {question.value: known.get(question.value, "no phrases") for question in policy.questions}
