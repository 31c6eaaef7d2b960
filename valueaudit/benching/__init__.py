"""A judge held against labels: what is labelled, what is asked, and the figures."""

from __future__ import annotations

from valueaudit.benching.estimates import Terms
from valueaudit.benching.evidence import measure_evidence
from valueaudit.benching.labels import BadLabelsError, Labels, parse_labels
from valueaudit.benching.measuring import Case, measure
from valueaudit.benching.policy_questions import build_policy_questions
from valueaudit.benching.questions import Question, build_questions

__all__ = [
    "BadLabelsError",
    "Case",
    "Labels",
    "Question",
    "Terms",
    "build_policy_questions",
    "build_questions",
    "measure",
    "measure_evidence",
    "parse_labels",
]
