"""What a provider's error means: try again, not this conversation, not this way of asking, or not at all.

litellm's exception classes differ between providers and versions, so the decision rests on the HTTP status, the
provider's error code and, where these say nothing, on words of the message.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from msgspec import Struct

from valueaudit.errors import KeyRejectedError, QuotaError, UnknownModelError, UnreachableError, ValueAuditError
from valueaudit.observation import Reason
from valueaudit.ports import Unanswered

_QUOTA = re.compile(
    r"insufficient.?quota|exceeded your current quota|credit balance|billing|out of credits|payment required",
    re.IGNORECASE,
)
_NO_KEY = re.compile(
    r"missing credentials|api[_ ]key.{0,40}(must be set|not set|missing|required)|no api key", re.IGNORECASE
)
_CONTEXT = re.compile(
    r"context.{0,20}(length|window|size)|too many tokens|prompt is too long|exceeds? the .{0,20}context", re.IGNORECASE
)
_POLICY = re.compile(r"content.?(policy|filter|management)|safety (system|filter)", re.IGNORECASE)
_SECRET = re.compile(r"\b(?:sk|pk|key|Bearer)[-_ ][\w\-*]{6,}")
LONGEST_MESSAGE = 300


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
    """What an exception out of litellm means for the conversation or the run."""
    status = getattr(error, "status_code", None)
    name = type(error).__name__
    text = str(error)
    detail = f"HTTP {status}" if isinstance(status, int) else name
    final = _of_the_run(error, name, status, text, model)
    if final is not None:
        return final
    if name == "ContextWindowExceededError" or (status in {400, 413} and _CONTEXT.search(text)):
        return Unanswered(Reason.CONTEXT_WINDOW)
    if name == "ContentPolicyViolationError" or (
        status == 400 and _POLICY.search(f"{text} {getattr(error, 'code', '')}")
    ):
        return Unanswered(Reason.JUDGE_REFUSED, "content policy of the provider")
    if name == "Timeout" or status in {408, 504}:
        return Retry(Reason.TIMEOUT, _retry_after(error), "")
    if status == 429:
        return Retry(Reason.RATE_LIMIT, _retry_after(error), detail)
    if name == "APIConnectionError" or "Connection error" in text or _caused_by(error, ConnectionError):
        return Retry(Reason.CONNECTION, None, "")
    if isinstance(status, int) and 400 <= status < 500:
        return Rejected(readable(text), detail)
    return Retry(Reason.SERVER_ERROR, _retry_after(error), detail)


def readable(text: str) -> str:
    """A provider's message in one short line without anything that looks like a key."""
    line = _SECRET.sub("(key)", " ".join(text.split()))
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def _of_the_run(error: Exception, name: str, status: Any, text: str, model: str) -> ValueAuditError | None:
    if status == 402 or (status in {400, 403, 429} and _QUOTA.search(f"{text} {getattr(error, 'body', '')}")):
        return QuotaError(
            f'the account behind "{model}" has no credit left: {readable(text)}', help="top up and run again"
        )
    if name in {"AuthenticationError", "PermissionDeniedError"} or status in {401, 403} or _NO_KEY.search(text):
        return KeyRejectedError(
            f'the key for "{model}" is missing or was refused: {readable(text)}',
            help="set the provider's variable, for example OPENAI_API_KEY or ANTHROPIC_API_KEY",
        )
    if name == "NotFoundError" or status == 404:
        return UnknownModelError(
            f'the endpoint does not know "{model}": {readable(text)}',
            help="check the spelling of the model, and --api-base",
        )
    if _caused_by(error, ConnectionRefusedError) or "Cannot connect to host" in text:
        return UnreachableError(f'nothing answers where "{model}" should be: {readable(text)}', help="check --api-base")
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
