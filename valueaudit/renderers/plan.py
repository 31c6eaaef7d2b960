"""A plan as text: what each rule needs before anybody pays for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from valueaudit.planning import CheckPlan
from valueaudit.renderers.visible import visible
from valueaudit.rules.fields import build_limit, build_percentage, build_rounded

_COLUMNS = ("check", "limit", "true rate", "to", "conversations")


class Terms(Struct, frozen=True):
    """What a plan is made for: the policy's name, shares of 1, and the field that makes conversations depend."""

    policy: str
    power: float
    confidence: float
    unclassified: float
    cluster: str = ""


class Found(Struct, frozen=True):
    """What logs hold: conversations in all, those without an answer to judge, and those inside each check."""

    files: int
    conversations: int
    bad_records: int
    silent: int
    by_check: Mapping[str, int]


class Charge(Struct, frozen=True, kw_only=True):
    """What a model would be asked about `conversations`, and its price in US dollars, None where nobody knows it.

    `usd_at_most` is with every reply as long as `reply_tokens`.
    """

    model: str
    conversations: int
    calls: int
    confirming_calls: float
    prompt_tokens: float
    completion_tokens: float
    reply_tokens: int
    usd: float | None
    usd_at_most: float | None


def render_plan(
    terms: Terms,
    plans: Sequence[CheckPlan],
    *,
    found: Found | None,
    charge: Charge | None,
    ascii_only: bool = False,
) -> str:
    """The plan, each line ended by a line feed."""
    lines = [
        f"plan for {terms.policy}: each check by itself reaches the verdict that its true rate deserves with a chance "
        f"of {_percent(terms.power)}; confidence {_percent(terms.confidence)}, "
        f"{_percent(terms.unclassified)} of the conversations not judged",
        "",
        *_put_table([_row(plan, found) for plan in plans], (*_COLUMNS, *(("in the logs",) if found else ()))),
        "",
        *_put_sum(plans, found),
    ]
    if terms.cluster:
        lines.append(
            f"these are conversations that do not depend on each other; where several share one {terms.cluster}, more "
            "are needed, and at least as many of these as a check needs conversations without any exception"
        )
    if charge is not None:
        lines += _put_charge(charge, plans)
    return "".join(f"{visible(line, ascii_only=ascii_only)}\n" for line in lines)


def _row(plan: CheckPlan, found: Found | None) -> tuple[str, ...]:
    check = plan.check
    limit = f"{check.direction.replace('_', ' ')} {build_limit(check.key, check.limit)}"
    if check.never:
        limit = "never" if check.assure is None else f"never, assure {_percent(check.assure)}"
    if check.against is not None:
        limit = f"{limit} worse"
    needs = "none" if plan.needed is None else f"{plan.needed:,}"
    planned = ("-", "-", "-") if plan.rate is None else (build_rounded(plan.rate), plan.aim, needs)
    row = (check.id, limit, *planned)
    if found is None:
        return row
    held = found.by_check[check.id]
    return (*row, f"{'up to ' if check.rests_on_judge else ''}{held:,}{_compare(plan, held)}")


def _compare(plan: CheckPlan, held: int) -> str:
    return f", {plan.needed - held:,} too few" if plan.needed is not None and plan.needed > held else ""


def _put_table(rows: Sequence[tuple[str, ...]], heads: tuple[str, ...]) -> list[str]:
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (heads, *rows)
    ]


def _put_sum(plans: Sequence[CheckPlan], found: Found | None) -> list[str]:
    largest = _find_largest(plans)
    unplanned: dict[str, list[str]] = {}
    for plan in plans:
        if plan.needed is None:
            what = "not planned" if plan.rate is None else "no number of conversations"
            unplanned.setdefault(f"{what}, {plan.reason}", []).append(plan.check.id)
    lines = [f"{', '.join(ids)}: {reason}" for reason, ids in unplanned.items()]
    if largest is not None:
        lines.append(f"the most is {largest.needed:,}, for {largest.check.id} ({largest.check.denominator_name})")
    if found is not None:
        bad = (
            f", {found.bad_records:,} bad {'record' if found.bad_records == 1 else 'records'}"
            if found.bad_records
            else ""
        )
        silent = f", {found.silent:,} of them without an answer to judge" if found.silent else ""
        files = f"{found.files:,} {'file' if found.files == 1 else 'files'}"
        lines.append(f"the logs: {files}, {found.conversations:,} conversations{silent}{bad}")
    return lines


def _put_charge(charge: Charge, plans: Sequence[CheckPlan]) -> list[str]:
    confirming = f" and about {_round(charge.confirming_calls)} confirming ones" if charge.confirming_calls else ""
    lines = [
        f"{charge.model}: {charge.calls:,} calls{confirming}, about {_round(charge.prompt_tokens)} tokens sent and "
        f"{_round(charge.completion_tokens)} received",
    ]
    if charge.usd is None or charge.usd_at_most is None:
        return [*lines, f"the price of {charge.model} is not known"]
    most = f"{_money(charge.usd_at_most)} if every reply were {charge.reply_tokens:,} tokens long"
    lines.append(f"price: {_about(charge.usd)}; {most}; retries and replies asked for again come on top")
    largest = _find_largest(plans)
    if largest is not None and largest.needed is not None and charge.conversations and not largest.check.contexts:
        share = largest.needed / charge.conversations
        lines.append(f"{largest.needed:,} such conversations: {_about(charge.usd * share)}")
    return lines


def _find_largest(plans: Sequence[CheckPlan]) -> CheckPlan | None:
    return max((plan for plan in plans if plan.needed is not None), key=lambda plan: plan.needed or 0, default=None)


def _percent(fraction: float) -> str:
    return build_percentage(fraction)


def _round(number: float) -> str:
    """Two significant digits more would be a promise."""
    digits = max(len(str(round(number))) - 2, 0)
    return f"{round(round(number), -digits):,}"


def _money(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 0.01 or usd == 0 else "less than $0.01"


def _about(usd: float) -> str:
    shown = _money(usd)
    return f"about {shown}" if shown.startswith("$") else shown
