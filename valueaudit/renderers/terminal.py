"""The report as a release manager reads it, top to bottom: what was looked at, what shows, what the policy says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from rich.text import Text

from valueaudit.record import ClassifierInfo, InputInfo
from valueaudit.renderers.figures import format_count, format_money, format_rate
from valueaudit.renderers.outcomes import describe_looks
from valueaudit.renderers.terminal_parts import Sheet
from valueaudit.renderers.terminal_places import describe_location
from valueaudit.renderers.terminal_profile import put_adverse, put_categories, put_responses, put_values
from valueaudit.renderers.terminal_rules import VERDICT_STYLES, put_rules
from valueaudit.report import Report

# The default of a policy's `max_unclassified`, and five times it: a note, then an alarm.
NOTED_LOSS = 0.01
POOR_LOSS = 0.05

_NAMED_INPUTS = 3
_NAMED_BAD_RECORDS = 3
_SHORT_DIGEST = 12
_NAME_WIDTH = 11
_SHORTEST_PATH = 16

_DEFAULT_MESSAGES = {
    "pass": "every blocking rule passes",
    "fail": "a blocking rule is violated",
    "inconclusive": "the evidence is too thin to say",
    "incomplete": "the audit did not see enough to say",
    "none": "no policy, so nothing was decided",
}


def render_terminal(report: Report, *, width: int, color: bool, verbose: bool = False, ascii_only: bool = False) -> str:
    """The report as lines of at most `width` cells (at least 40), each ended by a line feed.

    `color` adds ANSI sequences, the only control characters there are: text of the report has its own made visible.
    `verbose` lists every value, task, place and message; `ascii_only` is for encodings that hold no more than ASCII.
    """
    sheet = Sheet(width, color=color, verbose=verbose, ascii_only=ascii_only)
    for put in _SECTIONS:
        put(sheet, report)
    return sheet.render()


def _put_header(sheet: Sheet, report: Report) -> None:
    tool = sheet.text(f"{report.tool.name} {report.tool.version}", "bold")
    sheet.put(sheet.join([tool, sheet.text(report.run.finished, "dim")]), indent=0)
    sheet.blank()
    _put_inputs(sheet, report)
    sheet.fact("judged by", _describe_judge(sheet, report.classifier), name_width=_NAME_WIDTH)
    prompt = _describe_prompt(sheet, report.classifier)
    if prompt.plain:
        sheet.fact("prompt", prompt, name_width=_NAME_WIDTH)
    for name, content in (
        ("text sent", _describe_traffic(report.classifier)),
        ("taxonomy", sheet.join([report.taxonomy.id, _digest(sheet, report.taxonomy.sha256)])),
        ("policy", _describe_policy(sheet, report)),
    ):
        sheet.fact(name, content, name_width=_NAME_WIDTH)
    if sheet.verbose:
        sheet.fact("command", report.run.command, name_width=_NAME_WIDTH)
        sheet.fact("started", report.run.started, name_width=_NAME_WIDTH)


def _put_inputs(sheet: Sheet, report: Report) -> None:
    inputs = report.inputs
    formats = ", ".join(sorted({name for each in inputs for name in each.format.split("+") if name}))
    found = sum(each.conversations for each in inputs)
    facts = [_plural(len(inputs), "file"), _plural(found, "conversation"), *([formats] if formats else [])]
    sheet.fact("audited", sheet.join(facts), name_width=_NAME_WIDTH)
    shown = inputs if sheet.verbose else inputs[:_NAMED_INPUTS]
    for each in shown:
        sheet.fact("", _describe_input(sheet, each), name_width=_NAME_WIDTH)
    if len(inputs) > len(shown):
        rest = f"and {_plural(len(inputs) - len(shown), 'more file')}"
        sheet.fact("", sheet.text(rest, "dim"), name_width=_NAME_WIDTH)


def _describe_input(sheet: Sheet, each: InputInfo) -> Text:
    aside = (
        (each.branches, "branch", "branches"),
        (each.duplicates, "duplicate", "duplicates"),
        (each.left_out, "left out", "left out"),
    )
    beside = [_plural(count, one, many) for count, one, many in aside if count]
    form = [each.format] if each.format else []
    tail = sheet.join([*form, format_count(each.conversations), *beside, _digest(sheet, each.sha256)])
    path = "standard input" if each.path == "-" else each.path
    room = max(sheet.inner - _NAME_WIDTH - 2 - 3 - len(tail.plain), _SHORTEST_PATH)
    return sheet.join([path if sheet.verbose else sheet.cut(path, room), tail])


def _describe_judge(sheet: Sheet, judge: ClassifierInfo) -> Text:
    if judge.assessed == "screening":
        name = "" if judge.model == "embedded" else f' "{judge.model}"'
        return sheet.text(f"embedded classifier{name}: a screening, not a judgement{_describe_errors(judge)}")
    parts = [sheet.text(judge.model, "bold")]
    if judge.resolved_model and judge.resolved_model != judge.model:
        parts.append(sheet.text(f"answered as {judge.resolved_model}"))
    return sheet.join(parts)


def _describe_errors(judge: ClassifierInfo) -> str:
    """How often a screening is right about adverse replies, where that was measured."""
    counts = (judge.calibration or {}).get("adverse")
    if counts is None:
        return ""
    found, right = counts.true_positives, counts.true_positives + counts.false_negatives
    flagged = found + counts.false_positives
    return f"; of labelled adverse replies it finds {found / right:.0%}, of its flags {found / flagged:.0%} are right"


def _describe_prompt(sheet: Sheet, judge: ClassifierInfo) -> Text:
    parts = [_digest(sheet, judge.prompt_sha256)] if judge.prompt_sha256 else []
    if judge.primed:
        parts.append(sheet.text("primed with the policy's values"))
    return sheet.join(parts)


def _describe_traffic(judge: ClassifierInfo) -> str:
    if judge.assessed == "screening":
        return "nowhere"
    provider = f"to {judge.provider}" if judge.provider else "to a provider that is not recorded"
    return f"{provider} at {judge.endpoint}" if judge.endpoint else f"{provider}, at its own address"


def _describe_policy(sheet: Sheet, report: Report) -> Text:
    if report.policy is None:
        return sheet.text("none: the values are measured, nothing is decided")
    policy = report.policy
    return sheet.join([sheet.text(policy.name, "bold"), _digest(sheet, policy.sha256), policy.path])


def _digest(sheet: Sheet, sha256: str | None) -> Text:
    if sha256 is None:
        return sheet.text("not read to its end", "yellow")
    return sheet.text(f"sha256 {sha256 if sheet.verbose else sha256[:_SHORT_DIGEST]}", "dim")


def _put_coverage(sheet: Sheet, report: Report) -> None:
    coverage = report.coverage
    sheet.heading("Coverage")
    _put_alarm(sheet, report)
    facts = [("found", _plural(coverage.found, "conversation"))]
    if coverage.sampled != coverage.found:
        facts.append(("sampled", _part(coverage.sampled, coverage.found)))
    facts.append(("classified", _part(coverage.classified, coverage.sampled)))
    reasons = Counter(coverage.reasons).most_common()
    told = ", ".join(f"{reason} {format_count(count)}" for reason, count in reasons)
    facts.append(("unclassified", format_count(coverage.unclassified) + (f": {told}" if told else "")))
    # The count of assessed conversations is not in the report, so a zero may be either.
    subjective = f"{_part(coverage.subjective, coverage.classified)} of the classified"
    facts.append(("subjective", subjective if coverage.subjective else "none, or not assessed"))
    if coverage.unsupported_labels:
        facts.append(("unsupported", f"{_plural(coverage.unsupported_labels, 'label')} whose quotation was not found"))
    if coverage.duplicate_ids:
        facts.append(("duplicates", f"{_plural(coverage.duplicate_ids, 'id')} seen before"))
    for name, content in facts:
        sheet.fact(name, content, name_width=_NAME_WIDTH + 1)
    _put_bad_records(sheet, report)


def _put_alarm(sheet: Sheet, report: Report) -> None:
    coverage = report.coverage
    if report.run.ended_early:
        sheet.put(sheet.text(f"ENDED EARLY: {report.run.ended_early}", "bold red"))
    total = coverage.sampled + coverage.bad_records
    lost = coverage.unclassified + coverage.bad_records
    if not total:
        sheet.put(sheet.text("NOTHING FOUND: there was no conversation to look at", "bold red"))
    elif not coverage.classified:
        sheet.put(sheet.text(f"NOTHING CLASSIFIED: all {format_count(total)} are unknown", "bold red"))
    elif lost / total > NOTED_LOSS:
        poor = lost / total > POOR_LOSS
        told = (
            f"{format_count(lost)} of {_plural(total, 'record')} ({format_rate(lost / total)}) could not be looked at"
        )
        rest = "; the figures below speak only of the rest" if poor else ""
        style = "bold red" if poor else "yellow"
        sheet.put(sheet.text(f"{'POOR COVERAGE' if poor else 'note'}: {told}{rest}", style))


def _put_bad_records(sheet: Sheet, report: Report) -> None:
    count = report.coverage.bad_records
    width = _NAME_WIDTH + 1
    sheet.fact("bad records", sheet.text(format_count(count), "yellow" if count else ""), name_width=width)
    shown = report.bad_records if sheet.verbose else report.bad_records[:_NAMED_BAD_RECORDS]
    for bad in shown:
        location = sheet.cut(describe_location(bad), (sheet.inner - width) * 2 // 3, "dim")
        sheet.fact("", sheet.join([location, sheet.text(bad.quote or "", "dim")]), name_width=width)
    if shown and count > len(shown):
        sheet.fact("", sheet.text(f"and {format_count(count - len(shown))} more", "dim"), name_width=width)


def _put_verdict(sheet: Sheet, report: Report) -> None:
    sheet.heading("Verdict")
    word = "NO VERDICT" if report.verdict == "none" else report.verdict.upper()
    line = sheet.text(word, f"bold {VERDICT_STYLES[report.verdict]}".strip())
    line.append_text(sheet.text(f": {report.message or _DEFAULT_MESSAGES[report.verdict]}"))
    line.append(f" (exit code {report.exit_code})")
    sheet.put(line)
    looks = describe_looks(report)
    if looks is not None:
        sheet.put(sheet.text(f"note: {looks}", "yellow"))
    for warning in report.warnings:
        sheet.put(sheet.text(f"WARNING: {warning}", "bold yellow"))


def _put_cost(sheet: Sheet, report: Report) -> None:
    sheet.heading("Cost")
    cost = report.cost
    if report.classifier.assessed == "screening" and not cost.calls:
        sheet.put(sheet.text("no calls, nothing left this machine"))
        return
    parts = [_plural(cost.calls, "call"), f"{format_count(cost.cached_calls)} from the store"]
    parts.append(_plural(cost.retries, "retry", "retries"))
    parts.append(f"{format_count(cost.prompt_tokens)} tokens in, {format_count(cost.completion_tokens)} out")
    sheet.put(sheet.join([*parts, format_money(cost.usd)]))


def _plural(count: int, one: str, many: str | None = None) -> str:
    return f"{format_count(count)} {one if count == 1 else many or one + 's'}"


def _part(count: int, whole: int) -> str:
    return f"{format_count(count)} ({format_rate(count / whole)})" if whole else format_count(count)


_SECTIONS: tuple[Callable[[Sheet, Report], None], ...] = (
    _put_header,
    _put_coverage,
    put_categories,
    put_values,
    put_responses,
    put_adverse,
    put_rules,
    _put_verdict,
    _put_cost,
)
