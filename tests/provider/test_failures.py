from __future__ import annotations

from email.utils import formatdate
from time import time
from typing import Any

import pytest

from valueaudit.errors import KeyRejectedError, QuotaError, UnknownModelError, UnreachableError, ValueAuditError
from valueaudit.observation import Reason
from valueaudit.ports import Unanswered
from valueaudit.provider.failures import LONGEST_MESSAGE, Rejected, Retry, readable, translate


class Failed(Exception):
    """An error as litellm raises it: the class name varies, status and headers hang on it."""

    def __init__(self, text: str = "boom", status: int | None = None, **attributes: Any) -> None:
        super().__init__(text)
        self.status_code = status
        for name, value in attributes.items():
            setattr(self, name, value)


def named(name: str, text: str = "boom", status: int | None = None, **attributes: Any) -> Failed:
    """An error of a class with this name."""
    error: Failed = type(name, (Failed,), {})(text, status, **attributes)
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (named("AuthenticationError", status=401), KeyRejectedError),
        (named("APIError", status=403), KeyRejectedError),
        (named("InternalServerError", "Missing credentials. Please pass an `api_key`", 500), KeyRejectedError),
        (named("APIError", status=402), QuotaError),
        (named("RateLimitError", "You exceeded your current quota", 429), QuotaError),
        (named("RateLimitError", "boom", 429, body={"code": "insufficient_quota"}), QuotaError),
        (named("BadRequestError", "Your credit balance is too low", 400), QuotaError),
        (named("NotFoundError", status=404), UnknownModelError),
        (named("InternalServerError", "Cannot connect to host 127.0.0.1:9", 500), UnreachableError),
    ],
)
def test_some_errors_end_the_run(error: Failed, kind: type[ValueAuditError]) -> None:
    """Key, credit, model and address cannot get better by asking again; each error says what to do."""
    failure = translate(error, "openai/x")
    assert type(failure) is kind
    assert failure.help
    assert "openai/x" in failure.message


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (named("ContextWindowExceededError", status=400), Reason.CONTEXT_WINDOW),
        (named("BadRequestError", "maximum context length is 4096", 400), Reason.CONTEXT_WINDOW),
        (named("ContentPolicyViolationError", status=400), Reason.JUDGE_REFUSED),
        (named("BadRequestError", "blocked by the content filter", 400), Reason.JUDGE_REFUSED),
        (named("BadRequestError", "no", 400, code="content_policy_violation"), Reason.JUDGE_REFUSED),
    ],
)
def test_some_errors_concern_one_conversation(error: Failed, reason: Reason) -> None:
    """What the conversation itself causes is its own reason, not the run's."""
    failure = translate(error, "openai/x")
    assert isinstance(failure, Unanswered)
    assert failure.reason is reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (named("Timeout", status=408), Reason.TIMEOUT),
        (named("APIError", status=504), Reason.TIMEOUT),
        (named("RateLimitError", status=429), Reason.RATE_LIMIT),
        (named("InternalServerError", "Connection error.", 500), Reason.CONNECTION),
        (named("APIConnectionError", status=500), Reason.CONNECTION),
        (named("InternalServerError", status=500), Reason.SERVER_ERROR),
        (named("ServiceUnavailableError", status=503), Reason.SERVER_ERROR),
        (named("SomethingNew"), Reason.SERVER_ERROR),
    ],
)
def test_passing_errors_are_worth_another_try(error: Failed, reason: Reason) -> None:
    """Time-outs, rate limits, server and connection errors are retried, unknown classes too."""
    failure = translate(error, "openai/x")
    assert isinstance(failure, Retry)
    assert failure.reason is reason


def test_a_refused_connection_is_seen_through_its_wrapping() -> None:
    """litellm reports a refused connection as a server error; the cause behind it says more."""
    error = named("InternalServerError", "Connection error.", 500)
    error.__cause__ = ConnectionRefusedError(111, "refused")
    assert isinstance(translate(error, "openai/x"), UnreachableError)
    lost = named("InternalServerError", "odd", 500)
    lost.__context__ = ConnectionResetError(104, "reset")
    failure = translate(lost, "openai/x")
    assert isinstance(failure, Retry)
    assert failure.reason is Reason.CONNECTION


def test_a_rejected_request_says_what_it_names() -> None:
    """The endpoint's complaint is kept, so that the request can be changed."""
    failure = translate(named("BadRequestError", "temperature is not supported", 400), "openai/x")
    assert isinstance(failure, Rejected)
    assert failure.names("temperature")
    assert not failure.names("max_tokens")


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("3", 3, 3), ("0.5", 0.5, 0.5), ("-1", 0, 0), ("in a minute", 55, 61), (formatdate(0), 0, 0)],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(header: str, least: float, most: float) -> None:
    """RFC 9110 allows both forms; a past date means now."""
    header = formatdate(time() + 60) if header == "in a minute" else header
    failure = translate(named("RateLimitError", status=429, litellm_response_headers={"retry-after": header}), "m")
    assert isinstance(failure, Retry)
    assert failure.wait is not None
    assert least <= failure.wait <= most


@pytest.mark.parametrize("headers", [{}, {"retry-after": "soon"}])
def test_without_a_usable_retry_after_the_wait_is_ours(headers: dict[str, str]) -> None:
    """A header that is missing or makes no sense leaves the wait to our own back-off."""
    failure = translate(named("RateLimitError", status=429, litellm_response_headers=headers), "m")
    assert isinstance(failure, Retry)
    assert failure.wait is None


def test_a_providers_message_is_short_and_holds_no_key() -> None:
    """Messages are told in one line, cut to a length, with anything like a key blanked."""
    told = readable("Incorrect API key\nprovided: sk-abcdef1234567890. " + "x" * 999)
    assert "sk-abcdef" not in told
    assert "\n" not in told
    assert len(told) == LONGEST_MESSAGE
