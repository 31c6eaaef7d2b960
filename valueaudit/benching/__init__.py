"""A judge held against labels: what is labelled, what is asked, and the figures."""

from __future__ import annotations

from valueaudit.benching.labels import BadLabelsError, Labels, parse_labels
from valueaudit.benching.measuring import Case, Terms, measure
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
    "parse_labels",
]
