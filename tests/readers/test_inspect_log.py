from __future__ import annotations

import json
from typing import Any

import pytest

from read_logs import (
    carried,
    left_out,
    only,
    only_reason,
    read_document,
    read_lines,
    read_log,
    read_logs,
    transcripts,
    words,
)
from valueaudit.readers.inspect_log import INSPECT, is_inspect
from valueaudit.transcript import BadRecord, Location, Transcript

HEAD = {"task": "returns", "model": "m-1", "run_id": "r1", "created": "2026-01-01T10:00:00Z", "tags": ["a"]}


def sample(*messages: Any, **fields: Any) -> dict[str, Any]:
    """A sample of one epoch."""
    return {"id": 1, "epoch": 1, "input": "in", "target": "yes", "messages": list(messages), **fields}


def said(role: str, content: Any, **fields: Any) -> dict[str, Any]:
    """A message."""
    return {"role": role, "content": content, **fields}


def log(*samples: Any, **fields: Any) -> dict[str, Any]:
    """A log of these samples."""
    return {"version": 2, "status": "success", "eval": HEAD, "samples": list(samples), **fields}


def read_messages(*messages: Any, **fields: Any) -> Transcript:
    """The conversation of one sample."""
    return only(read_document(log(sample(*messages, **fields))))


def test_one_log() -> None:
    """Each sample is a conversation with its place, and metadata of the log and of itself."""
    scores = {"match": {"value": "C", "answer": "a"}, "none": None}
    one = sample(
        said("user", "May I?"), said("assistant", "Yes."), scores=scores, metadata={"topic": "x", "model": "y"}
    )
    first, second = read_document(log(one, sample(said("user", "b"), id=2, uuid="u2")))
    assert isinstance(first, Transcript)
    assert isinstance(second, Transcript)
    assert (first.id, first.location) == ("r1/1/1", Location("log", 1, "/samples/0"))
    assert (second.id, second.location) == ("u2", Location("log", 1, "/samples/1"))
    assert words(first) == [("user", "May I?"), ("assistant", "Yes.")]
    assert first.metadata == {
        "model": "m-1",
        "task": "returns",
        "run_id": "r1",
        "created": "2026-01-01T10:00:00Z",
        "tags": ["a"],
        "sample_id": 1,
        "epoch": 1,
        "target": "yes",
        "scores": {"match": "C"},
        "topic": "x",
        "sample.model": "y",
    }


def test_members_of_an_archive() -> None:
    """Samples that are sources of their own know the head of their archive; the other members hold no speech."""
    texts = {
        "x.eval/_journal/start.json": json.dumps({"version": 2, "eval": HEAD, "plan": {}}),
        "x.eval/samples/1_epoch_1.json": json.dumps(sample(said("user", "a")), indent=1),
        "y.eval/samples/1_epoch_1.json": json.dumps(sample(said("user", "b"), output={"model": "m-2"}), indent=1),
        "x.eval/_journal/summaries/1.json": json.dumps([{"id": 1, "epoch": 1, "input": "a", "target": "b"}]),
        "x.eval/reductions.json": json.dumps([{"scorer": "match", "samples": [{"value": 1, "sample_id": 1}]}]),
        "x.eval/header.json": json.dumps({"version": 2, "eval": HEAD, "results": {}}),
    }
    items = read_logs(texts)
    known, unknown = transcripts(items)
    assert (known.id, known.metadata["task"]) == ("r1/1/1", "returns")
    assert unknown.id.startswith("sha256:")
    assert unknown.metadata == {"model": "m-2", "sample_id": 1, "epoch": 1, "target": "yes"}
    assert [item.reason for item in left_out(items)] == [
        "no speech: the head of a log",
        "no speech: the summary of a sample",
        "no speech: scores of samples",
        "no speech: the head of a log",
    ]


def test_texts_that_lie_beside_the_messages() -> None:
    """References to attachments are resolved, in old and new logs; one that leads nowhere stays as it is."""
    beside = {"attachments": {"1": "May I?", "2": "Yes."}, "transcript": {"content": {"3": "Thanks."}}}
    transcript = read_messages(
        said("user", "attachment://1"),
        said("assistant", [{"type": "text", "text": "attachment://2"}]),
        said("user", [{"type": "text", "text": "tc://3"}, "attachment://1"]),
        said("user", "attachment://gone"),
        **beside,
    )
    assert [text for _, text in words(transcript)] == ["May I?", "Yes.", "Thanks.\nMay I?", "attachment://gone"]


