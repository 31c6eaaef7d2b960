"""The measured part of the terminal report: which values show, how the assistant answers, and what nobody wants."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from valueaudit.renderers.figures import format_count, format_interval, format_rate
from valueaudit.renderers.terminal_parts import Sheet, put_bars
from valueaudit.renderers.terminal_places import put_places, shown_places
from valueaudit.report import AdverseShare, NamedShare, Report, Share, ValueShare

TOP_VALUES = 15
TOP_HUMAN_VALUES = 5
_NOT_ASSESSED = "not assessed"
_NAME_WIDTH = 12


def put_categories(sheet: Sheet, report: Report) -> None:
    """The five categories, and the subcategories on a verbose sheet."""
    sheet.heading("Categories")
    categories = report.profile.categories
    _put_named(sheet, categories)
    if sheet.verbose and report.profile.subcategories:
        sheet.heading("Subcategories")
        _put_named(sheet, report.profile.subcategories)


def put_values(sheet: Sheet, report: Report) -> None:
    """The most frequent values; every one, and the tasks and languages, on a verbose sheet."""
    values = report.profile.values
    shown = values if sheet.verbose else values[:TOP_VALUES]
    top = f"Values, the {TOP_VALUES} most frequent of {format_count(len(values))}"
    sheet.heading(top if len(values) > len(shown) else "Values")
    if shown:
        put_bars(sheet, [(_name_value(value), value) for value in shown], style="cyan")
    else:
        assessed = any(category.denominator for category in report.profile.categories)
        sheet.put(sheet.text("none seen" if assessed else _NOT_ASSESSED))
    if sheet.verbose:
        for title, shares in (("Tasks", report.profile.tasks), ("Languages", report.profile.languages)):
            sheet.heading(title)
            _put_named(sheet, shares)


def put_responses(sheet: Sheet, report: Report) -> None:
    """How the assistant answers the user's values, and what the user states."""
    profile = report.profile
    sheet.heading("Responses to the user's values")
    _put_named(sheet, profile.response_types)
    stated = [
        f"{value.value} {format_rate(value.rate)} ({_describe_fraction(value)})"
        for value in (profile.human_values if sheet.verbose else profile.human_values[:TOP_HUMAN_VALUES])
    ]
    # The report does not say how many conversations were asked when none of them states a value.
    nothing = "none seen" if any(each.denominator for each in profile.response_types) else _NOT_ASSESSED
    content: Text | str = sheet.join(stated) if stated else nothing
    sheet.fact("user states", content, name_width=_NAME_WIDTH)
    mirroring = profile.mirroring
    told = (
        f"{format_rate(mirroring.rate)} ({_describe_fraction(mirroring)}, "
        f"95% interval {format_interval(mirroring.interval)}) of the conversations with a stated value show it too"
    )
    sheet.fact("mirrored", told if mirroring.denominator else nothing, name_width=_NAME_WIDTH)


_SCREENING = "this is no rate, a screening finds what is said outright and misses most of the rest"


def put_adverse(sheet: Sheet, report: Report) -> None:
    """Every adverse value with its rate and the places to look; where there is none, how many might be."""
    profile = report.profile
    total = profile.adverse_conversations
    sheet.heading("ADVERSE VALUES", "red" if profile.adverse or total.count else "")
    screening = report.classifier.assessed == "screening"
    if screening and total.denominator:
        told = f"{format_count(total.count)} of {format_count(total.denominator)} conversations flagged"
        sheet.put(sheet.text(f"{told}; {_SCREENING}", "bold red" if total.count else ""))
    elif not profile.adverse and not total.count:
        sheet.put(sheet.text(_describe_none(total)))
    elif total.denominator:
        told = f"{format_rate(total.rate)} of conversations ({_describe_fraction(total)}) show one or more"
        sheet.put(sheet.text(f"{told}; 95% interval {format_interval(total.interval)}", "bold red"))
    if not profile.adverse and not total.count:
        return
    for share in profile.adverse:
        _put_adverse_value(sheet, share, screening=screening)
    if not profile.adverse:
        sheet.put(sheet.text("the classifier names no value"))
        return
    command = Text("valueaudit show RECORDS ID", style="bold")
    hint = command.append_text(Text(" reads one, from a records file written with --records", style="not bold"))
    sheet.put(hint)


def _put_adverse_value(sheet: Sheet, share: AdverseShare, *, screening: bool) -> None:
    interval = f"95% interval {format_interval(share.interval)}"
    fraction = _describe_fraction(share)
    figures = sheet.join([fraction] if screening else [format_rate(share.rate), fraction, interval])
    name = sheet.cut(share.value, sheet.inner // 2, "bold red")
    sheet.put(Text.assemble(name, "  ", figures), hang=2)
    put_places(sheet, share.examples, indent=4)
    more = share.count - min(len(share.examples), shown_places(sheet))
    if more > 0:
        sheet.put(sheet.text(f"and {format_count(more)} more", "dim"), indent=4)


def _describe_none(total: NamedShare) -> str:
    if not total.denominator:
        return _NOT_ASSESSED
    upper = format_rate(total.interval[1])
    return (
        f"none seen in {format_count(total.denominator)} conversations; "
        f"that many cannot rule out a rate of up to {upper} (95% interval)"
    )


def _put_named(sheet: Sheet, shares: Sequence[NamedShare]) -> None:
    if any(share.denominator for share in shares):
        put_bars(sheet, [(share.name.replace("_", " "), share) for share in shares], style="blue")
    else:
        sheet.put(sheet.text(_NOT_ASSESSED))


def _name_value(share: ValueShare) -> str:
    mark = " (adverse)" if share.polarity == "adverse" else " (unplaced)" if share.category is None else ""
    return share.value + mark


def _describe_fraction(share: Share) -> str:
    return f"{format_count(share.count)}/{format_count(share.denominator)}"
