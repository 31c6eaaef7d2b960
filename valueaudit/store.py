"""Replies that were paid for, kept by everything that decides them, so that a killed run asks only for the rest.

SQLite in write-ahead mode: a reply is on disk before anything is counted from it, readers never wait, and several
runs may share one file. Which run paid for a reply is kept as well, because every further look at a sample has its
price. The file holds what judges wrote about transcripts, so only its owner may read it.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from valueaudit.errors import StorageError
from valueaudit.ports import Complete, Completion, Request
from valueaudit.record import Cost

FILE_NAME = "replies-1.sqlite"
SECONDS_TO_WAIT = 30.0
_TABLES = (
    """
CREATE TABLE IF NOT EXISTS reply (
  key BLOB PRIMARY KEY, completion BLOB NOT NULL, stored TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID
""",
    "CREATE TABLE IF NOT EXISTS payer (key BLOB PRIMARY KEY, run INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS look (run INTEGER PRIMARY KEY, ended TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)",
)
T = TypeVar("T")


class ReplyStore:
    """Completions by key, on disk in `folder`. Raises `StorageError` when it cannot be opened, read or written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
        except OSError as error:
            raise StorageError(
                f'the reply store "{self._path}" cannot be opened: {error.strerror}',
                help="name another folder with --cache-dir, or use --no-cache",
            ) from error
        self._connection = self._guard(
            lambda: sqlite3.connect(self._path, timeout=SECONDS_TO_WAIT, isolation_level=None)
        )
        self._guard(lambda: self._connection.execute("PRAGMA journal_mode=WAL"))
        self._guard(lambda: self._connection.execute("PRAGMA synchronous=NORMAL"))
        for table in _TABLES:
            self._execute(table)

    def get(self, key: bytes) -> Completion | None:
        """The completion kept under `key`, None where there is none that can be read."""
        row = self._guard(
            lambda: self._connection.execute("SELECT completion FROM reply WHERE key = ?", (key,)).fetchone()
        )
        try:
            return None if row is None else msgspec.json.decode(row[0], type=Completion)
        except msgspec.DecodeError:
            # A damaged row is a reply that is not there: it is asked again and replaced.
            return None

    def put(self, key: bytes, completion: Completion) -> None:
        """Keeps a completion under `key`; returns once the operating system has it."""
        row = (key, msgspec.json.encode(completion))
        self._guard(
            lambda: self._connection.execute("INSERT OR REPLACE INTO reply (key, completion) VALUES (?, ?)", row)
        )

    def note_payer(self, key: bytes, run: int) -> int:
        """Keeps which run paid for the completion under `key`; the first one that did."""
        self._execute("INSERT OR IGNORE INTO payer (key, run) VALUES (?, ?)", key, run)
        found = self.find_payer(key)
        return run if found is None else found

    def find_payer(self, key: bytes) -> int | None:
        """The run that paid for the completion under `key`, None where that is not known."""
        row = self._execute("SELECT run FROM payer WHERE key = ?", key)
        return None if row is None else int(row[0])

    def note_look(self, run: int) -> None:
        """Keeps that a run came to its end, so that somebody saw what it found."""
        self._execute("INSERT OR IGNORE INTO look (run) VALUES (?)", run)

    def find_looks(self, runs: Iterable[int]) -> set[int]:
        """Those of the runs that came to their end."""
        return {run for run in runs if self._execute("SELECT 1 FROM look WHERE run = ?", run) is not None}

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _execute(self, statement: str, *values: Any) -> Any:
        """The first row, None where there is none."""
        return self._guard(lambda: self._connection.execute(statement, values).fetchone())

    def _guard(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except sqlite3.Error as error:
            raise StorageError(
                f'the reply store "{self._path}" cannot be used: {error}',
                help="free space, remove the file, name another folder with --cache-dir, or use --no-cache",
            ) from error


class StoredJudge:
    """A judge that asks the store first. `identity` is all that decides a reply beside the request itself, `run` a
    number that no other run has."""

    def __init__(self, judge: Complete, store: ReplyStore, identity: dict[str, Any], run: int | None = None) -> None:
        self._judge = judge
        self._store = store
        self._identity = identity
        self._run = secrets.randbits(62) if run is None else run
        self._payers: set[int] = set()
        self._found = 0

    @property
    def context_tokens(self) -> int | None:
        """As the judge says."""
        return self._judge.context_tokens

    @property
    def cost(self) -> Cost:
        """The judge's, with the replies that the store gave."""
        return msgspec.structs.replace(self._judge.cost, cached_calls=self._found)

    async def ask(self, request: Request) -> Completion:
        """The reply from the store, else from the judge."""
        key = self._key(request)
        kept = self._store.get(key)
        if kept is not None:
            self._found += 1
            payer = self._store.find_payer(key)
            self._payers |= set() if payer is None else {payer}
            return kept
        return await self._judge.ask(request)

    def keep(self, request: Request, completion: Completion) -> None:
        """Stores a usable reply under the request that it answers."""
        key = self._key(request)
        self._payers.add(self._store.note_payer(key, self._run))
        self._store.put(key, completion)

    def finish(self) -> int | None:
        """How many looks were taken at these conversations; to be called when a run has come to its end.

        A look is a run that came to its end and paid for some of the replies that this one rests on, itself included.
        A run that only repeats what was paid for, or that was interrupted, is none. None where nothing is known of any.
        """
        looks = self._store.find_looks(self._payers)
        mine = self._run if self._run in self._payers else min(self._payers, default=None)
        if mine is not None and (mine == self._run or not looks):
            self._store.note_look(mine)
            looks.add(mine)
        return len(looks) or None

    def _key(self, request: Request) -> bytes:
        return hashlib.sha256(msgspec.json.encode((self._identity, request), order="deterministic")).digest()
