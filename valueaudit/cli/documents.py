"""Reports and records files opened as one side of a comparison, or refused with the reason."""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

from valueaudit.comparing import Ledger, Side, build_records_side, build_report_side
from valueaudit.comparison import DocumentInfo
from valueaudit.errors import InputError
from valueaudit.files import Opened, printable
from valueaudit.policy import Policy, compile_checks
from valueaudit.record import ConversationRecord
from valueaudit.renderers.json_report import parse_report
from valueaudit.report import Report
from valueaudit.saved import SavedRun, refuse_newer

_HEAD = 4096
_RECORDS = re.compile(rb'\s*\{\s*"kind"\s*:')
_HELP = "name a report (valueaudit-report.json) or a records file that valueaudit scan wrote"


class _Start(Struct, frozen=True):
    """As much of a document as tells what it is, whatever else a newer program has put there."""

    schema_version: str
    document: str = "report"


def is_records(opened: Opened) -> bool:
    """Whether an opened document begins like a records file; else it can only be a report."""
    return _RECORDS.match(opened.stream.peek(_HEAD)) is not None


def read_report(opened: Opened) -> tuple[Side, Report]:
    """The report in an opened document. Raises `InputError` for anything else, or what a newer program wrote."""
    report = _parse(opened.name, _read_all(opened))
    info = DocumentInfo(
        path=printable(opened.name),
        sha256=opened.sha256 or "",
        kind="report",
        tool=report.tool,
        inputs=report.inputs,
        classifier=report.classifier,
        taxonomy=report.taxonomy,
        policy=report.policy,
        conversations=report.coverage.sampled,
        unclassified=report.coverage.unclassified,
        bad_records=report.coverage.bad_records,
        duplicate_ids=report.coverage.duplicate_ids,
        ended_early=report.run.ended_early,
    )
    side = build_report_side(info, report)
    for (_, name), stand in side.stands.items():
        if min(stand.hits, stand.clean, stand.unknown) < 0:
            raise InputError(f'"{opened.name}" has counts of "{name}" that cannot be', help=_HELP)
    return side, report


def _read_all(opened: Opened) -> bytes:
    try:
        content = opened.stream.read()
    except OSError as error:
        raise InputError(f'"{opened.name}" cannot be read to its end: {str(error).lower()}', help=_HELP) from error
    if not content.strip():
        raise InputError(f'"{opened.name}" is empty', help=_HELP)
    return content


def _parse(name: str, content: bytes) -> Report:
    try:
        start = msgspec.json.decode(content, type=_Start)
        if start.document != "report":
            raise InputError(f'"{name}" is a {start.document}, which cannot be compared again', help=_HELP)
        refuse_newer(name, start.schema_version)
        return parse_report(content)
    except msgspec.ValidationError as error:
        raise InputError(f'"{name}" is neither a report nor records of valueaudit: {error}', help=_HELP) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f'"{name}" is cut off or no document of valueaudit: {error}', help=_HELP) from error


def read_records(opened: Opened, policy: Policy | None) -> Side:
    """The records in an opened document, each held against the rules. Raises `InputError` as `SavedRun`."""
    saved = SavedRun(opened.name, opened.stream)
    ledger = _open_ledger(policy)
    unclassified = 0
    for record in saved:
        unclassified += isinstance(record, ConversationRecord) and record.observation is None
        ledger.add(record)
    info = DocumentInfo(
        path=printable(opened.name),
        sha256=opened.sha256 or "",
        kind="records",
        tool=saved.header.tool,
        inputs=saved.inputs,
        classifier=saved.classifier,
        taxonomy=saved.header.taxonomy,
        policy=saved.header.policy,
        conversations=ledger.total - ledger.bad_records,
        unclassified=unclassified,
        bad_records=ledger.bad_records,
        duplicate_ids=saved.duplicate_ids,
        ended_early=saved.ended_early,
    )
    return build_records_side(info, ledger)


def _open_ledger(policy: Policy | None) -> Ledger:
    if policy is None:
        return Ledger({})
    predicates = {check.id: check.predicate for check in compile_checks(policy)}
    intended = frozenset(question.value for question in policy.questions if question.kind == "intended")
    return Ledger(predicates, intended)
