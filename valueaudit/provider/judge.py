"""Asking a model through litellm: our own bounded retries, the best structured output it takes, what it costs.

litellm's own retries are off: they hide attempts from the count and do not stop with the run.
"""

from __future__ import annotations

import asyncio
import random
import time
from enum import IntEnum
from typing import Any

from msgspec import Struct

from valueaudit.errors import ProviderError, UnreachableError, ValueAuditError
from valueaudit.observation import Reason
from valueaudit.ports import Completion, Request, Unanswered
from valueaudit.provider.endpoint import Endpoint, load_litellm
from valueaudit.provider.failures import Rejected, Retry, translate
from valueaudit.record import Cost

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
LONGEST_RETRY_AFTER = 300.0
# Conversations that stay unanswered before the run is given up: while nothing ever succeeded, and in a row later on.
FAILURES_AT_FIRST = 3
FAILURES_IN_A_ROW = 200


class Level(IntEnum):
    """How strictly an endpoint can be held to the shape of a reply."""

    PLAIN = 0
    JSON_OBJECT = 1
    JSON_SCHEMA = 2


class JudgeSettings(Struct, frozen=True):
    """How to ask. `timeout` in seconds for one call; `tries` in all, the first included."""

    parameters: dict[str, Any]
    timeout: float = 120.0
    tries: int = 6
    first_wait: float = FIRST_WAIT


