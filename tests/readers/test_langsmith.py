from __future__ import annotations

import json
from typing import Any

import pytest
from trace_logs import bad, left_out, one, read_text, read_values, resolve, said, section_examples, transcripts

from valueaudit.readers.langsmith import LANGSMITH, is_langsmith
from valueaudit.transcript import Location

TALK = [("user", "Hi"), ("assistant", "Hello")]


def run(**fields: Any) -> dict[str, Any]:
    """A run of a chat model."""
    return {
        "id": "r1",
        "trace_id": "r1",
        "run_type": "llm",
        "inputs": {"messages": [{"role": "user", "content": "Hi"}]},
        "outputs": {"choices": [{"message": {"role": "assistant", "content": "Hello"}}], "model": "m-2"},
        **fields,
    }


def test_page_examples_are_read() -> None:
    """Each example on the page of formats is one conversation, and so is the example of the format."""
    examples = section_examples(LANGSMITH.title)
    assert len(examples) == 2
    for example in (*examples, LANGSMITH.example):
        assert one(read_text(example)).has_assistant_text


def test_a_run_is_joined_with_its_update() -> None:
    """What was posted at the start and sent at the end of a run, in one request or two, is one conversation."""
    start = {**run(start_time="2026-01-05"), "outputs": {}}
    end = {"id": "r1", "trace_id": "r1", "dotted_order": "x", "outputs": run()["outputs"], "tags": []}
    together = one(read_values({"post": [start], "patch": [end]}))
    assert said(together) == TALK
    assert (together.id, together.location) == ("r1", Location("log.jsonl", 1, "/post/0"))
    assert together.metadata["time"] == "2026-01-05"
    apart = one(read_values({"post": [start]}, {"patch": [end]}))
    assert (said(apart), apart.metadata) == (TALK, together.metadata)


def test_an_update_without_an_id_is_joined_by_its_order() -> None:
    """The JavaScript SDK names the run of an update only at the end of its dotted order."""
    order = "20260105T100000000001Zr0.20260105T100001000001Zr1"
    start = {"id": "r1", "trace_id": "r0", "dotted_order": order, "run_type": "llm", "inputs": run()["inputs"]}
    end = {"trace_id": "r0", "dotted_order": order, "outputs": run()["outputs"]}
    transcript = one(read_values({"post": [start], "patch": [end]}))
    assert (said(transcript), transcript.id) == (TALK, "r1")


def test_a_run_without_its_end_has_no_reply() -> None:
    """What was asked is there, although no answer came."""
    assert said(one(read_values([{"post": [{**run(), "outputs": {}}]}][0]))) == [("user", "Hi")]


@pytest.mark.parametrize("shape", ["lines", "list", "runs"])
def test_exported_runs_are_read_from_any_container(shape: str) -> None:
    """Runs one a line, in a list or under "runs" are read, with places that resolve."""
    runs = [run(), run(id="r2", trace_id="r2", inputs={"messages": [{"role": "user", "content": "Bye"}]})]
    text = {"lines": "\n".join(map(json.dumps, runs)), "list": json.dumps(runs), "runs": json.dumps({"runs": runs})}[
        shape
    ]
    found = transcripts(read_text(text))
    assert [each.id for each in found] == ["r1", "r2"]
    for each, expected in zip(found, runs, strict=True):
        assert each.location.line is not None or each.location.pointer is not None
        if shape != "lines":
            assert resolve(json.loads(text), each.location.pointer) == expected


def test_messages_of_langchain_are_read() -> None:
    """Nested lists of dumped messages and generations are a conversation with the model that answered."""
    human = {"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"], "kwargs": {"content": "Hi"}}
    told = {"content": "Hello", "response_metadata": {"model_name": "m-3"}}
    reply = {"text": "Hello", "message": {"lc": 1, "id": ["langchain", "AIMessage"], "kwargs": told}}
    transcript = one(read_values(run(inputs={"messages": [[human]]}, outputs={"generations": [[reply]]})))
    assert (said(transcript), transcript.metadata["model"]) == (TALK, "m-3")


