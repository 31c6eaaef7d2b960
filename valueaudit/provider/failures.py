"""What a provider's error means: try again, not this conversation, not this way of asking, or not at all.

litellm's exception classes differ between providers and versions, so the decision rests on the HTTP status, the
provider's error code and, where these say nothing, on words of the message.
"""

from __future__ import annotations

import os
import re
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from msgspec import Struct

from valueaudit.errors import KeyRejectedError, QuotaError, UnknownModelError, UnreachableError, ValueAuditError
from valueaudit.observation import Reason
from valueaudit.ports import Unanswered

_QUOTA = re.compile(
    r"insufficient.?quota|exceeded your current quota|your credit balance is too low|billing_|out of credits",
    re.IGNORECASE,
)
# The words of litellm and of the providers' own clients where no key was given at all.
_NO_KEY = re.compile(
    r"missing credentials\. please pass|missing \w+ api key|api_key client option must be set", re.IGNORECASE
)
_CONTEXT = re.compile(
    r"context.{0,20}(length|window|size)|too many tokens|prompt is too long|exceeds? the .{0,20}context", re.IGNORECASE
)
_POLICY = re.compile(
    r"content.?(policy|filter|management)|safety (system|filter)|moderation|was flagged", re.IGNORECASE
)
_NAMES_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_SECRET = re.compile(r"\b(?:sk|pk|key|Bearer)[-_ ][\w\-*]{6,}")
LONGEST_MESSAGE = 300
SHORTEST_SECRET = 8


class Retry(Struct, frozen=True):
    """Worth asking again: after `wait` seconds if the provider said how long."""

    reason: Reason
    wait: float | None
    detail: str


class Rejected(Struct, frozen=True):
    """The endpoint does not take this request as it is; the message may say which part of it."""

    message: str
    detail: str

    def names(self, parameter: str) -> bool:
        """Whether the message complains about one parameter."""
        return parameter in self.message


Failure = Retry | Rejected | Unanswered | ValueAuditError


def translate(error: Exception, model: str) -> Failure:
    """What an exception out of litellm means for the conversation or the run.

    A provider's message may repeat words of the transcript. So machine-readable codes come before words, words count
    only under the status that they belong to, and what concerns one conversation is asked about first.
    """
    status = getattr(error, "status_code", None)
    name = type(error).__name__
    text = str(error)
    codes = _codes(error)
    detail = f"HTTP {status}" if isinstance(status, int) else name
    if name == "ContextWindowExceededError" or "context_length" in codes or _says(status, {400, 413}, _CONTEXT, text):
        return Unanswered(Reason.CONTEXT_WINDOW)
    if name == "ContentPolicyViolationError" or _POLICY.search(codes) or _says(status, {400, 403}, _POLICY, text):
        return Unanswered(Reason.JUDGE_REFUSED, "content policy of the provider")
    final = _of_the_run(error, name, status, codes, text, model)
    if final is not None:
        return final
    if name == "Timeout" or status in {408, 504}:
        return Retry(Reason.TIMEOUT, _retry_after(error), "")
    if status == 429:
        return Retry(Reason.RATE_LIMIT, _retry_after(error), detail)
    if name == "APIConnectionError" or "Connection error" in text or _caused_by(error, ConnectionError):
        return Retry(Reason.CONNECTION, None, "")
    if isinstance(status, int) and 400 <= status < 500:
        return Rejected(readable(text), detail)
    return Retry(Reason.SERVER_ERROR, _retry_after(error), detail)


def _says(status: Any, statuses: set[int], pattern: re.Pattern[str], text: str) -> bool:
    return status in statuses and bool(pattern.search(text))


def _codes(error: Exception) -> str:
    """The machine-readable codes on an error, in one line of lower case."""
    body = getattr(error, "body", None)
    inner = [body.get("code"), body.get("type")] if isinstance(body, dict) else []
    return " ".join(str(c) for c in (getattr(error, "code", None), getattr(error, "type", None), *inner) if c).lower()


def readable(text: str) -> str:
    """A provider's message in one short line without anything that looks like a key."""
    line = _SECRET.sub("(key)", " ".join(text.split()))
    for name, value in os.environ.items():
        if _NAMES_SECRET.search(name) and len(value) >= SHORTEST_SECRET:
            line = line.replace(value, "(key)")
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def _of_the_run(error: Exception, name: str, status: Any, codes: str, text: str, model: str) -> ValueAuditError | None:
    said = readable(text)
    if status == 402 or _QUOTA.search(codes) or _says(status, {400, 429}, _QUOTA, text):
        return QuotaError(f'the account behind "{model}" has no credit left', help="top up and run again", quoted=said)
    if name in {"AuthenticationError", "PermissionDeniedError"} or status in {401, 403} or _NO_KEY.search(text):
        return KeyRejectedError(
            f'the key for "{model}" is missing or was refused',
            help="set the provider's variable, for example OPENAI_API_KEY or ANTHROPIC_API_KEY",
            quoted=said,
        )
    if name == "NotFoundError" or status == 404:
        return UnknownModelError(
            f'the endpoint does not know "{model}"', help="check the spelling of the model, and --api-base", quoted=said
        )
    if _caused_by(error, ConnectionRefusedError) or "Cannot connect to host" in text:
        return UnreachableError(f'nothing answers where "{model}" should be', help="check --api-base", quoted=said)
    return None


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, kind):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _retry_after(error: Exception) -> float | None:
    """Seconds to wait by the Retry-After header (RFC 9110 section 10.2.3: seconds or a date), None without one."""
    response = getattr(error, "response", None)
    headers = getattr(error, "litellm_response_headers", None) or getattr(response, "headers", None) or {}
    value = headers.get("retry-after") or headers.get("Retry-After")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None