class LiteLLMJudge:
    """A `Complete` over litellm. Calls in flight are bounded by whoever calls `ask`."""

    def __init__(self, endpoint: Endpoint, settings: JudgeSettings) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._parameters = dict(settings.parameters)
        self._litellm = load_litellm()
        self._level = Level.JSON_SCHEMA
        self._settled = False
        self._probe = asyncio.Lock()
        self._quiet_until = 0.0
        self._answered = 0
        self._failed_in_a_row = 0
        self._calls = self._retries = self._prompt_tokens = self._completion_tokens = 0
        self._usd: float | None = 0.0

    @property
    def context_tokens(self) -> int | None:
        """What litellm's list says about the model."""
        return self._endpoint.context_tokens

    @property
    def cost(self) -> Cost:
        """Calls include the ones that failed; `usd` is None as soon as one call has no known price."""
        return Cost(
            calls=self._calls,
            retries=self._retries,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            usd=None if self._usd is None else round(self._usd, 6),
        )

    def keep(self, request: Request, completion: Completion) -> None:
        """A provider keeps nothing."""

    async def ask(self, request: Request) -> Completion:
        """The reply, at the best level of structure that the endpoint takes; the first call finds it out alone."""
        if self._settled:
            return await self._ask_with_retries(request)
        async with self._probe:
            while not self._settled:
                try:
                    completion = await self._ask_with_retries(request)
                except _Unsupported:
                    continue
                self._settled = True
                return completion
        return await self._ask_with_retries(request)

    async def close(self) -> None:
        """Closes litellm's connections, which would otherwise complain at exit."""
        await self._litellm.close_litellm_async_clients()

    async def _ask_with_retries(self, request: Request) -> Completion:
        for attempt in range(1, self._settings.tries + 1):
            await self._wait_for_quiet()
            try:
                return await self._ask_once(request)
            except (Unanswered, ValueAuditError, _Unsupported):
                raise
            except Exception as error:
                # litellm raises many classes, some bare; every one is translated, none may end the run unnamed.
                failure = translate(error, self._endpoint.model)
                if isinstance(failure, Unanswered | ValueAuditError):
                    raise failure from error
                if isinstance(failure, Rejected):
                    raise self._adapt(failure) from error
                too_long = (failure.wait or 0) > LONGEST_RETRY_AFTER
                if attempt == self._settings.tries or too_long:
                    raise self._give_up(failure, attempt) from error
            self._retries += 1
            await self._back_off(failure, attempt)
        raise AssertionError("unreachable: the last attempt raises")

    async def _ask_once(self, request: Request) -> Completion:
        self._calls += 1
        response = await self._litellm.acompletion(
            model=self._endpoint.model,
            api_base=None if self._endpoint.is_default else self._endpoint.base,
            messages=self._messages(request),
            timeout=self._settings.timeout,
            max_retries=0,
            **self._response_format(request),
            **self._parameters,
        )
        self._answered += 1
        self._failed_in_a_row = 0
        self._add_cost(response)
        choice = response.choices[0]
        refusal = (choice.message.get("provider_specific_fields") or {}).get("refusal")
        if choice.finish_reason == "content_filter" or (refusal and not choice.message.content):
            raise Unanswered(Reason.JUDGE_REFUSED)
        content = choice.message.content
        return Completion(
            _whole_characters(content) if isinstance(content, str) else "",
            _whole_characters(response.model) if isinstance(response.model, str) else None,
            self._level.name.lower(),
            tuple(sorted(self._settings.parameters.keys() - self._parameters.keys())),
            truncated=choice.finish_reason == "length",
        )

    def _messages(self, request: Request) -> list[dict[str, Any]]:
        """The messages; for Claude the static beginning is marked for its prompt cache, others cache unasked."""
        messages = [dict(message) for message in request.messages]
        if "claude" in self._endpoint.model and messages[0]["role"] == "system":
            marked = {"type": "text", "text": messages[0]["content"], "cache_control": {"type": "ephemeral"}}
            messages[0]["content"] = [marked]
        return messages

    def _response_format(self, request: Request) -> dict[str, Any]:
        if self._level is Level.JSON_SCHEMA:
            schema = {"name": request.schema_name, "strict": True, "schema": request.schema}
            return {"response_format": {"type": "json_schema", "json_schema": schema}}
        return {"response_format": {"type": "json_object"}} if self._level is Level.JSON_OBJECT else {}

    def _adapt(self, rejected: Rejected) -> Exception:
        """While the way of asking is not settled: one step down and `_Unsupported`; else the error it is."""
        if not self._settled:
            if "temperature" in self._parameters and rejected.names("temperature"):
                del self._parameters["temperature"]
                return _Unsupported()
            if self._level > Level.PLAIN:
                self._level = Level(self._level - 1)
                return _Unsupported()
            # Rejected however it is asked: perhaps only this conversation, so the next one starts from the top.
            self._level = Level.JSON_SCHEMA
        if self._fails_for_good():
            return ProviderError(
                f'the endpoint rejects every request to "{self._endpoint.model}"',
                help="check the model and the parameters given with --param",
                quoted=rejected.message,
            )
        return Unanswered(Reason.REQUEST_REJECTED, rejected.detail)

    def _fails_for_good(self) -> bool:
        """Counts a conversation that stays unanswered; whether these are too many in a row to go on."""
        self._failed_in_a_row += 1
        return self._failed_in_a_row >= (FAILURES_IN_A_ROW if self._answered else FAILURES_AT_FIRST)

    def _give_up(self, failure: Retry, attempts: int) -> Exception:
        if self._fails_for_good():
            return UnreachableError(
                f'"{self._endpoint.model}" has not answered {self._failed_in_a_row} conversations in a row '
                f"({failure.reason})",
                help="run the same command again when the endpoint is well",
            )
        detail = f"{failure.detail}, {attempts} tries" if failure.detail else f"{attempts} tries"
        return Unanswered(failure.reason, detail)

    async def _back_off(self, failure: Retry, attempt: int) -> None:
        """Sleeps before the next attempt: as long as the provider says, else doubling with jitter.

        A wait that the provider asks for holds every call, not only this one.
        """
        if failure.wait is not None:
            self._quiet_until = max(self._quiet_until, time.monotonic() + failure.wait)
            return
        longest = min(LONGEST_WAIT, self._settings.first_wait * 2 ** (attempt - 1))
        await asyncio.sleep(longest * random.uniform(0.5, 1.0))

    async def _wait_for_quiet(self) -> None:
        """Waits as long as the provider asked, and a little more, so that not every call comes back at once."""
        while (left := self._quiet_until - time.monotonic()) > 0:
            await asyncio.sleep(left + random.uniform(0, self._settings.first_wait))

    def _add_cost(self, response: Any) -> None:
        usage = getattr(response, "usage", None)
        self._prompt_tokens += getattr(usage, "prompt_tokens", 0) or 0
        self._completion_tokens += getattr(usage, "completion_tokens", 0) or 0
        price = response._hidden_params.get("response_cost")
        self._usd = None if price is None or self._usd is None else self._usd + price


def _whole_characters(text: str) -> str:
    """The text with half surrogate pairs, which nothing can store, replaced."""
    return text.encode("utf-8", "replace").decode()


class _Unsupported(Exception):
    """The request was changed to what the endpoint takes; ask again."""
