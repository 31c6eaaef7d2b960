"""Finding one conversation of a records file in its source, and showing it with the places that were noted."""

from __future__ import annotations

import io
import itertools
import os
import sys
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from rich.console import Console
from rich.text import Text

from valueaudit.cli.inputs import build_reading
from valueaudit.cli.terminal import has_color, is_ascii_only, tell, width_of
from valueaudit.errors import ExitCode, InputError
from valueaudit.files import STDIN, open_logs
from valueaudit.observation import Evidence, Observation, State
from valueaudit.readers.mapping import MAPPED
from valueaudit.readers.reading import Reading
from valueaudit.record import ConversationRecord, FooterRecord, InputInfo, RecordLine, parse_lines
from valueaudit.registry import find_format
from valueaudit.renderers.visible import visible
from valueaudit.transcript import Item, Location, Transcript

LONGEST_QUOTE = 200


def run_show(records: str, conversation: str) -> int:
    """Prints every conversation of that id. Raises `InputError` where records or source do not have it."""
    found, inputs = _find_records(records, conversation)
    for record in found:
        source = _locate(record.source, records)
        transcript, warning = _read_transcript(source, record, inputs)
        if warning:
            tell(f"warning: {visible(warning)}", sys.stderr)
        tell(_render(record, transcript), sys.stdout)
    return ExitCode.PASS


def _find_records(records: str, conversation: str) -> tuple[list[ConversationRecord], dict[str, InputInfo]]:
    found: list[ConversationRecord] = []
    inputs: dict[str, InputInfo] = {}
    ids = 0
    for line in _read_records(records):
        if isinstance(line, ConversationRecord):
            ids += 1
            if line.id == conversation:
                found.append(line)
        elif isinstance(line, FooterRecord):
            inputs = {each.path: each for each in line.inputs}
    if not found:
        raise InputError(
            f'"{records}" has no conversation "{conversation}" among its {ids}',
            help="ids stand in the summary and in the field id of each record",
        )
    return found, inputs


def _read_records(path: str) -> Iterator[RecordLine]:
    try:
        with open(path, "rb") as lines:
            yield from parse_lines(lines)
    except OSError as error:
        raise InputError(f'"{path}" cannot be read: {error.strerror}', help="check its permissions") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(
            f'"{path}" is no records file of ours: {error}',
            help="a report is none; write records with valueaudit scan --records FILE",
        ) from error


def _locate(source: str, records: str) -> str:
    """The source as the scan named it, from here or from beside the records file."""
    if source == STDIN:
        raise InputError(
            "the scan read standard input, which cannot be read again", help="scan a file to be able to show from it"
        )
    for candidate in (source, os.path.join(os.path.dirname(records), source)):
        if _find_file(candidate) is not None:
            return candidate
    raise InputError(
        f'the source "{source}" is not here', help="run this where the scan ran, or put the source beside the records"
    )


def _find_file(source: str) -> str | None:
    """The file of a source: itself, or the archive in which it lies."""
    while source and not os.path.isfile(source):
        shorter = os.path.dirname(source)
        if shorter == source:
            return None
        source = shorter
    return source or None


def _read_transcript(
    source: str, record: ConversationRecord, inputs: Mapping[str, InputInfo]
) -> tuple[Transcript, str | None]:
    """The conversation, and what is to be said against it: that the file is not the one that was scanned."""
    info = inputs.get(record.source)
    wanted = Location(source, record.line, record.pointer)
    found: Transcript | None = None
    digest: str | None = None
    reading = _build_reading(info)
    for path in _files_to_read(source, record, info, inputs):
        for opened in open_logs(path, io.BytesIO()):
            found = _find(reading.read(opened), record.id, wanted) or found
            if opened.name == source:
                digest = opened.sha256
    found = _find(reading.finish(), record.id, wanted) or found
    if found is None:
        raise InputError(
            f'"{source}" no longer has "{record.id}" at {record.location}', help="the file has changed since the scan"
        )
    changed = info is not None and info.sha256 is not None and info.sha256 != digest
    return found, f'"{source}" has changed since the scan, the places may be wrong' if changed else None


def _build_reading(info: InputInfo | None) -> Reading:
    """What read the source in the scan, or would today."""
    if info is not None and info.format.startswith(MAPPED):
        return build_reading(mapping=info.format.removeprefix(MAPPED))
    if info is not None and find_format(info.format) is not None:
        # it may have been forced, so that the table would choose another one
        return build_reading(info.format)
    return build_reading()


def _files_to_read(
    source: str, record: ConversationRecord, info: InputInfo | None, inputs: Mapping[str, InputInfo]
) -> Iterator[str]:
    """The file of the source; where a conversation may be spread over files, all of the scan, in its order."""
    spread = info is not None and any(
        known is not None and known.scope == "run" for known in map(find_format, info.format.split("+"))
    )
    folder = source.removesuffix(record.source)
    files = [_find_file(folder + path) for path in inputs] if spread else [_find_file(source)]
    yield from dict.fromkeys(file for file in files if file is not None)


def _find(items: Iterable[Item], identity: str, wanted: Location) -> Transcript | None:
    found = None
    for item in items:
        if isinstance(item, Transcript) and item.location == wanted and item.id == identity:
            found = item
    return found


def _render(record: ConversationRecord, transcript: Transcript) -> str:
    ascii_only = is_ascii_only(sys.stdout)

    def safe(text: str) -> str:
        return visible(text, ascii_only=ascii_only)

    color = has_color(sys.stdout)
    output = io.StringIO()
    width = width_of(sys.stdout)
    console = Console(file=output, width=width, force_terminal=color, no_color=not color, highlight=False)
    console.print(Text(safe(f"{transcript.id} at {record.location}"), style="bold"))
    seen = record.observation
    if seen is None:
        console.print(Text(safe(f"not classified: {record.reason} {record.detail or ''}".rstrip())))
    notes = _notes(seen) if seen is not None else []
    for index, message in enumerate(transcript.messages):
        here = [(note, evidence) for note, evidence in notes if evidence.message == index]
        console.print(Text(f"\n[M{index}] {message.role}", style="bold cyan"))
        console.print(_mark(message.text, [evidence for _, evidence in here], ascii_only=ascii_only))
        for attachment in message.attachments:
            console.print(Text(f"({safe(attachment)})", style="dim"))
        for note, evidence in here:
            words = message.text[slice(*evidence.span)][:LONGEST_QUOTE]
            console.print(Text(safe(f'  ^ {note}: "{words}"'), style="yellow"))
    return output.getvalue()


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


def _mark(text: str, evidence: list[Evidence], *, ascii_only: bool) -> Text:
    """The text with control characters made visible and the quoted spans underlined."""
    borders = sorted({0, len(text), *(min(at, len(text)) for e in evidence for at in e.span)})
    marked = Text()
    for start, end in itertools.pairwise(borders):
        quoted = any(e.span[0] <= start and end <= e.span[1] for e in evidence)
        lines = (visible(line, ascii_only=ascii_only) for line in text[start:end].split("\n"))
        marked.append("\n".join(lines), "underline" if quoted else "")
    return marked
