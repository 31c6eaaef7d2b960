"""The measurement as somebody reads it who has to choose a judge: how good, how sure, where it fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from valueaudit.bench import Bench, Confusion, Estimate, EvidenceFigures, QuestionFigures, View
from valueaudit.benching.policy_questions import PREFIX
from valueaudit.renderers.figures import UNKNOWN, format_count, format_limit
from valueaudit.renderers.terminal_parts import INDENT, Sheet, pad

WIDE = 100
CONFUSED = "response_groups"
_GAP = 2
_NAME_WIDTH = 10
_LONGEST_NAME = 30
_SHORTEST_NAME = 12
_NAMES = {
    "response_groups": "response, 5 groups",
    "response_types": "response, 7 types",
    "human_values": "any human value",
}
_CLAIMS = {
    "ai_values": "values of the assistant",
    "human_values": "values of the user",
    "response_type": "response to values",
}
_RATES = ("precision", "recall", "f1")
_TITLES = {"precision": "prec.", "recall": "recall", "f1": "F1"}

Row = tuple[str, ...]


def render_terminal_bench(
    bench: Bench, *, width: int, color: bool, verbose: bool = False, ascii_only: bool = False
) -> str:
    """The measurement as lines of at most `width` cells (at least 40), each ended by a line feed.

    Options as in `render_terminal`; `verbose` adds each response type, each subcategory and the reliability tables.
    """
    sheet = Sheet(width, color=color, verbose=verbose, ascii_only=ascii_only)
    _put_header(sheet, bench)
    asked = [question for question in bench.questions if question.name.startswith(PREFIX)]
    questions = [question for question in bench.questions if question not in asked]
    if questions:
        sheet.heading("Agreement with the labels")
        _put_questions(sheet, questions)
    for question in questions:
        if question.confusion is not None and (question.name == CONFUSED or (sheet.verbose and question.answers)):
            _put_confusion(sheet, question, question.confusion)
        if sheet.verbose and question.kind == "set":
            _put_members(sheet, question)
    _put_sources(sheet, questions)
    if asked:
        sheet.heading("What the policy asks")
        _put_asked(sheet, asked)
    _put_evidence(sheet, bench.evidence)
    _put_probabilities(sheet, bench.questions)
    sheet.heading("Result")
    style = "green" if bench.exit_code == 0 else "yellow"
    sheet.put(sheet.text(f"{bench.message} (exit code {bench.exit_code})", style))
    return sheet.render()


def name_question(name: str) -> str:
    """A question as people read it."""
    return _NAMES.get(name, name)


def format_figure(value: float | None) -> str:
    """A figure with two digits, `n/a` where there is none; only an exact 1 is written as such."""
    if value is None:
        return UNKNOWN
    rounded = f"{value:.2f}"
    return {"1.00": "0.99" if value < 1 else rounded, "-0.00": "0.00"}.get(rounded, rounded)


def _put_header(sheet: Sheet, bench: Bench) -> None:
    tool = sheet.text(f"{bench.tool.name} {bench.tool.version} bench", "bold")
    sheet.put(sheet.join([tool, sheet.text(bench.run.finished, "dim")]), indent=0)
    sheet.blank()
    judge = bench.classifier
    facts: list[tuple[str, Text | str]] = [
        ("judge", sheet.join([judge.resolved_model or judge.model, judge.assessed])),
        ("labels", sheet.join([entry.path for entry in bench.inputs])),
        ("classified", sheet.join(_describe_coverage(bench))),
        (
            "intervals",
            f"{format_limit(bench.bootstrap.confidence)}, bootstrap by conversation,"
            f" {format_count(bench.bootstrap.resamples)} resamples, seed {bench.bootstrap.seed}",
        ),
    ]
    if bench.policy is not None:
        facts.insert(1, ("policy", sheet.join([bench.policy.name, bench.policy.path])))
    facts += [("note", note) for note in _find_notes(bench)]
    for name, content in facts:
        sheet.fact(name, content, name_width=_NAME_WIDTH)


def _find_notes(bench: Bench) -> Iterator[str]:
    """What to know before the figures are trusted."""
    copies, repeated = sum(entry.duplicates for entry in bench.inputs), bench.coverage.duplicate_ids
    if copies:
        yield f"second copies of a conversation, left out with their labels: {format_count(copies)}"
    if repeated:
        yield f"conversations that repeat an id: {format_count(repeated)}"


def _describe_coverage(bench: Bench) -> Iterator[str]:
    seen = bench.coverage
    yield f"{format_count(seen.classified)} of {format_count(seen.classified + seen.unclassified)}"
    yield from (f"{format_count(count)} {reason}" for reason, count in seen.reasons.items())
    if seen.unlabelled:
        yield f"{format_count(seen.unlabelled)} without a label, not judged"


def _put_questions(sheet: Sheet, questions: Sequence[QuestionFigures]) -> None:
    """One line for each question, two where something was left untold; narrow sheets have fewer intervals."""
    rows = []
    for question in questions:
        name = name_question(question.name)
        if question.views.told.conversations == question.labelled:
            rows.append(_view_row(sheet, name, question.views.whole))
        else:
            rows.append(_view_row(sheet, f"{name}, told", question.views.told))
            rows.append(_view_row(sheet, "  and untold", question.views.whole))
    titles = ("question", "n", "kappa", *_TITLES.values())
    _put_table(sheet, titles, rows)
    sheet.put(
        sheet.text(
            "untold: no answer, or not classified; the second line counts it as an answer that is never right", "dim"
        )
    )


def _view_row(sheet: Sheet, name: str, view: View) -> Row:
    rates = []
    for rate in _RATES:
        estimate: Estimate | None = getattr(view, rate)
        is_whole = sheet.width >= WIDE or rate == "f1"
        rates.append("" if estimate is None else _format_estimate(sheet, estimate, interval=is_whole))
    return name, format_count(view.conversations), _format_estimate(sheet, view.kappa), *rates


def _format_estimate(sheet: Sheet, estimate: Estimate, *, interval: bool = True) -> str:
    figure = format_figure(estimate.value)
    if estimate.interval is None or not interval:
        return figure
    return f"{figure} {sheet.glyphs.dash.join(format_figure(bound) for bound in estimate.interval)}"


def _put_confusion(sheet: Sheet, question: QuestionFigures, confusion: Confusion) -> None:
    sheet.heading(f"{name_question(question.name)}: label by answer")
    answers = [answer.replace("_", " ") for answer in confusion.answers]
    numbers = [str(number) for number in range(1, len(answers) + 1)]
    is_short = sum(map(len, answers)) > sheet.width // 2
    titles = ("label", *(numbers if is_short else answers), "untold", "F1")
    rows = []
    for number, answer, row, part in zip(numbers, answers, confusion.rows, question.answers, strict=True):
        f1 = part.views.whole.f1
        name = f"{number} {answer}" if is_short else answer
        rows.append((name, *map(format_count, row), format_figure(f1.value if f1 else None)))
    _put_table(sheet, titles, rows)


def _put_members(sheet: Sheet, question: QuestionFigures) -> None:
    sheet.heading(name_question(question.name))
    rows = []
    for part in question.answers:
        judged, view = part.counts.judged, part.views.whole
        labelled = judged.true_positives + judged.false_negatives + part.counts.untold_positives
        figures = (view.kappa, view.precision, view.recall, view.f1)
        shown = (format_figure(figure.value if figure else None) for figure in figures)
        rows.append((part.answer, format_count(labelled), *shown))
    _put_table(sheet, ("subcategory", "labelled", "kappa", *_TITLES.values()), rows)


def _put_sources(sheet: Sheet, questions: Sequence[QuestionFigures]) -> None:
    """One line for each source; of each question the figure that it is known by, untold counting against it."""
    names = sorted({source.source for question in questions for source in question.sources})
    if len(names) < 2:
        return
    sheet.heading("By source")
    room = sheet.inner - min(max(map(cell_len, names)), _LONGEST_NAME)
    for chunk in _in_chunks([question for question in questions if question.name != "response_types"], room):
        columns = [{each.source: each.views.whole for each in question.sources} for question in chunk]
        rows = [
            (name, *(_format_headline(sheet, q, column.get(name)) for q, column in zip(chunk, columns, strict=True)))
            for name in names
            if any(name in column for column in columns)
        ]
        _put_table(sheet, ("source", *map(_name_headline, chunk)), rows)


def _name_headline(question: QuestionFigures) -> str:
    return f"{name_question(question.name)} {'F1' if _is_by_f1(question) else 'kappa'}"


def _format_headline(sheet: Sheet, question: QuestionFigures, view: View | None) -> str:
    figure = None if view is None else view.f1 if _is_by_f1(question) else view.kappa
    return "" if figure is None else _format_estimate(sheet, figure, interval=False)


def _is_by_f1(question: QuestionFigures) -> bool:
    return question.kind == "set" or question.name in {"resistance", "refusal"}


def _in_chunks(questions: Sequence[QuestionFigures], room: int) -> Iterator[Sequence[QuestionFigures]]:
    """The questions in groups whose titles fit into `room` cells."""
    chunk: list[QuestionFigures] = []
    used = 0
    for question in questions:
        width = cell_len(_name_headline(question)) + _GAP
        if chunk and used + width > room:
            yield chunk
            chunk, used = [], 0
        chunk.append(question)
        used += width
    yield chunk


def _put_asked(sheet: Sheet, questions: Sequence[QuestionFigures]) -> None:
    """The values of the policy, over the told conversations alone, as a calibration counts them."""
    rows = []
    for question in questions:
        told = question.views.told
        figures = [_format_estimate(sheet, each) for each in (told.recall, told.specificity) if each is not None]
        counts = format_count(question.labelled), format_count(question.answered)
        rows.append((question.name.removeprefix(PREFIX), *counts, *figures))
    _put_table(sheet, ("value", "labelled", "told", "sensitivity", "specificity"), rows)


def _put_evidence(sheet: Sheet, evidence: Sequence[EvidenceFigures]) -> None:
    sheet.heading("Evidence")
    rows = [
        (_CLAIMS[each.name], *map(format_count, (each.claimed, each.verified)), _format_estimate(sheet, each.share))
        for each in evidence
    ]
    _put_table(sheet, ("claim of the judge", "claimed", "quoted", "share"), rows)


def _put_probabilities(sheet: Sheet, questions: Sequence[QuestionFigures]) -> None:
    sheet.heading("Probabilities")
    found = [(question, question.calibration) for question in questions if question.calibration is not None]
    if not found:
        sheet.put(sheet.text("this classifier gives none", "dim"))
        return
    rows = [(name_question(q.name), format_count(c.count), f"{c.ece:.3f}", f"{c.brier:.3f}") for q, c in found]
    _put_table(sheet, ("question", "n", "ECE", "Brier"), rows)
    for question, calibration in found if sheet.verbose else ():
        sheet.blank()
        dash = sheet.glyphs.dash
        table = [
            (f"{b.lower:.1f}{dash}{b.upper:.1f}", format_count(b.count), f"{b.mean_probability:.2f}", f"{b.rate:.2f}")
            for b in calibration.bins
        ]
        _put_table(sheet, (name_question(question.name), "n", "said", "came true"), table)


def _put_table(sheet: Sheet, titles: Sequence[str], rows: Sequence[Row]) -> None:
    """Rows under their titles: the first column to the left and cut where it must be, the others to the right."""
    shown = [tuple(sheet.text(cell).plain for cell in row) for row in (tuple(titles), *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*shown, strict=True)]
    others = sum(width + _GAP for width in widths[1:])
    widths[0] = min(widths[0], max(sheet.inner - others, _SHORTEST_NAME))
    if widths[0] + others > sheet.inner:
        _put_stacked(sheet, shown)
        return
    for number, row in enumerate(shown):
        style = "" if number else "dim"
        line = Text(" " * INDENT).append_text(pad(sheet.cut(row[0], widths[0], style), widths[0]))
        for cell, width in zip(row[1:], widths[1:], strict=True):
            line.append(" " * _GAP).append_text(pad(Text(cell, style=style), width, right=True))
        sheet.place(line)


def _put_stacked(sheet: Sheet, shown: Sequence[Row]) -> None:
    """A table that does not fit: each row as a name and what is to be said about it."""
    titles, *rows = shown
    for name, *cells in rows:
        sheet.put(sheet.text(name))
        told = [f"{title} {cell}" for title, cell in zip(titles[1:], cells, strict=True) if cell]
        sheet.put(sheet.join(told), indent=2 * INDENT)
