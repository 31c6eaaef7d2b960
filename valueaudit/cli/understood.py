"""How the files of a run were understood, in words: what `inspect` and `convert` have in common."""

from __future__ import annotations

from collections.abc import Sequence

from valueaudit.cli.inputs import Inputs
from valueaudit.cli.unknown import READ_WHY, advise_on_bad
from valueaudit.record import InputInfo

MOST_TOLD = 5


def describe_input(info: InputInfo) -> str:
    """One file as it was read, in one line."""
    counts = (
        (info.conversations, "conversation", "conversations"),
        (info.messages, "message", "messages"),
        (info.attachments, "attachment", "attachments"),
        (info.branches, "other branch", "other branches"),
        (info.duplicates, "duplicate", "duplicates"),
        (info.left_out, "record left out", "records left out"),
        (info.bad_records, "bad record", "bad records"),
    )
    told = [f"{count:,} {one if count == 1 else several}" for count, one, several in counts if count]
    if not told:
        return f"{info.path}: nothing in it"
    return f"{info.path}: {', '.join([info.format or 'no known format', *told])}"


def count_conversations(infos: Sequence[InputInfo]) -> int:
    """Conversations in all files, each once."""
    return sum(info.conversations for info in infos)


def find_nothing(inputs: Inputs) -> tuple[str, str]:
    """What to say, and what to do, where no conversation was found in anything that was read."""
    count = len(inputs.infos)
    message = f"no conversation was found in {count:,} {'file' if count == 1 else 'files'}"
    if inputs.first_unknown is None and not any(info.bad_records for info in inputs.infos):
        return message, "valueaudit formats lists what is read, with an example of each"
    return message, advise_on_bad(inputs.first_unknown)


def find_unread(inputs: Inputs) -> str | None:
    """What to do about a file that gave bad records and no conversation, None where there is none."""
    unread = [info.path for info in inputs.infos if info.is_unread and info.bad_records]
    if not unread:
        return None
    unknown = inputs.first_unknown
    if unknown is None or unknown.record.location.source not in unread:
        return f'"{unread[0]}" gave no conversation: {READ_WHY}'
    return f'"{unknown.record.location.source}" gave no conversation: {advise_on_bad(unknown)}'
