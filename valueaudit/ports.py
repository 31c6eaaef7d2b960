"""The one-method protocols at which the rooms meet; a fake of each is all a test needs."""

from __future__ import annotations

from typing import Any, BinaryIO, Protocol

from msgspec import Struct

from valueaudit.observation import Outcome, Reason
from valueaudit.record import ClassifierInfo, Cost
from valueaudit.report import Report
from valueaudit.transcript import Transcript


class Source(Protocol):
    """An opened input: its name as the user gave it and its decompressed bytes."""

    @property
    def name(self) -> str:
        """The path as the user wrote it, `-` for standard input."""
        ...

    @property
    def stream(self) -> BinaryIO:
        """The decompressed bytes."""
        ...


class Request(Struct, frozen=True):
    """One question to a judge: chat messages and the shape its answer must have."""

    messages: tuple[dict[str, Any], ...]
    schema_name: str
    schema: dict[str, Any]


class Completion(Struct, frozen=True):
    """A judge's reply as text and how it came about.

    `structured_output` says how strictly it was held to the shape asked for, `left_out` which parameters the endpoint
    did not take, `truncated` that it was cut off at the limit of its length.
    """

    text: str
    resolved_model: str | None = None
    structured_output: str | None = None
    left_out: tuple[str, ...] = ()
    truncated: bool = False


class Unanswered(Exception):
    """A question that got no usable answer; of this conversation, not of the run."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Complete(Protocol):
    """Asks a judge. `keep` stores a reply that turned out usable under the request that it answers."""

    async def ask(self, request: Request) -> Completion:
        """The reply. Raises `Unanswered` for this conversation only, `ValueAuditError` when the run must end."""
        ...

    def keep(self, request: Request, completion: Completion) -> None:
        """Stores a usable reply, before anything is counted from it."""
        ...

    @property
    def cost(self) -> Cost:
        """What has been asked and paid so far."""
        ...

    @property
    def context_tokens(self) -> int | None:
        """How many tokens request and reply may have together, None where nobody knows."""
        ...


class Classifier(Protocol):
    """Looks at one transcript. Never raises because of what the transcript or the judge says."""

    @property
    def info(self) -> ClassifierInfo:
        """Who judges; complete once the run is over."""
        ...

    @property
    def cost(self) -> Cost:
        """What has been asked and paid so far."""
        ...

    async def classify(self, transcript: Transcript) -> Outcome:
        """What is seen, or why it cannot be said. Raises `ValueAuditError` when the run must end."""
        ...


class Renderer(Protocol):
    """Turns a report into one document."""

    def __call__(self, report: Report) -> str:
        """The whole document as text."""
        ...
