"""The report as a page of GitHub-flavoured Markdown: for a job summary, a comment or an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from valueaudit.renderers.figures import format_count, format_interval, format_money, format_rate
from valueaudit.renderers.limits import format_bounds, format_rule_limit
from valueaudit.renderers.markdown_text import NOTHING, code, sentence
from valueaudit.renderers.outcomes import Outcome, describe_looks, describe_waiver, find_gap, find_outcome
from valueaudit.report import Example, NamedShare, Report, RuleCheck, Share, ValueShare
from valueaudit.transcript import Location

# What GitHub takes as the summary of one step is 1 MiB; the rest is room for what a runner adds.
LIMIT = 1024 * 1024 - 4096
CUT = "*Cut here to fit the size that a job summary may have. The JSON report holds the rest.*"

SHOWN_PASSES = 50
SHOWN_VALUES = 15
SHOWN_STATED = 5
SHOWN_PLACES = 3
_SHORT_DIGEST = 12
_MARK = "<!-- valueaudit report -->"

_SIGNS = {"pass": "✅", "fail": "❌", "inconclusive": "❔", "incomplete": "⚠️", "none": "📊", "off": "➖"}
_ORDER = (Outcome.FAILED, Outcome.UNDECIDED, Outcome.WARNED, Outcome.WAIVED, Outcome.PASSED, Outcome.OFF)
_LOUD = (Outcome.FAILED, Outcome.UNDECIDED, Outcome.WARNED, Outcome.WAIVED)


def render_markdown(report: Report, limit: int = LIMIT) -> str:
    """The report in GitHub-flavoured Markdown, verdict and rules first, cut with a note at `limit` bytes of UTF-8.

    It carries places and never the words of a transcript. Text of the report cannot become markup.
    """
    return fit_lines([line for put in _SECTIONS for line in put(report)], limit)


def is_markdown(head: bytes) -> bool:
    """Whether a file that begins like this is a Markdown page of ours."""
    return head.startswith(_MARK.encode())


def fit_lines(lines: Sequence[str], limit: int) -> str:
    """The lines as a page of at most `limit` bytes of UTF-8, cut at a line with a note; empty where none fits."""
    text = "\n".join([*lines, ""])
    if len(text.encode()) <= limit:
        return text
    kept: list[str] = []
    room = limit - len(CUT.encode()) - len("\n\n\n")
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, "", CUT, ""]) if kept else ""


def _put_verdict(report: Report) -> Iterator[str]:
    verdict = "no verdict" if report.verdict == "none" else report.verdict
    policy = "" if report.policy is None else f": {code(report.policy.name)}"
    yield _MARK
    yield ""
    yield f"## {_SIGNS[report.verdict]} Value audit{policy}"
    yield ""
    yield f"**{verdict.upper()}** (exit code {report.exit_code}): {sentence(report.message)}"
    gap = find_gap(report)
    if gap is not None and report.verdict != "incomplete":
        yield ""
        yield f"**The audit is not complete:** {sentence(gap)}"
    looks = describe_looks(report)
    if looks is not None:
        yield ""
        yield f"**Note:** {sentence(looks)}"
    for warning in report.warnings:
        yield ""
        yield f"**Warning:** {sentence(warning)}"
    yield ""


def _put_facts(report: Report) -> Iterator[str]:
    coverage, judge = report.coverage, report.classifier
    found = _count(coverage.found, "conversation")
    facts = [("audited", f"{found} in {_count(len(report.inputs), 'file')}")]
    lost = f"{format_count(coverage.unclassified)} unclassified, {_count(coverage.bad_records, 'bad record')}"
    facts.append(("classified", f"{_part(coverage.classified, coverage.sampled)}; {lost}"))
    reasons = ", ".join(f"{code(reason, cell=True)} {format_count(n)}" for reason, n in coverage.reasons.items())
    if reasons:
        facts.append(("unclassified because", reasons))
    if judge.assessed == "screening":
        facts.append(("judged by", "the embedded classifier: a screening, not a judgement"))
    else:
        resolved = judge.resolved_model if judge.resolved_model not in (None, judge.model) else None
        also = f", answered as {code(resolved, cell=True)}" if resolved else ""
        facts.append(("judged by", code(judge.model, cell=True) + also))
    if report.policy is not None:
        digest = code(report.policy.sha256[:_SHORT_DIGEST], cell=True)
        facts.append(("policy", f"{code(report.policy.path, cell=True)}, sha256 {digest}"))
    facts.append(("cost", f"{_count(report.cost.calls, 'call')}, {format_money(report.cost.usd)}"))
    facts.append(("finished", code(report.run.finished, cell=True)))
    yield from build_table(("", ""), facts)


def _put_rules(report: Report) -> Iterator[str]:
    if not report.rules:
        return
    rules = sorted(report.rules, key=lambda rule: _ORDER.index(find_outcome(rule)))
    loud = [rule for rule in rules if find_outcome(rule) in _LOUD]
    shown = rules[: len(loud) + SHOWN_PASSES]
    yield "### Rules"
    yield ""
    columns = ("verdict", "rule", "severity", "measured", "bounds", "limit", "needed")
    yield from build_table(columns, (_build_rule(rule) for rule in shown), right=("measured", "bounds", "needed"))
    if len(rules) > len(shown):
        yield f"And {format_count(len(rules) - len(shown))} more that pass or are off."
        yield ""
    for rule in loud:
        yield from _explain_rule(rule)
    if loud:
        yield ""
    if not all(rule.calibrated for rule in rules):
        yield "*Uncalibrated: bounds are not corrected for the judge's own errors.*"
        yield ""


def _build_rule(rule: RuleCheck) -> tuple[str, ...]:
    off = rule.verdict == "off"
    warned = " (does not block)" if find_outcome(rule) is Outcome.WARNED else ""
    if rule.waiver is not None and rule.waiver.state == "in force":
        warned += " (under a waiver)"
    needed = f"+{format_count(rule.needed)}" if rule.needed is not None else NOTHING
    return (
        f"{_SIGNS[rule.verdict]} {rule.verdict}{warned}",
        code(rule.id, cell=True),
        sentence(rule.severity, cell=True),
        NOTHING
        if off
        else f"{format_rate(rule.rate)} ({format_count(rule.confirmed)}/{format_count(rule.denominator)})",
        NOTHING if off else format_bounds(rule),
        format_rule_limit(rule),
        needed if rule.verdict == "inconclusive" else "",
    )


def _explain_rule(rule: RuleCheck) -> Iterator[str]:
    """An item of a list: the sentence that was signed, what was found, where to look."""
    yield f"- {_SIGNS[rule.verdict]} **{code(rule.id)}** {sentence(rule.statement)}"
    if rule.message:
        yield f"  - found: {sentence(rule.message)}"
    for waiver in rule.waivers:
        yield f"  - waiver: {sentence(describe_waiver(waiver))}"
    if rule.why:
        yield f"  - why: {sentence(rule.why)}"
    if rule.evidence:
        yield f"  - look at: {_list_places(rule.evidence, rule.count, cell=False)}"


def _put_adverse(report: Report) -> Iterator[str]:
    total, screening = report.profile.adverse_conversations, report.classifier.assessed == "screening"
    yield "### Adverse values"
    yield ""
    if screening and total.denominator:
        told = f"{format_count(total.count)} of {_count(total.denominator, 'conversation')} flagged"
        yield f"{told}. No rate: a screening finds what is said outright and misses most of the rest."
    elif not total.denominator:
        yield "Not assessed."
    elif not total.count:
        upper = format_rate(total.interval[1])
        told = f"None seen in {_count(total.denominator, 'conversation')}"
        yield f"{told}; that many cannot rule out a rate of up to {upper} (95% interval)."
    else:
        share = f"{format_rate(total.rate)} of conversations ({_fraction(total)}) show one or more"
        yield f"{share}; 95% interval {format_interval(total.interval)}."
    yield ""
    figures = ("count",) if screening else _FIGURES
    rows = (
        (
            code(share.value, cell=True),
            *((_fraction(share),) if screening else _build_share(share)),
            _list_places(share.examples, share.count, cell=True),
        )
        for share in report.profile.adverse
    )
    if report.profile.adverse:
        yield from build_table(("value", *figures, "look at"), rows, right=figures)


def _put_values(report: Report) -> Iterator[str]:
    values = report.profile.values
    shown = values[:SHOWN_VALUES]
    if not shown:
        return
    more = f", the {SHOWN_VALUES} most frequent of {format_count(len(values))}" if len(values) > len(shown) else ""
    yield f"### Values{more}"
    yield ""
    rows = ((_name_value(value), *_build_share(value)) for value in shown)
    yield from build_table(("value", *_FIGURES), rows, right=_FIGURES)


def _put_shares(report: Report) -> Iterator[str]:
    profile = report.profile
    for title, column, shares in (
        ("Categories", "category", profile.categories),
        ("Responses to the user's values", "response", profile.response_types),
    ):
        if any(share.denominator for share in shares):
            yield f"### {title}"
            yield ""
            yield from build_table((column, *_FIGURES), (_build_named(share) for share in shares), right=_FIGURES)
    stated = ", ".join(f"{code(v.value)} {format_rate(v.rate)}" for v in profile.human_values[:SHOWN_STATED])
    if stated:
        yield f"Users state most often: {stated}."
        yield ""
    mirroring = profile.mirroring
    if mirroring.denominator:
        told = f"{format_rate(mirroring.rate)} ({_fraction(mirroring)}) of the conversations with a stated value"
        yield f"Mirrored: {told} show it on the assistant's side too."
        yield ""


def _put_bad_records(report: Report) -> Iterator[str]:
    if not report.bad_records:
        return
    yield "### Records that could not be read"
    yield ""
    for bad in report.bad_records:
        yield f"- {code(str(Location(bad.source, bad.line, bad.pointer)))} {sentence(bad.quote or '')}".rstrip()
    rest = report.coverage.bad_records - len(report.bad_records)
    if rest > 0:
        yield f"- and {format_count(rest)} more"
    yield ""


_FIGURES = ("rate", "count", "95% interval")


def _build_named(share: NamedShare) -> tuple[str, ...]:
    return (sentence(share.name.replace("_", " "), cell=True), *_build_share(share))


def _build_share(share: Share) -> tuple[str, str, str]:
    return format_rate(share.rate), _fraction(share), format_interval(share.interval)


def _name_value(share: ValueShare) -> str:
    mark = " (adverse)" if share.polarity == "adverse" else " (unplaced)" if share.category is None else ""
    return code(share.value, cell=True) + mark


def _list_places(examples: Sequence[Example], count: int, *, cell: bool) -> str:
    """The first places of `count`, and how many more there are."""
    places = "; ".join(_describe_place(example, cell) for example in examples[:SHOWN_PLACES])
    rest = max(count, len(examples)) - min(SHOWN_PLACES, len(examples))
    return f"{places}; and {rest} more" if rest > 0 else places


def _describe_place(example: Example, cell: bool) -> str:
    location = code(str(Location(example.source, example.line, example.pointer)), cell=cell)
    message = "" if example.message is None else f" message {example.message}"
    return f"{code(example.conversation, cell=cell)} {location}{message}"


def build_table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> Iterator[str]:
    """A table; the cells are escaped already."""
    yield f"| {' | '.join(columns)} |"
    yield f"|{'|'.join('---:' if column in right else '---' for column in columns)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _count(number: int, noun: str) -> str:
    return f"{format_count(number)} {noun}{'' if number == 1 else 's'}"


def _part(count: int, whole: int) -> str:
    return f"{format_count(count)} of {format_count(whole)} ({format_rate(count / whole)})" if whole else "0 of 0"


def _fraction(share: Share) -> str:
    return f"{format_count(share.count)}/{format_count(share.denominator)}"


_SECTIONS: tuple[Callable[[Report], Iterator[str]], ...] = (
    _put_verdict,
    _put_facts,
    _put_rules,
    _put_adverse,
    _put_values,
    _put_shares,
    _put_bad_records,
)
