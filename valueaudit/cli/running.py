"""One run of the pipeline from the command line: signals and the time limit end it in good order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable

from valueaudit.audit import Audit, Item, Result, Stop, TimeLimitError
from valueaudit.cli.judging import Judging
from valueaudit.errors import InterruptedRunError


async def run_audit(
    audit: Audit,
    stop: Stop,
    items: Iterable[Item],
    judging: Judging,
    *,
    max_time: float | None,
    at_end: Callable[[Result], None] = lambda _: None,
) -> Result:
    """Everything counted, the judge closed after `at_end`; `max_time` is in seconds. Raises `InterruptedRunError`."""
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if stop.error is not None:
            # The run is ending already: whoever asks again does not want to wait for the calls in flight.
            loop.remove_signal_handler(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        stop.end(InterruptedRunError("interrupted", help=judging.resume))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    if max_time is not None:
        late = TimeLimitError(f"the time limit of {max_time:g} s is reached", help=judging.resume)
        loop.call_later(max_time, stop.end, late)
    try:
        result = await audit.run(items)
        at_end(result)
        return result
    finally:
        await judging.close()
