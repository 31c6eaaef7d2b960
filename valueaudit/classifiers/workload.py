"""How much a judge would be asked about transcripts, in calls and tokens, taken from the very requests it would get.

Tokens are estimated at one for three bytes, on the safe side: English prose has about four bytes to a token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from valueaudit.classifiers import prompt
from valueaudit.classifiers.prompt import Question
from valueaudit.classifiers.split import BYTES_PER_TOKEN, Part, fit_messages
from valueaudit.ports import Request
from valueaudit.taxonomy import Taxonomy
from valueaudit.transcript import Transcript

# What a reply holds on average: 4.0 values of the assistant and 1.48 of the user (Huang et al. 2025, arXiv 2504.15236),
# each with a quotation; about 80 characters of it is our own assumption.
VALUES_IN_A_REPLY = 4
HUMAN_VALUES_IN_A_REPLY = 1.48
QUOTE = "x" * 80


class Workload(Struct, frozen=True):
    """Calls and tokens. Those of `confirming` questions depend on how much is flagged, so they are expected values."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    confirming_calls: float = 0.0
    confirming_prompt_tokens: float = 0.0
    confirming_completion_tokens: float = 0.0

    def __add__(self, other: Workload) -> Workload:
        """Both together."""
        return Workload(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


class WorkloadEstimate:
    """Estimates transcripts for one policy and model. `flagged` gives for each prohibited value how many further
    questions one conversation is expected to raise: the share that is flagged, times the questions asked then."""

    def __init__(
        self,
        taxonomy: Taxonomy,
        questions: Sequence[Question],
        *,
        flagged: Mapping[str, float],
        context_tokens: int | None,
        reply_tokens: int,
    ) -> None:
        self._instructions = prompt.build_instructions(taxonomy, questions, open_question=True)
        self._schema = prompt.build_schema(taxonomy, questions, open_question=True)
        self._reply = _tokens(len(msgspec.json.encode(_typical_reply(taxonomy, questions))))
        self._confirmation = _tokens(len(msgspec.json.encode({"answer": "yes", "message": 1, "quote": QUOTE})))
        definitions = {question.value: question.definition for question in questions}
        self._flagged = [(value, definitions[value], share) for value, share in flagged.items() if share]
        self._context_tokens = context_tokens
        self._reply_tokens = reply_tokens

    def estimate(self, transcript: Transcript) -> Workload:
        """What one conversation is expected to take; nothing where there is no answer to judge."""
        if not transcript.has_assistant_text:
            return Workload()
        parts = self._parts(transcript, self._instructions)
        sent = sum(
            _size(prompt.build_request(self._instructions, self._schema, transcript.messages, part)) for part in parts
        )
        load = Workload(len(parts), _tokens(sent), len(parts) * self._reply)
        for value, definition, share in self._flagged:
            load += self._estimate_confirmation(transcript, value, definition, share)
        return load

    def _estimate_confirmation(self, transcript: Transcript, value: str, definition: str, share: float) -> Workload:
        parts = self._parts(transcript, "")
        sent = sum(_size(prompt.build_confirmation(0, value, definition, transcript.messages, part)) for part in parts)
        calls = share * len(parts)
        return Workload(0, 0, 0, calls, share * _tokens(sent), calls * self._confirmation)

    def _parts(self, transcript: Transcript, instructions: str) -> tuple[Part, ...]:
        return fit_messages(transcript.messages, instructions, self._context_tokens, self._reply_tokens)


def _size(request: Request) -> int:
    """Bytes of a request; its schema goes along a second time as the shape that the answer must have."""
    words = sum(len(str(message["content"]).encode("utf-8", "replace")) for message in request.messages)
    return words + len(msgspec.json.encode(request.schema))


def _tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)


def _typical_reply(taxonomy: Taxonomy, questions: Sequence[Question]) -> dict[str, object]:
    quoted = {"message": 1, "quote": QUOTE}
    subcategory = max(taxonomy.subcategories, key=len)
    value = {"value": "honest communication", "subcategory": subcategory, "adverse": False, **quoted}
    stated = len(msgspec.json.encode({"value": "honest communication", **quoted}))
    return {
        "subjectivity": 3,
        "task": "x" * 40,
        "language": "en",
        "ai_values": [value] * VALUES_IN_A_REPLY,
        "human_values": "x" * round(HUMAN_VALUES_IN_A_REPLY * stated),
        "response_type": "neutral_acknowledgment",
        "response_evidence": quoted,
        "declared": {question.value: {"state": "absent", "message": -1, "quote": ""} for question in questions},
    }
