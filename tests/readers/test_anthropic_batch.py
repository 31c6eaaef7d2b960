from __future__ import annotations

import json
from typing import Any

import pytest
from api_samples import ASKED, MESSAGE, QUESTION, REPLY, formats_of, read_run, spoken, to_lines

from valueaudit.readers.joining import NO_REQUEST, NO_RESULT
from valueaudit.transcript import BadRecord, Item, Location, Transcript

NAME = "anthropic-batch"
REQUEST = {"custom_id": "a", "params": {"model": "m", "max_tokens": 9, "system": "Be kind.", "messages": [ASKED]}}
RESULT = {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}}
WHOLE = [("user", QUESTION), ("assistant", REPLY), ("system", "Be kind.")]


def ended(**result: Any) -> dict[str, Any]:
    """A line of a result that is no message."""
    return {"custom_id": "a", "result": result}


def read(*texts: str) -> list[Item]:
    """The items of a run over these files."""
    return read_run(*texts)[0]


def test_results_find_their_requests() -> None:
    """Requests and results are joined by custom_id, in any order and across files."""
    for texts in ([to_lines(REQUEST), to_lines(RESULT)], [to_lines(RESULT, REQUEST)]):
        (item,) = read(*texts)
        assert isinstance(item, Transcript)
        assert spoken(item) == WHOLE
        assert item.id == "a"
        assert item.metadata == {
            "model": "m-1",
            "id": "msg_1",
            "stop_reason": "end_turn",
            "max_tokens": 9,
            "request.model": "m",
        }


def test_the_call_that_sent_the_batch() -> None:
    """Requests may lie in the body of one call, each at its pointer; a broken one is told at its place."""
    call = json.dumps(
        {"requests": [REQUEST, {"custom_id": "b", "params": 5}, {"custom_id": None, "params": {}}]}, indent=1
    )
    one, two, three = read(call, to_lines(RESULT))
    assert one == BadRecord(Location("0", 1, "/requests/1"), 'neither "params" that were asked nor a "result"')
    assert two == BadRecord(Location("0", 1, "/requests/2"), 'no "custom_id"')
    assert isinstance(three, Transcript)
    assert spoken(three) == WHOLE
    (missing,) = read(json.dumps([{"requests": [REQUEST]}]))
    assert missing == BadRecord(Location("0", None, "/0/requests/0"), NO_RESULT)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (ended(type="canceled"), 'the request was not answered: "canceled"'),
        (ended(type="expired"), 'the request was not answered: "expired"'),
        (
            ended(type="errored", error={"type": "error", "error": {"type": "overloaded", "message": "secret"}}),
            'the request was not answered: "errored", "overloaded"',
        ),
        (ended(type="errored", error="secret"), 'the request was not answered: "errored"'),
        (ended(type=5), "result.type is a number, not a string"),
        (ended(type="succeeded"), "there is no response"),
    ],
    ids=repr,
)
def test_failed_results_say_so(result: dict[str, Any], reason: str) -> None:
    """A request that was not answered is one bad record that says what became of it."""
    assert read(to_lines(REQUEST), to_lines(result)) == [BadRecord(Location("1", 1), reason)]


def test_results_alone_name_the_missing_file() -> None:
    """A result without its request is a bad record that says what to do."""
    assert read(to_lines(RESULT)) == [BadRecord(Location("0", 1), NO_REQUEST)]


@pytest.mark.parametrize(
    "record",
    [{"custom_id": "a", "result": "x"}, {"custom_id": "a", "result": {}}, {"requests": []}, {"requests": [5]}, "x"],
    ids=repr,
)
def test_other_records_are_not_taken(record: Any) -> None:
    """Other results and other requests are not of this format."""
    assert NAME not in formats_of(record)


def test_forced_on_another_record() -> None:
    """A record that is neither half is a bad record where the format is forced."""
    items, _ = read_run(to_lines("x", {"custom_id": "a"}), format_name=NAME)
    assert [item.reason for item in items if isinstance(item, BadRecord)] == [
        'no "custom_id"',
        'neither "params" that were asked nor a "result"',
    ]
