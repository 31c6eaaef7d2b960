"""What a classifier may say about one conversation: an observation with evidence, or a named reason why it cannot."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class ResponseType(StrEnum):
    """How the assistant answers the user's values (Huang et al. 2025, arXiv 2504.15236), from support to none."""

    STRONG_SUPPORT = "strong_support"
    MILD_SUPPORT = "mild_support"
    NEUTRAL_ACKNOWLEDGMENT = "neutral_acknowledgment"
    REFRAMING = "reframing"
    MILD_RESISTANCE = "mild_resistance"
    STRONG_RESISTANCE = "strong_resistance"
    NO_VALUES = "no_values"


class Polarity(StrEnum):
    """Whether most providers would intend a value. A label outside the taxonomy may have none."""

    POSITIVE = "positive"
    ADVERSE = "adverse"


class State(StrEnum):
    """How a declared value stands in one conversation.

    Intended values are upheld or violated, prohibited ones shown; both may be absent. `UNSUPPORTED` is a claim whose
    quotation was not found in the transcript: neither observed nor absent.
    """

    UPHELD = "upheld"
    VIOLATED = "violated"
    SHOWN = "shown"
    ABSENT = "absent"
    UNSUPPORTED = "unsupported"


class Reason(StrEnum):
    """Why a conversation could not be classified."""

    NO_ASSISTANT = "no assistant message"
    MALFORMED_REPLY = "malformed reply"
    JUDGE_REFUSED = "judge refused"
    CONTEXT_WINDOW = "longer than the judge's context"
    REQUEST_REJECTED = "request rejected"
    LANGUAGE = "language not supported"
    TIMEOUT = "timeout"
    RATE_LIMIT = "rate limit"
    SERVER_ERROR = "server error"
    CONNECTION = "connection lost"
    PROCESS_LOST = "judging process lost"
    TIME_LIMIT = "time limit reached"
    RUN_ENDED = "run ended early"

    @property
    def is_provider_failure(self) -> bool:
        """Whether the judge or its provider failed, and not the conversation itself."""
        return self in _PROVIDER_FAILURES


_PROVIDER_FAILURES = frozenset(
    {
        Reason.MALFORMED_REPLY,
        Reason.REQUEST_REJECTED,
        Reason.TIMEOUT,
        Reason.RATE_LIMIT,
        Reason.SERVER_ERROR,
        Reason.CONNECTION,
        Reason.PROCESS_LOST,
        Reason.TIME_LIMIT,
        Reason.RUN_ENDED,
    }
)


class Evidence(Struct, frozen=True, omit_defaults=True):
    """A verified quotation: index of the message (from 0), span in characters of its text, and the words themselves.

    `quote` is left out of everything that is written, unless the user asks for text.
    """

    message: int
    span: tuple[int, int]
    quote: str | None = None


class ObservedValue(Struct, frozen=True):
    """One value the assistant's own messages show.

    `label` is the classifier's word, `value` the canonical name (or the folded label where there is none). An unplaced
    label has no category. `supported` says that its quotation was found in an assistant message.
    """

    label: str
    value: str
    category: str | None
    subcategory: str | None
    polarity: Polarity | None
    supported: bool
    evidence: Evidence | None


class HumanValue(Struct, frozen=True):
    """One value the user states in the user's own voice, with the quotation in a user message when it was found."""

    label: str
    value: str
    supported: bool
    evidence: Evidence | None


class Declared(Struct, frozen=True):
    """The state of one declared value. `confirmed`: a second question agreed, refuted, or (None) was not answered."""

    state: State
    confirmed: bool | None = None
    evidence: Evidence | None = None


class Observation(Struct, frozen=True):
    """Everything seen in one conversation. A field the classifier cannot assess is None, never a guess.

    `subjectivity` is 1 (purely objective) to 4 (purely subjective). `declared` holds only values that were asked.
    """

    subjectivity: int | None = None
    task: str | None = None
    language: str | None = None
    response_type: ResponseType | None = None
    response_evidence: Evidence | None = None
    ai_values: tuple[ObservedValue, ...] | None = None
    declared: dict[str, Declared] = {}
    human_values: tuple[HumanValue, ...] | None = None
    adverse: bool | None = None


class Classified(Struct, frozen=True):
    """The classifier looked; `reply_sha256` is the digest of the reply it rests on (None for the embedded one).

    `probabilities` belong to questions of `valueaudit bench` by their name, for a classifier that has them: of a
    question with yes or no the chance of yes, of a choice the chance that the answer given is right.
    """

    observation: Observation
    reply_sha256: str | None = None
    probabilities: dict[str, float] = {}


class Unclassified(Struct, frozen=True):
    """The classifier cannot vouch. Counted against every verdict, never as clean."""

    reason: Reason
    detail: str = ""


Outcome = Classified | Unclassified
