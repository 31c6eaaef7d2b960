"""Every error a person can meet, so that each has one exit code, one slug and one way of being told.

    ValueAuditError
    ├── UsageError             2    wrong flags, paths, configuration
    │   ├── ProblemsError      2    a file with problems, all of them at once
    │   │   ├── PolicyError    2    the policy file
    │   │   └── LabelsError    2    a file of labelled conversations
    │   ├── TaxonomyError      2    the taxonomy file
    │   ├── UnknownModelError  2    a model that no provider knows
    │   ├── InputError         2    an input that cannot be read as text
    │   └── OutputError        2    an output that cannot be written (checked before the run)
    ├── NothingToAuditError    4    no conversation was found
    ├── NotComparableError     4    a baseline that cannot be held against this audit
    ├── ProviderError          4    the judge cannot be asked any more
    │   ├── KeyRejectedError   4    authentication or permission
    │   ├── QuotaError         4    no credit left
    │   └── UnreachableError   4    no answer at all
    ├── StorageError           4    disk full, cache unreadable
    └── InterruptedRunError  130    Ctrl-C

An error of one conversation is never an exception that leaves the classifier: it is an `Unclassified` or a `BadRecord`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process tells its caller; see docs/decision.md for the precedence 70 > 2 > 1 > 4 > 3 > 0."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    INCONCLUSIVE = 3
    INCOMPLETE = 4
    CRASH = 70
    INTERRUPTED = 130


class ValueAuditError(Exception):
    """An error told to the user as `error[slug]: message` and `help: help`.

    `message` says what is wrong and where, `help` what to do about it. `quoted` are words of somebody else, such as a
    provider: they may repeat a transcript, so they are told to the user and never written into a document.
    """

    slug: ClassVar[str] = "error"
    exit_code: ClassVar[ExitCode] = ExitCode.USAGE

    def __init__(self, message: str, *, help: str | None = None, quoted: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.quoted = quoted


class UsageError(ValueAuditError):
    """Wrong flags, paths or configuration."""

    slug = "usage"


class ProblemsError(UsageError):
    """A file with problems, all of them: one line each, `file:line: what is wrong`."""

    def __init__(self, problems: tuple[str, ...], *, help: str | None = None) -> None:
        super().__init__("\n".join(problems), help=help)
        self.problems = problems


class PolicyError(ProblemsError):
    """A policy file with problems, each at its `file:line:column`."""

    slug = "policy"


class LabelsError(ProblemsError):
    """A file of labelled conversations with lines that cannot be used."""

    slug = "labels"


class TaxonomyError(UsageError):
    """A taxonomy file that cannot be used."""

    slug = "taxonomy"


class UnknownModelError(UsageError):
    """A model name that no provider knows."""

    slug = "model"


class InputError(UsageError):
    """An input that does not exist or cannot be read as text."""

    slug = "input"


class OutputError(UsageError):
    """An output that cannot be written; found before the first call."""

    slug = "output"


class NothingToAuditError(ValueAuditError):
    """No conversation was found where some were expected."""

    slug = "nothing-to-audit"
    exit_code = ExitCode.INCOMPLETE


class NotComparableError(ValueAuditError):
    """A baseline is missing, cut off, or was judged, asked or placed differently; found before the first call."""

    slug = "not-comparable"
    exit_code = ExitCode.INCOMPLETE


class ProviderError(ValueAuditError):
    """The judge cannot be asked any more; the run ends, what was paid for is kept."""

    slug = "provider"
    exit_code = ExitCode.INCOMPLETE


class KeyRejectedError(ProviderError):
    """Authentication or permission was refused."""

    slug = "key"


class QuotaError(ProviderError):
    """The account has no credit left."""

    slug = "quota"


class UnreachableError(ProviderError):
    """No answer came at all, or none for too long."""

    slug = "unreachable"


class StorageError(ValueAuditError):
    """The disk is full or the reply store cannot be used."""

    slug = "storage"
    exit_code = ExitCode.INCOMPLETE


class InterruptedRunError(ValueAuditError):
    """The run was interrupted by Ctrl-C or a termination signal."""

    slug = "interrupted"
    exit_code = ExitCode.INTERRUPTED
