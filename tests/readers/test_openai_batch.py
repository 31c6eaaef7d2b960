from __future__ import annotations

import itertools
from typing import Any

import pytest
from api_samples import ASKED, CALL, COMPLETION, QUESTION, REPLY, formats_of, is_left_out, read_run, spoken, to_lines

from valueaudit.readers.joining import NO_REQUEST, NO_RESULT, SECOND, UNCLEAR
from valueaudit.transcript import BadRecord, Item, Location, Transcript

NAME = "openai-batch"


def asked(key: Any, text: str = QUESTION) -> dict[str, Any]:
    """A line of a request."""
    body = {"model": "m-1", "messages": [{"role": "user", "content": text}]}
    return {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}


def answered(key: Any, text: str = REPLY, **response: Any) -> dict[str, Any]:
    """A line of a result."""
    body = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"message": {"content": text}}]}
    whole = {"status_code": 200, "request_id": "req_1", "body": body, **response}
    return {"id": "batch_req_1", "custom_id": key, "response": whole, "error": None}


def failed(key: Any, code: str = "batch_expired") -> dict[str, Any]:
    """A line of the file of errors."""
    return {"id": "batch_req_2", "custom_id": key, "response": None, "error": {"code": code, "message": "secret"}}


def read(*files: list[Any]) -> list[Item]:
    """The items of a run over files of these records."""
    return read_run(*(to_lines(*records) for records in files))[0]


def tell(item: Item) -> Any:
    """A conversation as id, place and words; what is none as its place and reason."""
    where = f"{item.location.source}:{item.location.line}"
    if isinstance(item, Transcript):
        return item.id, where, [text for _, text in spoken(item)]
    return where, item.reason


def test_results_find_their_requests_in_another_file() -> None:
    """Requests and results are joined by custom_id in any order of lines; the place is that of the result."""
    items = read([asked("a", "A?"), asked("b", "B?")], [answered("b", "B."), answered("a", "A.")])
    assert [tell(item) for item in items] == [("b", "1:1", ["B?", "B."]), ("a", "1:2", ["A?", "A."])]


def test_results_may_come_first() -> None:
    """Results wait for the file of their requests, and requests lie among results."""
    for files in ([[answered("a")], [asked("a")]], [[answered("a"), asked("a")]], [[asked("a"), answered("a")]]):
        (item,) = read(*files)
        assert isinstance(item, Transcript)
        assert spoken(item) == [("user", QUESTION), ("assistant", REPLY)]


def test_metadata_of_a_pair() -> None:
    """What request and result say beside the words is kept; the model is the one that answered."""
    (item,) = read([asked("a")], [answered("a", body={**COMPLETION, "usage": {"total_tokens": 3}})])
    assert isinstance(item, Transcript)
    assert (item.id, item.location) == ("a", Location("1", 1))
    assert item.metadata == {
        "model": "m-1-2026",
        "method": "POST",
        "url": "/v1/chat/completions",
        "id": "batch_req_1",
        "status_code": 200,
        "request_id": "req_1",
        "response.id": "chatcmpl-1",
        "usage": {"total_tokens": 3},
        "request.model": "m-1",
    }


def test_results_alone_name_the_missing_file() -> None:
    """A result without its request is a bad record that says what to do."""
    assert [tell(item) for item in read([answered("a"), failed("b")])] == [("0:1", NO_REQUEST), ("0:2", NO_REQUEST)]
    assert "name the file of the requests" in NO_REQUEST


def test_requests_alone_are_told() -> None:
    """A request without a result is a bad record."""
    assert [tell(item) for item in read([asked("a"), asked("b")], [answered("b")])] == [
        ("b", "1:1", [QUESTION, REPLY]),
        ("0:1", NO_RESULT),
    ]


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (failed("a"), 'the response is an error of type "batch_expired"'),
        (answered("a", status_code=429, body=None), 'the response is an error of type "HTTP status 429"'),
        (
            answered("a", status_code=400, body={"error": {"type": "invalid"}}),
            'the response is an error of type "invalid"',
        ),
        ({"custom_id": "a", "response": None}, "the response is null, not an object"),
        (answered("a", body="text"), "the response is a string, not an object"),
        (
            answered("a", body={"object": "list", "data": []}),
            'the response is an object with the fields "object", "data", not an answer of a known API',
        ),
    ],
    ids=repr,
)
def test_failed_results_say_so(result: dict[str, Any], reason: str) -> None:
    """A result that is no answer is one bad record for the pair, with the kind of the error and none of its words."""
    assert [tell(item) for item in read([asked("a")], [result])] == [("1:1", reason)]


