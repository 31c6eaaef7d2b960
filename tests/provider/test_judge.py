from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from loopback import Answer, Asked, JudgeServer, good
from valueaudit.errors import KeyRejectedError, ProviderError, QuotaError, UnknownModelError, UnreachableError
from valueaudit.observation import Reason
from valueaudit.ports import Completion, Request, Unanswered
from valueaudit.provider import judge as judge_module
from valueaudit.provider.endpoint import resolve_endpoint
from valueaudit.provider.judge import JudgeSettings, LiteLLMJudge

T = TypeVar("T")
PARAMETERS: dict[str, Any] = {"temperature": 0, "max_tokens": 50}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


def ask_for(text: str = "hello") -> Request:
    """A request."""
    return Request(({"role": "system", "content": "Reply."}, {"role": "user", "content": text}), "audit", SCHEMA)


def run(
    server: JudgeServer,
    use: Callable[[LiteLLMJudge], Awaitable[T]],
    *,
    timeout: float = 10,
    tries: int = 3,
    model: str = "openai/test",
) -> T:
    """What `use` gives with a judge at the server."""

    async def go() -> T:
        endpoint = resolve_endpoint(model, server.base)
        judge = LiteLLMJudge(endpoint, JudgeSettings(PARAMETERS, timeout=timeout, tries=tries, first_wait=0.01))
        try:
            return await use(judge)
        finally:
            await judge.close()

    return asyncio.run(go())


def answers(*scripted: Answer) -> Callable[[Asked], Answer]:
    """A behaviour that gives these answers in turn, the last one for ever."""
    turns = itertools.chain(scripted[:-1], itertools.repeat(scripted[-1]))
    return lambda asked: next(turns)


OK = Answer('{"a": 1}')


def test_a_reply_comes_with_what_it_cost(server: JudgeServer) -> None:
    """Text, resolved model and level of structure are told; calls and tokens are counted; no price is invented."""
    server.behaviour = answers(OK)

    async def use(judge: LiteLLMJudge) -> Completion:
        completion = await judge.ask(ask_for())
        assert (judge.cost.calls, judge.cost.prompt_tokens, judge.cost.completion_tokens) == (1, 100, 20)
        assert judge.cost.usd is None
        return completion

    assert run(server, use) == Completion('{"a": 1}', "test-2026-01-01", "json_schema")
    sent = server.asked[0].body
    assert sent["response_format"]["json_schema"] == {"name": "audit", "strict": True, "schema": SCHEMA}
    assert (sent["temperature"], sent["max_tokens"]) == (0, 50)


def test_a_known_model_has_a_price(server: JudgeServer) -> None:
    """Where litellm's list knows the model, spend is in US dollars."""
    server.behaviour = answers(OK)

    async def use(judge: LiteLLMJudge) -> float | None:
        await judge.ask(ask_for())
        return judge.cost.usd

    spent = run(server, use, model="openai/gpt-4o-mini")
    assert spent is not None
    assert 0 < spent < 0.01


@pytest.mark.parametrize(
    ("takes", "level"), [("json_object", "json_object"), ("plain", "plain")], ids=["no schema", "no format"]
)
def test_the_best_level_of_structure_is_found_once(server: JudgeServer, takes: str, level: str) -> None:
    """An endpoint that rejects a level is asked one step lower, and from then on only at the level it takes."""

    def behave(asked: Asked) -> Answer:
        ranks = ["plain", "json_object", "json_schema"]
        if ranks.index(asked.format) > ranks.index(takes):
            return Answer(status=400, error={"message": f"response_format {asked.format} is not supported"})
        return OK

    server.behaviour = behave

    async def use(judge: LiteLLMJudge) -> list[Completion]:
        return list(await asyncio.gather(*(judge.ask(ask_for(str(n))) for n in range(5))))

    completions = run(server, use)
    assert {c.structured_output for c in completions} == {level}
    assert len(server.asked) == 5 + (1 if takes == "json_object" else 2)


