from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest

from valueaudit.errors import StorageError
from valueaudit.ports import Complete, Completion, Request
from valueaudit.record import Cost
from valueaudit.store import FILE_NAME, ReplyStore, StoredJudge

REPLY = Completion('{"a": 1}', "judge-1", "json_schema", ("temperature",))


class CountingJudge(Complete):
    """Always gives the same reply and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    @property
    def context_tokens(self) -> int | None:
        return 1000

    @property
    def cost(self) -> Cost:
        return Cost(calls=self.calls)

    async def ask(self, request: Request) -> Completion:
        self.calls += 1
        return REPLY

    def keep(self, request: Request, completion: Completion) -> None:
        """Not used: the store keeps."""


def ask_for(text: str) -> Request:
    """A request."""
    return Request(({"role": "user", "content": text},), "audit", {"type": "object"})


def test_a_kept_reply_is_found_by_another_process(tmp_path: Path) -> None:
    """What was put is there when the file is opened anew, with all that is known of it."""
    first = ReplyStore(tmp_path)
    first.put(b"key", REPLY)
    second = ReplyStore(tmp_path)
    assert second.get(b"key") == REPLY
    assert second.get(b"other") is None
    first.close()
    second.close()


def test_only_the_owner_may_read_kept_replies(tmp_path: Path) -> None:
    """Replies quote transcripts, so folder and file are closed to others."""
    folder = tmp_path / "cache"
    ReplyStore(folder).close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600


def test_the_same_question_is_paid_once(tmp_path: Path) -> None:
    """A kept reply is given without a call and counted as cached; what was not kept is asked again."""
    judge = CountingJudge()
    store = ReplyStore(tmp_path)
    stored = StoredJudge(judge, store, {"model": "m"})

    async def use() -> None:
        completion = await stored.ask(ask_for("kept"))
        stored.keep(ask_for("kept"), completion)
        await stored.ask(ask_for("unusable"))
        assert await stored.ask(ask_for("kept")) == REPLY
        await stored.ask(ask_for("unusable"))

    asyncio.run(use())
    assert stored.cost == Cost(calls=3, cached_calls=1)
    assert stored.context_tokens == 1000
    store.close()


@pytest.mark.parametrize(
    ("identity", "request_"),
    [
        ({"model": "other"}, ask_for("text")),
        ({"model": "m", "parameters": {"temperature": 1}}, ask_for("text")),
        ({"model": "m"}, ask_for("other text")),
        ({"model": "m"}, Request(({"role": "user", "content": "text"},), "audit", {"type": "array"})),
    ],
    ids=["model", "parameters", "text", "schema"],
)
def test_whatever_decides_a_reply_is_part_of_its_key(
    tmp_path: Path, identity: dict[str, object], request_: Request
) -> None:
    """Another model, parameter, text or schema is another question."""
    judge = CountingJudge()
    store = ReplyStore(tmp_path)
    StoredJudge(judge, store, {"model": "m"}).keep(ask_for("text"), REPLY)
    asyncio.run(StoredJudge(judge, store, identity).ask(request_))
    assert judge.calls == 1
    store.close()


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    """A file that is no store is not overwritten, and the refusal says what can be done."""
    (tmp_path / FILE_NAME).write_bytes(b"this is not a database, it is somebody's text " * 50)
    with pytest.raises(StorageError, match="cannot be used") as caught:
        ReplyStore(tmp_path)
    assert "--cache-dir" in str(caught.value.help)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A file where the folder should be is named."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot be opened"):
        ReplyStore(tmp_path / "file" / "cache")


def test_a_full_disk_is_an_error_of_the_run(tmp_path: Path) -> None:
    """SQLite's own word for a full disk becomes an error that ends the run, never a lost reply."""
    store = ReplyStore(tmp_path)
    store._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StorageError, match="full"):
        store.put(b"key", Completion("x" * 100_000))
    store.close()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    """Any error of SQLite is translated."""
    store = ReplyStore(tmp_path)
    store.close()
    with pytest.raises(StorageError) as caught:
        store.get(b"key")
    assert isinstance(caught.value.__cause__, sqlite3.ProgrammingError)


def look(folder: Path, run: int, *texts: str, ended: bool = True) -> int | None:
    """How many looks a run at these texts counts that paid for what was not there, None where it was interrupted."""
    store = ReplyStore(folder)
    judge = StoredJudge(CountingJudge(), store, {"model": "m"}, run)
    for text in texts:
        judge.keep(ask_for(text), asyncio.run(judge.ask(ask_for(text))))
    found = judge.finish() if ended else None
    store.close()
    return found


def test_every_extension_of_a_sample_is_a_look(tmp_path: Path) -> None:
    """Repeating what was paid for is none, and other conversations begin anew."""
    assert look(tmp_path, 1, "a", "b") == 1
    assert look(tmp_path, 2, "b", "a") == 1
    assert look(tmp_path, 3, "a", "b", "c") == 2
    assert look(tmp_path, 4, "a", "b", "c", "d") == 3
    assert look(tmp_path, 5, "a", "b", "c", "d") == 3
    assert look(tmp_path, 6, "x") == 1
    assert look(tmp_path, 7) is None


def test_an_interrupted_run_is_no_look(tmp_path: Path) -> None:
    """Nobody saw what it found; the run that goes on is the first."""
    look(tmp_path, 1, "a", ended=False)
    assert look(tmp_path, 2, "a", "b") == 1
    look(tmp_path, 3, "x", ended=False)
    assert look(tmp_path, 4, "x") == 1
    assert look(tmp_path, 5, "x", "y") == 2


def test_replies_of_an_older_store_have_no_payer(tmp_path: Path) -> None:
    """What was kept before anybody counted is no look that is known of."""
    store = ReplyStore(tmp_path)
    StoredJudge(CountingJudge(), store, {"model": "m"}, 1).keep(ask_for("a"), REPLY)
    store._execute("DROP TABLE payer")
    store.close()
    assert look(tmp_path, 2, "a") == 1
    assert look(tmp_path, 3, "a", "b") == 2
