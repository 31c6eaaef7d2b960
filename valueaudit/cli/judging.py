"""Which classifier a command line asks for, and where the text would go, settled before anything is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from valueaudit.cli.judge_options import EMBEDDED, ENCODER, JudgeOptions
from valueaudit.cli.processors import count_processors
from valueaudit.cli.terminal import tell
from valueaudit.errors import UsageError
from valueaudit.ports import Classifier, Complete
from valueaudit.record import ClassifierInfo
from valueaudit.renderers.visible import visible
from valueaudit.taxonomy import Taxonomy

if TYPE_CHECKING:
    from valueaudit.policy import DeclaredQuestion
    from valueaudit.provider.endpoint import Endpoint
    from valueaudit.store import ReplyStore

DEFAULT_PARAMETERS: Mapping[str, Any] = {"temperature": 0, "max_tokens": 4096}
# What decides how a model answers. A list of what may be set, because these stand in the report: no secret can.
_SETTABLE = (
    *("temperature", "top_p", "top_k", "min_p", "seed", "stop", "max_tokens", "max_completion_tokens"),
    *("presence_penalty", "frequency_penalty", "repetition_penalty", "logit_bias"),
    *("reasoning_effort", "thinking", "verbosity", "service_tier", "chat_template_kwargs"),
)
# One process reads and counts for all, and cannot keep more busy (docs/embedded.md, "Several processes").
MOST_PROCESSES = 8
_RESUME = "what was answered is kept: the same command goes on"


class Judging(Struct, frozen=True):
    """The classifier of a run; for people: where text goes, and what another run would do; how to let go of it all.

    `in_flight` bounds the conversations that are judged at the same time. `finish` is for a run that came to its end:
    the number of looks at its conversations, None where nobody counts.
    """

    classifier: Classifier
    destination: str
    resume: str
    in_flight: int
    close: Callable[[], Awaitable[None]]
    finish: Callable[[], int | None] = lambda: None


def build_judging(
    options: JudgeOptions, taxonomy: Taxonomy, questions: Sequence[DeclaredQuestion], confirmations: Mapping[str, int]
) -> Judging:
    """The classifier that the options name. Raises `UsageError` before anything leaves the machine."""
    if options.model is None or options.model in EMBEDDED:
        return _build_embedded(options, taxonomy, questions)
    return _build_llm(options, options.model, taxonomy, questions, confirmations)


def _build_embedded(options: JudgeOptions, taxonomy: Taxonomy, questions: Sequence[DeclaredQuestion]) -> Judging:
    from valueaudit.classifiers.embedded import EmbeddedClassifier
    from valueaudit.classifiers.encoder_model import SLOWER, load_encoder
    from valueaudit.classifiers.pool import CHARACTERS_FOR_ONE_MORE, IN_FLIGHT, PooledClassifier
    from valueaudit.classifiers.worker import Question, Task
    from valueaudit.classifiers.worker_process import start_worker

    for flag, given in (("--api-base", options.api_base), ("--param", options.param), ("--unprimed", options.unprimed)):
        if given:
            raise UsageError(f"{flag} needs a model", help="name one with --model provider/model")

    reads_along = options.model == ENCODER
    own = EmbeddedClassifier(taxonomy, questions, encoder=load_encoder() if reads_along else None)
    where = f"the embedded {ENCODER if reads_along else 'classifier'}; no text leaves this machine"
    resume = "the same command starts again"
    processes = options.processes or min(count_processors(), MOST_PROCESSES)
    if processes == 1:
        return Judging(own, where, resume, options.concurrency, _let_go_of_nothing)
    task = Task(tuple(Question(question.value, question.kind) for question in questions), reads_along)
    share = CHARACTERS_FOR_ONE_MORE // (SLOWER if reads_along else 1)
    start = partial(start_worker, task)
    pool = PooledClassifier(own, start, processes=processes, warn=_warn, characters_for_one_more=share)
    return Judging(pool, where, resume, processes * IN_FLIGHT, pool.close)


def _warn(text: str) -> None:
    tell(f"warning: {visible(text)}", sys.stderr)


async def _let_go_of_nothing() -> None:
    return None


def _build_llm(
    options: JudgeOptions,
    model: str,
    taxonomy: Taxonomy,
    questions: Sequence[DeclaredQuestion],
    confirmations: Mapping[str, int],
) -> Judging:
    if options.processes is not None:
        raise UsageError(
            "--processes is of the embedded classifier, and a judge is asked from one process",
            help="leave it out; --concurrency says how many calls are in flight",
        )
    from valueaudit.classifiers.llm import LLMClassifier
    from valueaudit.provider.endpoint import resolve_endpoint
    from valueaudit.provider.judge import JudgeSettings, LiteLLMJudge
    from valueaudit.store import StoredJudge

    parameters = {**DEFAULT_PARAMETERS, **parse_parameters(options.param)}
    endpoint = resolve_endpoint(model, options.api_base)
    _refuse_remote(options, endpoint)
    provider_judge = LiteLLMJudge(endpoint, JudgeSettings(parameters=parameters, timeout=options.timeout))
    judge, store = _with_store(options, provider_judge, endpoint, parameters)
    classifier = LLMClassifier(
        judge,
        taxonomy,
        questions,
        info=ClassifierInfo(model=model, provider=endpoint.provider, endpoint=endpoint.shown, parameters=parameters),
        confirmations=confirmations,
        reply_tokens=_reply_tokens(parameters),
        unprimed=options.unprimed,
    )

    async def close() -> None:
        await provider_judge.close()
        if store is not None:
            store.close()

    where = "on this machine" if endpoint.is_loopback else "transcript text is sent there"
    resume = "what was answered is not kept, since --no-cache" if options.no_cache else _RESUME
    return Judging(
        classifier,
        f"{model}, asked through {endpoint.provider} at {endpoint.shown}; {where}",
        resume,
        options.concurrency,
        close,
        judge.finish if isinstance(judge, StoredJudge) else lambda: None,
    )


def _with_store(
    options: JudgeOptions, judge: Complete, endpoint: Endpoint, parameters: Mapping[str, Any]
) -> tuple[Complete, ReplyStore | None]:
    if options.no_cache:
        return judge, None
    from platformdirs import user_cache_path

    from valueaudit.store import ReplyStore, StoredJudge

    folder = Path(options.cache_dir) if options.cache_dir else user_cache_path("valueaudit")
    store = ReplyStore(folder)
    identity = {"model": endpoint.model, "base": endpoint.base, "parameters": dict(parameters)}
    return StoredJudge(judge, store, identity), store


def _refuse_remote(options: JudgeOptions, endpoint: Endpoint) -> None:
    from valueaudit.provider.addresses import forbid_remote_connections

    if not options.offline:
        return
    # A proxy named in the environment would carry even a request to this machine elsewhere.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    forbid_remote_connections()
    if not endpoint.is_loopback:
        raise UsageError(
            f'--offline refuses "{endpoint.model}" at {endpoint.shown}: it is not on this machine',
            help="leave out --model for the embedded classifier, or give --api-base http://127.0.0.1:PORT/v1",
        )


def parse_parameters(given: Sequence[str]) -> dict[str, Any]:
    """The parameters in `KEY=VALUE` texts; a value is JSON where it can be, else text. Raises `UsageError`."""
    parameters: dict[str, Any] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f'"{each}" is no parameter', help="write --param KEY=VALUE, for example --param top_p=0.9")
        if key not in _SETTABLE:
            raise UsageError(
                f'"{key}" cannot be set with --param',
                help=f"known are {', '.join(_SETTABLE)}; keys and addresses belong into the environment",
            )
        try:
            parameters[key] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            parameters[key] = value
    return parameters


def _reply_tokens(parameters: Mapping[str, Any]) -> int:
    tokens = parameters.get("max_tokens") or parameters.get("max_completion_tokens") or 0
    if not isinstance(tokens, int):
        raise UsageError(f'max_tokens is "{tokens}", not a number')
    return tokens