def test_a_temperature_that_is_not_taken_is_left_out_and_told(server: JudgeServer) -> None:
    """Some models take only their own temperature; the completion says that it was left out."""

    def behave(asked: Asked) -> Answer:
        if "temperature" in asked.body:
            return Answer(status=400, error={"message": "Unsupported value: 'temperature' does not support 0"})
        return OK

    server.behaviour = behave
    completion = run(server, lambda judge: judge.ask(ask_for()))
    assert (completion.left_out, completion.structured_output) == (("temperature",), "json_schema")


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        (Answer(status=500), Reason.SERVER_ERROR),
        (Answer(status=503), Reason.SERVER_ERROR),
        (Answer(status=429), Reason.RATE_LIMIT),
        (Answer(drop=True), Reason.CONNECTION),
        (Answer(raw=b"<html>busy</html>"), Reason.SERVER_ERROR),
        (Answer("late", delay=1.0), Reason.TIMEOUT),
    ],
    ids=["500", "503", "429", "dropped", "html", "slow"],
)
def test_passing_failures_are_retried_and_then_named(server: JudgeServer, failing: Answer, reason: Reason) -> None:
    """One failure is overcome; one that stays is unanswered with its reason after the last try."""
    timeout = 0.3 if failing.delay else 10

    async def use(judge: LiteLLMJudge) -> tuple[Completion, Reason, int]:
        server.behaviour = answers(failing, OK)
        completion = await judge.ask(ask_for())
        server.behaviour = answers(failing)
        with pytest.raises(Unanswered) as caught:
            await judge.ask(ask_for())
        return completion, caught.value.reason, judge.cost.retries

    completion, seen, retries = run(server, use, timeout=timeout, tries=2)
    assert (completion.text, seen, retries) == ('{"a": 1}', reason, 2)


def test_retry_after_is_honoured_by_every_call(server: JudgeServer) -> None:
    """While the provider asks for quiet, no other call is sent either."""
    server.behaviour = answers(OK, Answer(status=429, headers={"retry-after": "0.4"}), OK)

    async def use(judge: LiteLLMJudge) -> float:
        await judge.ask(ask_for("first"))
        limited = asyncio.create_task(judge.ask(ask_for("limited")))
        await asyncio.sleep(0.2)
        started = time.monotonic()
        await judge.ask(ask_for("waits too"))
        await limited
        return time.monotonic() - started

    assert run(server, use) >= 0.1


def test_a_wait_beyond_reason_is_not_waited_for(server: JudgeServer) -> None:
    """A provider that asks for an hour leaves the conversation unanswered at once."""
    server.behaviour = answers(OK, Answer(status=429, headers={"retry-after": "3600"}))

    async def use(judge: LiteLLMJudge) -> Reason:
        await judge.ask(ask_for())
        with pytest.raises(Unanswered) as caught:
            await judge.ask(ask_for())
        return caught.value.reason

    assert run(server, use) is Reason.RATE_LIMIT
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, {"message": "bad key"}, KeyRejectedError),
        (403, {"message": "forbidden"}, KeyRejectedError),
        (404, {"message": "no such model"}, UnknownModelError),
        (429, {"message": "quota", "code": "insufficient_quota"}, QuotaError),
        (402, {"message": "payment required"}, QuotaError),
    ],
)
def test_errors_of_the_run_end_it_at_once(
    server: JudgeServer, status: int, error: dict[str, Any], kind: type[ProviderError]
) -> None:
    """Key, credit and model are not retried."""
    server.behaviour = answers(Answer(status=status, error=error))
    with pytest.raises(kind):
        run(server, lambda judge: judge.ask(ask_for()))
    assert len(server.asked) == 1


def test_an_address_where_nothing_listens_ends_the_run() -> None:
    """A refused connection is not a conversation's fault and is told with the flag to check."""
    with JudgeServer() as closed:
        pass
    with pytest.raises(UnreachableError, match="nothing answers") as caught:
        run(closed, lambda judge: judge.ask(ask_for()))
    assert "--api-base" in str(caught.value.help)


@pytest.mark.parametrize(
    "answer",
    [Answer(refusal="I cannot judge this."), Answer("", finish_reason="content_filter")],
    ids=["refusal", "filter"],
)
def test_a_judge_that_refuses_is_named(server: JudgeServer, answer: Answer) -> None:
    """A refusal of the judge says nothing about the conversation."""
    server.behaviour = answers(answer)
    with pytest.raises(Unanswered) as caught:
        run(server, lambda judge: judge.ask(ask_for()))
    assert caught.value.reason is Reason.JUDGE_REFUSED


def test_a_reply_cut_off_at_its_limit_is_marked(server: JudgeServer) -> None:
    """The finish reason tells a long reply from a wrong one."""
    server.behaviour = answers(Answer('{"a"', finish_reason="length"))
    assert run(server, lambda judge: judge.ask(ask_for())).truncated


