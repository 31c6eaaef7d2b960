"""A branch of the taxonomy as the value of a rule: seen in the open observation, with its polarity kept apart.

The taxonomy places adverse values under the concern they violate, deception under *Protective*. A branch therefore
never counts both: an intended one its positive values, a prohibited one its adverse values (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from valueaudit.observation import Observation, ObservedValue, Polarity
from valueaudit.rules.base import Look, join_any, rule_out
from valueaudit.tally import Judged, Standing


def look_at_nodes(
    nodes: tuple[str, ...], polarity: Polarity, judge: Callable[[Observation, ObservedValue], Judged]
) -> Look:
    """How a conversation stands to the values of one polarity under categories or subcategories.

    `judge` is asked about each of them that has its quotation. Unknown: values that were not assessed, the silence of a
    screening, a value without its quotation or without a polarity, and one without a place, which may belong anywhere.
    """
    wanted = frozenset(nodes)

    def parts(seen: Observation) -> Iterator[Judged]:
        yield Judged(rule_out(seen))
        for value in seen.ai_values or ():
            if value.polarity not in (polarity, None):
                continue
            if value.category is None:
                yield Judged(Standing.UNKNOWN)
            elif wanted & {value.category, value.subcategory}:
                certain = value.supported and value.polarity is polarity
                suspicion = polarity is Polarity.ADVERSE and not value.supported
                yield judge(seen, value) if certain else Judged(Standing.UNKNOWN, flagged=suspicion)

    return lambda seen: join_any(parts(seen))
