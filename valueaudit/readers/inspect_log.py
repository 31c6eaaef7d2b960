"""Evaluation logs of Inspect: one document with its samples, or the members of the archive that keeps them apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from valueaudit.readers.building import build_transcript, names, point_below
from valueaudit.readers.content import Unreadable, name_kind
from valueaudit.readers.format import Format, Record
from valueaudit.readers.inspect_messages import read_inspect_message, resolve
from valueaudit.readers.lenient import list_of, object_of
from valueaudit.transcript import BadRecord, Item, LeftOut, Location, Message, Metadata, Role, Transcript

_HEAD_FIELDS = ("task", "model", "run_id", "eval_id", "created", "tags")
# of a sample; all else repeats the conversation, or says how it was kept
_SAMPLE_FIELDS = ("epoch", "target", "choices", "started_at", "completed_at", "total_time", "limit")
# a few ranges of a pool could otherwise name more messages than fit in memory
_MOST_MESSAGES = 1_000_000
_SAMPLE_MARKS = frozenset({"target", "scores", "output", "events", "attachments", "store", "transcript"})


def is_inspect(value: Any) -> bool:
    """Whether a record is a log, a sample, a summary of one, or a reduction of scores."""
    if type(value) is not dict:
        return False
    if "eval" in value:
        return type(value["eval"]) is dict and not {"task", "model", "run_id"}.isdisjoint(value["eval"])
    if "epoch" in value:
        return "id" in value and "input" in value and not _SAMPLE_MARKS.isdisjoint(value)
    reduced = value.get("samples")
    return "scorer" in value and type(reduced) is list and all(type(one) is dict for one in reduced[:1])


class _Logs:
    """The parser of a run: it remembers the heads of archives, in which each sample is a source of its own."""

    def __init__(self) -> None:
        self._heads: dict[str, dict[str, Any]] = {}

    def feed(self, record: Record) -> Iterable[Item]:
        """The samples of a record."""
        value, location = record
        if not isinstance(value, dict):
            return (BadRecord(location, f"{name_kind(value)}, not an object"),)
        archive = _archive_of(location.source)
        if "epoch" in value and "eval" not in value:
            return (_read_sample(value, location, self._heads.get(archive, {})),)
        head = value.get("eval")
        if not isinstance(head, dict):
            return (LeftOut(location, "no speech: scores of samples"),)
        self._heads[archive] = head
        samples = value.get("samples")
        if samples is None:
            return (LeftOut(location, "no speech: the head of a log"),)
        if not isinstance(samples, list):
            return (BadRecord(location, f'"samples" is {name_kind(samples)}, not a list'),)
        read = [_read_sample(one, point_below(location, "samples", index), head) for index, one in enumerate(samples)]
        return read or (LeftOut(location, "a log without samples"),)

    def close(self) -> Iterable[Item]:
        """Nothing: no sample waits for another."""
        return ()


def _archive_of(source: str) -> str:
    """The name before the member of an archive, the whole name where there is none."""
    for member in ("/samples/", "/_journal/", "/header.json"):
        head, found, _ = source.rpartition(member)
        if found:
            return head
    return source


def _read_sample(sample: Any, location: Location, head: dict[str, Any]) -> Item:
    try:
        if not isinstance(sample, dict):
            raise Unreadable(f"{name_kind(sample)}, not an object")
        if _is_summary(sample):
            return LeftOut(location, "no speech: the summary of a sample")
        return _build_sample(sample, location, head)
    except Unreadable as error:
        return BadRecord(location, error.reason)


def _is_summary(sample: dict[str, Any]) -> bool:
    return {"messages", "output", "events"}.isdisjoint(sample)


def _build_sample(sample: dict[str, Any], location: Location, head: dict[str, Any]) -> Transcript:
    attached = {**object_of(object_of(sample.get("transcript")).get("content")), **object_of(sample.get("attachments"))}
    raws = sample.get("messages")
    if raws is not None and not isinstance(raws, list):
        raise Unreadable(f'"messages" is {name_kind(raws)}, not a list')
    raws = raws or _find_last_call(sample) or _find_input(sample)
    messages = [read_inspect_message(raw, f"messages[{index}]", attached) for index, raw in enumerate(raws)]
    uuid = sample.get("uuid")
    run = head.get("run_id", head.get("eval_id"))
    identity = uuid
    if not names(uuid) and names(run) and names(sample.get("id")):
        identity = f"{run}/{sample['id']}/{sample.get('epoch')}"
    metadata = _gather(sample, head, _find_model(raws, messages, sample))
    return build_transcript(messages, location, identity=identity, metadata=metadata)


def _find_last_call(sample: dict[str, Any]) -> list[Any]:
    """The conversation of the last call of the model, for a sample that ended before its messages were written."""
    for event in reversed(list_of(sample.get("events") or object_of(sample.get("transcript")).get("events"))):
        if isinstance(event, dict) and event.get("event") == "model":
            asked = list_of(event.get("input")) or _expand(event.get("input_refs"), sample)
            return [*asked, *_find_answer(event.get("output"))]
    return []


def _expand(references: Any, sample: dict[str, Any]) -> list[Any]:
    """The messages that ranges `[start, end)` refer to in the pool, where newer logs keep each only once."""
    pool = list_of(object_of(sample.get("events_data")).get("messages", sample.get("message_pool")))
    expanded: list[Any] = []
    for reference in list_of(references):
        match reference:
            case [int(start), int(end)] if 0 <= start <= end:
                expanded += pool[start:end]
        if len(expanded) > _MOST_MESSAGES:
            raise Unreadable(f"more than {_MOST_MESSAGES:,} messages in one call of the model")
    return expanded


def _find_input(sample: dict[str, Any]) -> list[Any]:
    asked = sample.get("input")
    asked = [{"role": "user", "content": asked}] if isinstance(asked, str) else list_of(asked)
    return [*asked, *_find_answer(sample.get("output"))]


def _find_answer(output: Any) -> list[Any]:
    choices = list_of(object_of(output).get("choices"))
    message = object_of(choices[0]).get("message") if choices else None
    return [] if message is None else [message]


def _find_model(raws: Sequence[Any], messages: Sequence[Message], sample: dict[str, Any]) -> str | None:
    said = [raw.get("model") for raw, message in zip(raws, messages, strict=True) if message.role is Role.ASSISTANT]
    return next((name for name in (*said, object_of(sample.get("output")).get("model")) if isinstance(name, str)), None)


def _gather(sample: dict[str, Any], head: dict[str, Any], model: str | None) -> Metadata:
    """What log and sample say; a field of the sample's own metadata of the same name is kept as `sample.<name>`."""
    attached = object_of(sample.get("attachments"))
    scores = object_of(sample.get("scores")) or {"score": sample.get("score")}
    about: Metadata = {
        "model": model,
        **{field: head.get(field) for field in _HEAD_FIELDS if head.get(field) is not None},
        "eval_metadata": head.get("metadata"),
        "sample_id": sample.get("id"),
        **{field: resolve(sample.get(field), attached) for field in _SAMPLE_FIELDS},
        "scores": {name: object_of(score).get("value") for name, score in scores.items() if score is not None},
    }
    known = {field: value for field, value in about.items() if value not in (None, {})}
    own = object_of(sample.get("metadata"))
    return known | {f"sample.{name}" if name in known else name: value for name, value in own.items()}


INSPECT = Format(
    name="inspect",
    title="evaluation logs of Inspect (.json, and the members of .eval)",
    recognises=is_inspect,
    start=_Logs,
    scope="run",
    example=(
        '{"version": 2, "status": "success", "eval": {"task": "returns", "model": "example-1", "run_id": "r1"},\n'
        '"samples": [{"id": 1, "epoch": 1, "input": "May I return a worn coat?", "target": "yes", "messages": [\n'
        '{"role": "user", "content": "May I return a worn coat?", "source": "input"},\n'
        '{"role": "assistant", "content": "Yes, within 30 days.", "source": "generate"}], '
        '"scores": {"match": {"value": "C"}}}]}\n'
    ),
)
