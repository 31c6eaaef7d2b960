"""Replies that were paid for, kept by everything that decides them, so that a killed run asks only for the rest.

SQLite in write-ahead mode: a reply is on disk before anything is counted from it, readers never wait, and several
runs may share one file. The file holds what judges wrote about transcripts, so only its owner may read it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from valueaudit.errors import StorageError
from valueaudit.ports import Complete, Completion, Request
from valueaudit.record import Cost

FILE_NAME = "replies-1.sqlite"
SECONDS_TO_WAIT = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS reply (
  key BLOB PRIMARY KEY, completion BLOB NOT NULL, stored TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID
"""
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
        self._guard(lambda: self._connection.execute(_SCHEMA))

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

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _guard(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except sqlite3.Error as error:
            raise StorageError(
                f'the reply store "{self._path}" cannot be used: {error}',
                help="free space, remove the file, name another folder with --cache-dir, or use --no-cache",
            ) from error


class StoredJudge:
    """A judge that asks the store first. `identity` is all that decides a reply beside the request itself."""

    def __init__(self, judge: Complete, store: ReplyStore, identity: dict[str, Any]) -> None:
        self._judge = judge
        self._store = store
        self._identity = identity
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
        kept = self._store.get(self._key(request))
        if kept is not None:
            self._found += 1
            return kept
        return await self._judge.ask(request)

    def keep(self, request: Request, completion: Completion) -> None:
        """Stores a usable reply under the request that it answers."""
        self._store.put(self._key(request), completion)

    def _key(self, request: Request) -> bytes:
        return hashlib.sha256(msgspec.json.encode((self._identity, request), order="deterministic")).digest()