def test_a_request_too_long_is_named(server: JudgeServer) -> None:
    """The classifier splits such a conversation."""
    error = {"message": "This model's maximum context length is 10 tokens", "code": "context_length_exceeded"}
    server.behaviour = answers(Answer(status=400, error=error))
    with pytest.raises(Unanswered) as caught:
        run(server, lambda judge: judge.ask(ask_for()))
    assert caught.value.reason is Reason.CONTEXT_WINDOW


def test_one_rejected_conversation_does_not_settle_how_to_ask(server: JudgeServer) -> None:
    """A request that is rejected at every level is that conversation's; the next one starts at the best level again."""

    def behave(asked: Asked) -> Answer:
        return Answer(status=400) if "odd" in asked.transcript else OK

    server.behaviour = behave

    async def use(judge: LiteLLMJudge) -> Completion:
        with pytest.raises(Unanswered) as caught:
            await judge.ask(ask_for("odd"))
        assert caught.value.reason is Reason.REQUEST_REJECTED
        completion = await judge.ask(ask_for("plain"))
        with pytest.raises(Unanswered):
            await judge.ask(ask_for("odd"))
        return completion

    assert run(server, use).structured_output == "json_schema"


def test_an_endpoint_that_rejects_everything_ends_the_run(server: JudgeServer) -> None:
    """After the third rejected conversation and none answered, the endpoint's own words are told."""
    server.behaviour = answers(Answer(status=400, error={"message": "top_q is not a parameter"}))

    async def use(judge: LiteLLMJudge) -> None:
        for _ in range(2):
            with pytest.raises(Unanswered):
                await judge.ask(ask_for())
        with pytest.raises(ProviderError, match="rejects every request") as caught:
            await judge.ask(ask_for())
        assert "top_q is not a parameter" in str(caught.value.quoted)
        assert "top_q" not in caught.value.message

    run(server, use)


def test_an_endpoint_that_never_answers_ends_the_run(server: JudgeServer) -> None:
    """While nothing has ever succeeded, three conversations that stay unanswered are enough."""
    server.behaviour = answers(Answer(status=500))

    async def use(judge: LiteLLMJudge) -> None:
        for _ in range(2):
            with pytest.raises(Unanswered):
                await judge.ask(ask_for())
        with pytest.raises(UnreachableError, match="3 conversations in a row"):
            await judge.ask(ask_for())

    run(server, use, tries=1)


def test_an_endpoint_that_dies_ends_the_run_later(server: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once something has succeeded, many failures in a row are needed, and one success starts the count anew."""
    monkeypatch.setattr(judge_module, "FAILURES_IN_A_ROW", 2)
    bad = Answer(status=500)
    server.behaviour = answers(OK, bad, OK, bad, bad)

    async def use(judge: LiteLLMJudge) -> None:
        await judge.ask(ask_for())
        with pytest.raises(Unanswered):
            await judge.ask(ask_for())
        await judge.ask(ask_for())
        with pytest.raises(Unanswered):
            await judge.ask(ask_for())
        with pytest.raises(UnreachableError, match="2 conversations in a row"):
            await judge.ask(ask_for())

    run(server, use, tries=1)


def test_claude_gets_its_static_beginning_marked_for_the_cache() -> None:
    """Anthropic caches only what is marked; the mark goes over the real wire in Anthropic's own shape."""
    content = [{"type": "text", "text": '{"a": 1}'}]
    usage = {"input_tokens": 5, "output_tokens": 2}
    reply = {
        "id": "x",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": content,
        "usage": usage,
    }
    with JudgeServer(answers(Answer(raw=json.dumps({**reply, "stop_reason": "end_turn"}).encode()))) as server:
        completion = run(server, lambda judge: judge.ask(ask_for()), model="anthropic/claude-test")
    system = server.asked[0].body["system"]
    assert completion.text == '{"a": 1}'
    assert system[0]["text"].startswith("Reply.")
    assert system[0]["cache_control"] == {"type": "ephemeral"}


def test_a_provider_keeps_nothing(server: JudgeServer) -> None:
    """Keeping replies is the store's work."""
    server.behaviour = good

    async def use(judge: LiteLLMJudge) -> int | None:
        judge.keep(ask_for(), Completion("{}"))
        return judge.context_tokens

    assert run(server, use) is None
    assert server.asked == []
