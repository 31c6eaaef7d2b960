"""Finding one conversation of a records file in its source, and showing it with the places that were noted."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from valueaudit.cli.terminal import has_color, width_of
from valueaudit.errors import ExitCode, InputError
from valueaudit.files import open_source
from valueaudit.observation import Evidence, Observation, State
from valueaudit.record import ConversationRecord, FooterRecord, RecordLine, parse_lines
from valueaudit.registry import DEFAULT_FORMAT, READERS
from valueaudit.renderers.visible import visible
from valueaudit.transcript import BadRecord, Transcript


def run_show(records: str, conversation: str) -> int:
    """Prints every conversation of that id. Raises `InputError` where records or source do not have it."""
    found, formats = _find_records(records, conversation)
    console = Console(no_color=not has_color(sys.stdout), width=width_of(sys.stdout), highlight=False, soft_wrap=False)
    for record in found:
        source = _locate(record.source, records)
        transcript = _read_transcript(source, record, formats.get(record.source, DEFAULT_FORMAT))
        _print(console, record, transcript)
    return ExitCode.PASS


def _find_records(records: str, conversation: str) -> tuple[list[ConversationRecord], dict[str, str]]:
    found: list[ConversationRecord] = []
    formats: dict[str, str] = {}
    ids = 0
    for line in _read_records(records):
        if isinstance(line, ConversationRecord):
            ids += 1
            if line.id == conversation:
                found.append(line)
        elif isinstance(line, FooterRecord):
            formats = {each.path: each.format for each in line.inputs}
    if not found:
        raise InputError(
            f'"{records}" has no conversation "{conversation}" among its {ids}',
            help="ids stand in the summary and in the field id of each record",
        )
    return found, formats


def _read_records(path: str) -> Iterator[RecordLine]:
    with Path(path).open("rb") as lines:
        try:
            yield from parse_lines(lines)
        except msgspec.DecodeError as error:
            raise InputError(
                f'"{path}" is no records file of ours: {error}', help="write one with valueaudit scan --records FILE"
            ) from error


def _locate(source: str, records: str) -> Path:
    """The source as the scan named it, from here or from beside the records file."""
    for candidate in (Path(source), Path(records).parent / source):
        if candidate.is_file():
            return candidate
    raise InputError(
        f'the source "{source}" is not here', help="run this where the scan ran, or put the source beside the records"
    )


def _read_transcript(source: Path, record: ConversationRecord, format_name: str) -> Transcript:
    reader = READERS[format_name]
    with open_source(str(source), sys.stdin.buffer) as opened:
        for item in reader(opened):
            same_place = item.location.line == record.line and item.location.pointer == record.pointer
            if same_place and not isinstance(item, BadRecord) and item.id == record.id:
                return item
    raise InputError(
        f'"{source}" no longer has "{record.id}" at {record.location}', help="the file has changed since the scan"
    )


def _print(console: Console, record: ConversationRecord, transcript: Transcript) -> None:
    console.print(Text(visible(f"{transcript.id} · {record.location}"), style="bold"))
    seen = record.observation
    if seen is None:
        console.print(Text(visible(f"not classified: {record.reason} {record.detail or ''}".rstrip())))
    notes = _notes(seen) if seen is not None else []
    for index, message in enumerate(transcript.messages):
        console.print(Text(f"\n[M{index}] {message.role}", style="bold cyan"))
        console.print(_mark(message.text, [e for _, e in notes if e.message == index]))
        for attachment in message.attachments:
            console.print(Text(f"({visible(attachment)})", style="dim"))
        for note, evidence in notes:
            if evidence.message == index:
                console.print(Text(f"  ^ {visible(note)} [{evidence.span[0]}:{evidence.span[1]}]", style="yellow"))
    console.print()


def _notes(seen: Observation) -> list[tuple[str, Evidence]]:
    """What was noted in the conversation, each with the place it rests on."""
    notes = [(_name(v.value, v.polarity), v.evidence) for v in seen.ai_values or ()]
    notes += [(f"the user states {v.value}", v.evidence) for v in seen.human_values or ()]
    notes += [
        (f"declared {value}: {state.state}{_confirmation(state.confirmed, state.state)}", state.evidence)
        for value, state in seen.declared.items()
    ]
    notes.append((f"response type {seen.response_type}", seen.response_evidence))
    return [(note, evidence) for note, evidence in notes if evidence is not None]


def _name(value: str, polarity: str | None) -> str:
    return f"{value} ({polarity})" if polarity else value


def _confirmation(confirmed: bool | None, state: State) -> str:
    if state is not State.SHOWN:
        return ""
    return {True: ", confirmed", False: ", refuted", None: ", not confirmed"}[confirmed]


def _mark(text: str, evidence: list[Evidence]) -> Text:
    """The text with control characters made visible and the quoted spans underlined."""
    borders = sorted({0, len(text), *(min(at, len(text)) for e in evidence for at in e.span)})
    marked = Text()
    for start, end in itertools.pairwise(borders):
        quoted = any(e.span[0] <= start and end <= e.span[1] for e in evidence)
        marked.append("\n".join(visible(line) for line in text[start:end].split("\n")), "underline" if quoted else "")
    return marked