def test_what_is_not_speech() -> None:
    """Reasoning, calls of tools, images and results are no speech; an error of a tool is its result."""
    call = {"id": "c", "function": "bash", "arguments": {"cmd": "attachment://1", "n": 2}}
    used = {"type": "tool_use", "name": "web_search", "arguments": '{"q": 1}', "result": "x"}
    transcript = read_messages(
        said("user", [{"type": "image", "image": "attachment://2"}, {"type": "text", "text": "See."}]),
        said("assistant", [{"type": "reasoning", "reasoning": "hm"}, used], tool_calls=[call, None]),
        said("tool", "ok", function="bash"),
        said("tool", "", error={"type": "timeout", "message": "too late"}),
        said("assistant", "Done.", reasoning="hm"),
        said("assistant", None),
        attachments={"1": "ls"},
    )
    assert words(transcript) == [
        ("user", "See."),
        ("assistant", ""),
        ("tool", "ok"),
        ("tool", "too late"),
        ("assistant", "Done."),
        ("assistant", ""),
    ]
    assert carried(transcript) == [
        ("image",),
        (
            "thinking, not read",
            'tool call web_search({"q": 1})',
            'tool call bash({"cmd":"ls","n":2})',
            "tool call without a name()",
        ),
        (),
        (),
        ("thinking, not read",),
        (),
    ]


def test_a_sample_that_ended_early() -> None:
    """Without messages, the last call of the model is the conversation, else the input with the output."""
    answer = {"choices": [{"message": said("assistant", "b", model="m-3")}]}
    call = {"event": "model", "input": [said("user", "a")], "output": answer}
    assert words(read_messages(events=[call, {"event": "score"}, 3])) == [("user", "a"), ("assistant", "b")]
    assert words(read_messages(transcript={"events": [call]})) == [("user", "a"), ("assistant", "b")]
    assert words(read_messages(output=answer)) == [("user", "in"), ("assistant", "b")]
    assert words(read_messages(input=[said("user", "c")], output={"choices": []})) == [("user", "c")]


def test_messages_in_a_pool() -> None:
    """Messages that a newer log keeps only once are found by their ranges, under both names of the pool."""
    pool = [said("system", "s"), said("user", "a"), said("user", "b")]
    call = {"event": "model", "input": [], "input_refs": [[0, 1], [2, 3], [5, 4], "x"], "output": {}}
    for where in ({"events_data": {"messages": pool}}, {"message_pool": pool}):
        assert words(read_messages(events=[call], **where)) == [("system", "s"), ("user", "b")]


def test_a_pool_that_grows_without_end() -> None:
    """Ranges that name more messages than anybody says are refused."""
    call = {"event": "model", "input_refs": [[0, 1000]] * 1001}
    one = sample(events=[call], message_pool=[said("user", "a")] * 1000)
    assert only_reason(read_document(log(one))) == "more than 1,000,000 messages in one call of the model"


def test_model_of_the_answer() -> None:
    """Where no head names a model, the first answer does."""
    transcript = only(read_document(sample(said("user", "a"), said("assistant", "b", model="m-4"), score={"value": 1})))
    assert transcript.metadata["model"] == "m-4"
    assert transcript.metadata["scores"] == {"score": 1}


def test_logs_without_samples() -> None:
    """A log whose samples were not kept, or that has none, holds no speech."""
    assert [item.reason for item in left_out(read_document(log()))] == ["a log without samples"]
    assert len(left_out(read_lines({"eval": HEAD, "samples": None}))) == 1


def test_broken_samples() -> None:
    """A broken sample is a bad record at its place, and the others are read."""
    broken = [3, sample("x"), sample(said("x", "a")), sample({"content": "a"}), {"id": 1, "epoch": 1, "messages": "x"}]
    items = read_document(log(*broken, sample(said("user", "a"))))
    assert [(item.location.pointer, item.reason) for item in items if isinstance(item, BadRecord)] == [
        ("/samples/0", "a number, not an object"),
        ("/samples/1", "messages[0] is a string, not an object"),
        ("/samples/2", 'messages[0] has the unknown role "x"'),
        ("/samples/3", 'messages[0] has no "role"'),
        ("/samples/4", '"messages" is a string, not a list'),
    ]
    assert len(transcripts(items)) == 1
    assert only_reason(read_lines({"eval": HEAD, "samples": {}})) == '"samples" is an object, not a list'
    assert only_reason(read_lines(sample(input=None))) == "no message in it"


@pytest.mark.parametrize(
    "value",
    [None, [], "x", {}, {"eval": "x"}, {"eval": {"a": 1}}, {"epoch": 1, "loss": 2}, {"scorer": "x", "samples": 3}],
    ids=repr,
)
def test_other_records_are_not_taken(value: Any) -> None:
    """An object with another evaluation is not taken."""
    assert not is_inspect(value)


def test_example_is_read() -> None:
    """The example of the format is one conversation."""
    assert words(only(read_log(INSPECT.example))) == [
        ("user", "May I return a worn coat?"),
        ("assistant", "Yes, within 30 days."),
    ]
