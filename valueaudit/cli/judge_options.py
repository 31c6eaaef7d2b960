"""The flags that choose and bound a judge, the same for every command that asks one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click
from msgspec import Struct

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)?", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType[float]):
    """A length of time: `90`, `90s`, `15m`, `2h`; in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, more than zero."""
        if isinstance(value, int | float):
            return float(value)
        match = _DURATION.fullmatch(value.strip())
        if match is None or float(match[1]) <= 0:
            self.fail(f'"{value}" is no duration, write for example 90s, 15m or 2h', param, ctx)
        return float(match[1]) * _SECONDS[(match[2] or "s").lower()]


class JudgeOptions(Struct, frozen=True, kw_only=True):
    """Which judge, and how it is asked; names as in `--help`."""

    model: str | None
    api_base: str | None
    param: tuple[str, ...]
    unprimed: bool
    offline: bool
    concurrency: int
    processes: int | None
    timeout: float
    max_time: float | None
    cache_dir: str | None
    no_cache: bool


# What needs no provider, by the names that --model knows.
ENCODER = "encoder"
EMBEDDED = ("embedded", ENCODER)
MODEL_HELP = (
    "Judge, as provider/model; or, on this machine without a key, embedded (the default) or encoder (better, slower)."
)
PROCESSES_HELP = (
    "Processes of the embedded classifier, at most; started as the input grows. Default: the processors, at most 8."
)
_FLAGS = (
    click.option("-m", "--model", metavar="MODEL", help=MODEL_HELP),
    click.option("--api-base", metavar="URL", help="Address of the judge, for any OpenAI-compatible server."),
    click.option("--param", multiple=True, metavar="KEY=VALUE", help="Parameter of every call, e.g. max_tokens=8000."),
    click.option("--unprimed", is_flag=True, help="Ask the open question in a call of its own, without the policy."),
    click.option("--offline", is_flag=True, help="Refuse every judge that is not on this machine."),
    click.option("--concurrency", type=click.IntRange(1, 1000), default=16, show_default=True, help="Calls in flight."),
    click.option("--processes", type=click.IntRange(1, 1000), metavar="N", help=PROCESSES_HELP),
    click.option("--timeout", type=Duration(), default=120, show_default=True, help="Longest wait for one call."),
    click.option("--max-time", type=Duration(), help="Longest time for the whole run, e.g. 90s, 15m, 2h."),
    click.option("--cache-dir", metavar="DIR", help="Where paid replies are kept. Default: the user's cache folder."),
    click.option("--no-cache", is_flag=True, help="Neither look for kept replies nor keep new ones."),
)


def judge_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command with the flags of a judge."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command