@pytest.mark.parametrize(
    ("body", "response"),
    [
        (
            {"model": "m", "input": QUESTION},
            {"object": "response", "output": [{"role": "assistant", "content": REPLY}]},
        ),
        ({"model": "m", "prompt": QUESTION}, {"object": "text_completion", "choices": [{"text": REPLY}]}),
    ],
    ids=["responses", "completions"],
)
def test_bodies_of_other_endpoints(body: Any, response: Any) -> None:
    """Batches of the Responses API and of text completions are read too."""
    (item,) = read([{"custom_id": "a", "url": "/v1/x", "body": body}, answered("a", body=response)])
    assert isinstance(item, Transcript)
    assert spoken(item) == [("user", QUESTION), ("assistant", REPLY)]


def test_calls_that_are_no_conversation_are_left_out() -> None:
    """A batch of embeddings is counted and not read."""
    request = {"custom_id": "a", "url": "/v1/embeddings", "body": {"model": "m", "input": QUESTION}}
    (item,) = read([request], [answered("a", body={"object": "list", "data": []})])
    assert is_left_out(item)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"model": "m"}, 'the request has no "messages", "input" or "prompt"'),
        ({"model": "m", "messages": []}, "what was asked is empty"),
        ({"model": "m", "input": []}, "what was asked is empty"),
    ],
    ids=repr,
)
def test_a_request_that_asks_nothing(body: dict[str, Any], reason: str) -> None:
    """A body without a conversation is told at the result."""
    (item,) = read([{"custom_id": "a", "body": body}, answered("a")])
    assert tell(item) == ("0:2", reason)


def test_the_same_ids_in_two_batches_read_one_after_the_other() -> None:
    """Where each batch is whole before the next one begins, each result belongs to its own request."""
    items = read([asked("1", "A?")], [answered("1", "A.")], [asked("1", "B?")], [answered("1", "B.")])
    assert [tell(item)[2] for item in items] == [["A?", "A."], ["B?", "B."]]


def test_the_same_ids_in_two_batches_are_never_guessed() -> None:
    """Where nothing says whose result it is, all that carries the id is bad, and no words are put together."""
    first, second = [asked("1", "A?")], [asked("1", "B?")]
    for files in ([first, second, [answered("1")]], [[answered("1")], [answered("1", "B.")], first, second]):
        items = read(*files)
        assert {tell(item)[1] for item in items} == {UNCLEAR}
        assert len(items) == sum(map(len, files))


def test_two_results_for_one_request() -> None:
    """A second answer is told and not taken; after an error it is the answer."""
    items = read([asked("a")], [answered("a")], [answered("a", "No.")])
    assert [tell(item) for item in items] == [("a", "1:1", [QUESTION, REPLY]), ("2:1", SECOND)]
    for results in itertools.permutations([[failed("a")], [answered("a")]]):
        kinds = sorted(type(item).__name__ for item in read([asked("a")], *results))
        assert kinds == ["BadRecord", "Transcript"]


def test_copies_of_the_files_change_nothing() -> None:
    """The same requests twice are one, and the same result twice gives the same conversation twice."""
    one = read([asked("a")], [answered("a")])
    twice = read([asked("a")], [asked("a")], [answered("a")], [answered("a")])
    assert [tell(item)[2] for item in twice] == [tell(item)[2] for item in one * 2]
    early = read([answered("a")], [answered("a")], [asked("a")])
    assert len(early) == 2
    assert [type(item) for item in early] == [Transcript, Transcript]


def test_many_lines_of_one_id_take_linear_time() -> None:
    """20,000 different requests and results of one id are all told."""
    requests = [asked("a", str(n)) for n in range(20_000)]
    results = [answered("a", str(n)) for n in range(20_000)]
    assert len(read(requests, results)) == 40_000


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"custom_id": " ", "body": {}}, 'no "custom_id"'),
        ({"custom_id": "a"}, 'neither a "body" that was asked nor a "response"'),
        ("x", 'no "custom_id"'),
    ],
    ids=repr,
)
def test_forced_on_a_broken_record(record: Any, reason: str) -> None:
    """A line that is neither half is a bad record at its place."""
    items, _ = read_run(to_lines(record), format_name=NAME)
    assert items == [BadRecord(Location("0", 1), reason)]


def test_a_number_may_be_an_id() -> None:
    """Ids are compared as text."""
    (item,) = read([asked(1)], [answered("1")])
    assert item == read([asked("1")], [answered("1")])[0]


@pytest.mark.parametrize(
    ("record", "formats"),
    [
        ({"custom_id": "a", "messages": [ASKED]}, ("chat",)),
        ({"custom_id": "a", "messages": [ASKED], "error": "x"}, ("chat",)),
        ({"custom_id": "a", "response": "x"}, ()),
        ({"body": CALL}, ()),
        ({"custom_id": "a", "name": "x"}, ()),
    ],
    ids=repr,
)
def test_other_records_are_not_taken(record: Any, formats: tuple[str, ...]) -> None:
    """An id of that name alone does not make a line of a batch."""
    assert formats_of(record) == formats