def test_steps_around_a_call_do_not_count_twice() -> None:
    """Chains with the reply of their model, tools and retrievers are left out; children inside a run are found."""
    chain = run(run_type="chain", inputs={"question": "Hi"}, outputs={"output": "Hello"})
    tool = run(id="r3", run_type="tool", inputs={"input": "x"}, outputs={"output": "y"})
    items = read_values({**chain, "child_runs": [run(id="r2"), tool]})
    assert one(items).location.pointer == "/child_runs/0"
    assert left_out(items) == [
        "a run of type tool, which holds no speech of its own",
        "repeats what a model call of the same trace says",
    ]


def test_a_chain_alone_is_a_conversation() -> None:
    """A traced function without a traced model call is all there is."""
    chain = run(run_type="chain", inputs={"question": "Hi"}, outputs={"answer": "Hello"})
    assert said(one(read_values(chain))) == TALK
    assert left_out(read_values(run(run_type="chain", inputs={"city": "Tokyo"}, outputs={"n": 1}))) == [
        "no conversation in its input and output"
    ]


def test_turns_of_a_thread_are_one_conversation() -> None:
    """Traces that name the same thread, each with the whole conversation so far, count once."""
    extra = {"metadata": {"thread_id": "th"}}
    first = run(extra=extra)
    longer = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Bye"},
    ]
    second = run(id="r2", trace_id="r2", extra=extra, inputs={"messages": longer})
    assert one(read_values(first, second)).id == "r2"
    assert len(transcripts(read_values(run(), run(id="r2", trace_id="r2", inputs={"messages": longer})))) == 2


def test_metadata_tell_model_user_fields_and_tags() -> None:
    """The metadata that users set lie on top; the model is the one that answered, else the one that was asked."""
    extra = {"metadata": {"topic": "billing", "ls_model_name": "m-1"}, "invocation_params": {"model": "m-0"}}
    found = one(read_values(run(extra=extra, tags=["beta"], session_name="prod"))).metadata
    assert found == {
        "model": "m-2",
        "run_type": "llm",
        "trace_id": "r1",
        "session_name": "prod",
        "tags": ["beta"],
        "topic": "billing",
        "ls_model_name": "m-1",
    }
    asked = one(read_values(run(extra=extra, outputs={"output": "Hello"}))).metadata
    assert asked["model"] == "m-1"


def test_what_is_broken_is_named() -> None:
    """Runs that are no objects and calls in no form that we know are bad records, with names and not contents."""
    items = read_values({"post": [run(inputs={"payload": "secret"}, outputs={})], "patch": [3]})
    assert bad(items) == ["a run is a number, not an object", 'the input is in no known form; its fields are "payload"']
    assert bad(read_values(run(inputs=[3], outputs=None))) == ["the input is a list in no known form"]
    assert bad(read_values(run(id=None, inputs={"messages": [{"role": 3, "content": "x"}]}))) == [
        "the role of a message is a number, not a string"
    ]


def test_a_batch_without_runs_is_left_out() -> None:
    """An empty request, and a call of which nothing was kept, hold no speech."""
    assert left_out(read_values({"post": [], "patch": []})) == ["no run in it"]
    assert left_out(read_values(run(inputs={}, outputs=None))) == [
        "a model call of which neither input nor output was recorded"
    ]


@pytest.mark.parametrize(
    ("outputs", "others"),
    [
        ({"choices": [{"message": {"content": "Hello"}}, {"message": {"content": "Hey"}}]}, 1),
        ({"generations": [[{"text": "Hello"}, {"text": "Hey"}, {"text": "Yo"}]]}, 2),
        ({"generations": [[]], "output": "Hello"}, 0),
        ({"output": "Hello"}, 0),
    ],
)
def test_other_replies_are_counted(outputs: Any, others: int) -> None:
    """Of several replies the first is read, and the others are counted."""
    assert one(read_values(run(outputs=outputs))).branches == others


@pytest.mark.parametrize(
    "value",
    [3, {}, {"post": 3}, {"runs": [{"id": 1}]}, {"runs": []}, {"run_type": "llm"}, {"post": [3]}, {"messages": []}],
)
def test_other_objects_are_not_taken(value: Any) -> None:
    """An object that is no run is left to other formats."""
    assert not is_langsmith(value)


def test_forced_on_anything_it_names_what_is_wrong() -> None:
    """With the format forced, a value that is no run is a bad record."""
    assert bad(read_values(3, forced=LANGSMITH)) == ["a run is a number, not an object"]
