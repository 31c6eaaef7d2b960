"""Waivers applied: what was accepted for a time changes a limit or a count, and is never applied in silence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from valueaudit.policy import Waiver
from valueaudit.report import WaiverInfo, WaiverState
from valueaudit.rules import Check
from valueaudit.rules.fields import build_limit
from valueaudit.tally import ClusterCount, RuleCount

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Waived:
    """A check and its count as they stand after their waivers; `notes` for the rule, `warnings` for the whole run."""

    check: Check
    count: RuleCount
    waivers: tuple[WaiverInfo, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def waive(
    check: Check,
    count: RuleCount,
    waivers: Iterable[Waiver],
    today: date | None,
    passes: Callable[[Check, RuleCount], bool],
) -> Waived:
    """The check and its count after the waivers of its rule; without a date none of them is in force.

    Accepted conversations count as clean, a waived limit replaces the rule's unless the rule `passes` without it.
    """
    waived = Waived(check, count)
    mine = [waiver for waiver in waivers if waiver.rule == check.rule]
    for waiver in sorted(mine, key=lambda waiver: not waiver.conversations):
        if waiver.conversations and check.direction == "at_most":
            waived = _accept_hits(waived, waiver, today)
        elif waiver.replaces(check.key) is not None:
            waived = _replace_limit(waived, waiver, today, passes)
    return waived


def _accept_hits(waived: Waived, waiver: Waiver, today: date | None) -> Waived:
    lapsed = _explain_lapsed(waiver, today)
    if lapsed:
        return _note_lapsed(waived, waiver, lapsed)
    count, rule = waived.count, waived.check.id
    seen = {id: count.named_hits[id] + count.named_pending[id] for id in waiver.conversations}
    accepted = [id for id, times in seen.items() if times == 1]
    # An id that several flagged conversations share would let one acceptance cover them all.
    warnings = [
        f'the waiver of rule "{rule}" accepts "{id}", the id of {times:,} flagged conversations: none is accepted'
        for id, times in seen.items()
        if times > 1
    ]
    unused = [id for id, times in seen.items() if not times]
    if unused:
        warnings.append(f'the waiver of rule "{rule}" accepts {_name(unused)}, where nothing was flagged')
    notes = [f"{_count_hits(len(accepted))} accepted {_describe(waiver)}"] if accepted else []
    return dataclasses.replace(
        waived,
        count=_set_clean(count, accepted),
        waivers=(*waived.waivers, _build_info(waiver, "in force" if accepted else "unused")),
        notes=(*waived.notes, *notes),
        warnings=(*waived.warnings, *warnings),
    )


def _set_clean(count: RuleCount, accepted: Sequence[str]) -> RuleCount:
    """The count with these conversations clean; each of them is one named hit or one named pending."""
    clusters = dict(count.clusters)
    for id in accepted:
        if id in count.named_clusters:
            name, was_hit = count.named_clusters[id], id in count.named_hits
            held = clusters[name]
            clusters[name] = ClusterCount(held.hits - was_hit, held.clean + 1, held.unknown - (not was_hit))
    named_hits, named_pending = count.named_hits.copy(), count.named_pending.copy()
    hits = sum(named_hits.pop(id, 0) for id in accepted)
    pending = sum(named_pending.pop(id, 0) for id in accepted)
    return dataclasses.replace(
        count,
        hits=count.hits - hits,
        clean=count.clean + hits + pending,
        unknown=count.unknown - pending,
        pending=count.pending - pending,
        named_hits=named_hits,
        named_pending=named_pending,
        clusters=clusters,
    )


def _replace_limit(
    waived: Waived, waiver: Waiver, today: date | None, passes: Callable[[Check, RuleCount], bool]
) -> Waived:
    check, limit = waived.check, waiver.replaces(waived.check.key)
    lapsed = _explain_lapsed(waiver, today)
    if lapsed:
        return _note_lapsed(waived, waiver, lapsed)
    if limit is None or passes(check, waived.count):
        unused = f'the waiver of rule "{check.id}" is unused: the rule holds without it'
        return dataclasses.replace(
            waived,
            waivers=(*waived.waivers, _build_info(waiver, "unused")),
            warnings=(*waived.warnings, unused),
        )
    own = "never" if check.never else _name_limit(check, check.limit)
    return dataclasses.replace(
        waived,
        check=dataclasses.replace(check, limit=limit, never=False, assure=None),
        waivers=(*waived.waivers, _build_info(waiver, "in force")),
        notes=(*waived.notes, f"waived: {_name_limit(check, limit)} instead of {own} {_describe(waiver)}"),
    )


def _note_lapsed(waived: Waived, waiver: Waiver, lapsed: str) -> Waived:
    text = f"{lapsed}: the rule is enforced"
    return dataclasses.replace(
        waived,
        waivers=(*waived.waivers, _build_info(waiver, "expired")),
        notes=(*waived.notes, f"the waiver {text}"),
        warnings=(*waived.warnings, f'the waiver of rule "{waived.check.id}" {text} again'),
    )


def _explain_lapsed(waiver: Waiver, today: date | None) -> str | None:
    if today is None:
        return "cannot be held against a date"
    return f"expired on {waiver.expires}" if today > waiver.last_day else None


def _build_info(waiver: Waiver, state: WaiverState) -> WaiverInfo:
    limit = next(iter(waiver.limits.values()), None)
    return WaiverInfo(waiver.reason, waiver.approved_by, waiver.expires, limit, waiver.conversations, state)


def _describe(waiver: Waiver) -> str:
    return f"until {waiver.expires} by {waiver.approved_by} ({waiver.reason})"


def _name_limit(check: Check, limit: float) -> str:
    return f"{check.direction.replace('_', ' ')} {build_limit(check.key, limit)}"


def _count_hits(number: int) -> str:
    return f"{number:,} known hit{'' if number == 1 else 's'}"


def _name(ids: list[str]) -> str:
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    return ", ".join(f'"{id}"' for id in ids[:_NAMED]) + more
