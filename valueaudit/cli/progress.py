"""The progress bar: on a terminal only, on standard error, never in a log file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tqdm import tqdm

from valueaudit.record import Cost
from valueaudit.tally import Tally

_FORMAT = "{percentage:3.0f}%|{bar}| {desc}"
_FORMAT_WITHOUT_TOTAL = "{desc}"


class Progress:
    """Conversations, rate, errors and spend, drawn at most ten times a second."""

    def __init__(
        self, *, total: int | None, position: Callable[[], int], cost: Callable[[], Cost], quiet: bool
    ) -> None:
        self._position = position
        self._cost = cost
        self._bar = tqdm(
            total=total,
            bar_format=_FORMAT if total else _FORMAT_WITHOUT_TOTAL,
            file=sys.stderr,
            disable=quiet or not sys.stderr.isatty() or bool(os.environ.get("CI")),
            leave=False,
            dynamic_ncols=True,
        )

    def __call__(self, tally: Tally) -> None:
        """Shows how far the run is."""
        if self._bar.disable:
            return
        done = tally.sampled
        rate = done / max(self._bar.format_dict["elapsed"], 1e-9)
        cost = self._cost()
        spent = "" if not cost.calls else " · price unknown" if cost.usd is None else f" · ${cost.usd:.4f}"
        unanswered = tally.sampled - tally.classified
        self._bar.set_description_str(
            f"{done:,} conversations · {rate:,.1f}/s · {unanswered:,} not classified"
            f" · {tally.bad_records:,} bad records{spent}",
            refresh=False,
        )
        self._bar.update(max(0, self._position() - self._bar.n))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
