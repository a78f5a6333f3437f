"""What the side services have acknowledged, on a file beside the tables: messages, objects, what was set up by hand.

One SQLite file in WAL mode, flushed to the disk with each commit, as the engine's own is. Changes are noted in the
order in which they were made and written by :meth:`Journal.flush`, which returns when all that was noted before is
durable: requests that wait for the disk at the same time share one flush.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, place INTEGER NOT NULL, queue TEXT NOT NULL, receipts INTEGER NOT NULL, content TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_queue ON messages (queue, place);
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, written_at TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS arrangements (
    number INTEGER PRIMARY KEY, target TEXT NOT NULL, content TEXT NOT NULL, UNIQUE (target, content)
);
"""
_KEEP_MESSAGE = """
INSERT INTO messages (id, place, queue, receipts, content)
VALUES (?1, (SELECT COALESCE(MAX(place), 0) + 1 FROM messages WHERE queue = ?2), ?2, ?3, ?4)
ON CONFLICT (id) DO UPDATE SET place = excluded.place, queue = excluded.queue, receipts = excluded.receipts
"""
_COUNT_RECEIPT = "UPDATE messages SET receipts = ?2 WHERE id = ?1"
_DROP_MESSAGE = "DELETE FROM messages WHERE id = ?1"
_KEEP_OBJECT = "INSERT OR REPLACE INTO objects VALUES (?1, ?2, ?3, ?4, ?5)"
_DROP_OBJECT = "DELETE FROM objects WHERE bucket = ?1 AND key = ?2"
_KEEP_ARRANGEMENT = "INSERT OR REPLACE INTO arrangements (target, content) VALUES (?1, ?2)"


@dataclass(frozen=True)
class StoredMessage:
    """A message on a queue; `content` is what the queue's protocol says of it."""

    id: str
    receipts: int
    """How often it has been handed out."""
    content: Mapping[str, Any]


@dataclass(frozen=True)
class StoredObject:
    key: str
    written_at: str
    headers: Mapping[str, str]
    body: bytes


class Journal:
    """One file. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = FULL")
        self._base.executescript(_SCHEMA)
        self._noting = threading.Lock()
        self._writing = threading.Lock()
        self._noted: list[tuple[str, tuple[Any, ...]]] = []

    def close(self) -> None:
        self.flush()
        self._base.close()

    # ---- to be written with the next flush ----

    def keep_message(self, queue: str, message: StoredMessage) -> None:
        """A message that is new, or has moved to the end of another queue."""
        self._note(_KEEP_MESSAGE, message.id, queue, message.receipts, json.dumps(message.content))

    def count_receipt(self, message_id: str, receipts: int) -> None:
        self._note(_COUNT_RECEIPT, message_id, receipts)

    def drop_message(self, message_id: str) -> None:
        self._note(_DROP_MESSAGE, message_id)

    def keep_object(self, bucket: str, stored: StoredObject) -> None:
        self._note(_KEEP_OBJECT, bucket, stored.key, stored.written_at, json.dumps(dict(stored.headers)), stored.body)

    def drop_object(self, bucket: str, key: str) -> None:
        self._note(_DROP_OBJECT, bucket, key)

    def keep_arrangement(self, target: str, content: str) -> None:
        """A request that sets something up. The same one again moves to the end: rules are dropped and made anew."""
        self._note(_KEEP_ARRANGEMENT, target, content)

    def flush(self) -> None:
        """Return when all that was noted before is on the disk."""
        with self._writing:  # whoever waited here finds that the one before has written its changes too
            with self._noting:
                noted, self._noted = self._noted, []
            if not noted:
                return
            self._base.execute("BEGIN IMMEDIATE")
            for statement, values in noted:
                self._base.execute(statement, values)
            self._base.execute("COMMIT")

    # ---- what was written ----

    def messages(self, queue: str) -> Iterator[StoredMessage]:
        """In the order in which the queue took them."""
        wanted = "SELECT id, receipts, content FROM messages WHERE queue = ? ORDER BY place"
        for identity, receipts, content in self._read(wanted, queue):
            yield StoredMessage(identity, receipts, json.loads(content))

    def objects(self, bucket: str) -> Iterator[StoredObject]:
        wanted = "SELECT key, written_at, headers, body FROM objects WHERE bucket = ? ORDER BY key"
        for key, written_at, headers, body in self._read(wanted, bucket):
            yield StoredObject(key, written_at, json.loads(headers), body)

    def arrangements(self) -> Iterator[tuple[str, str]]:
        """Each request's target and content, in the order in which they are to be made again."""
        yield from self._read("SELECT target, content FROM arrangements ORDER BY number")

    def _note(self, statement: str, *values: Any) -> None:
        with self._noting:
            self._noted.append((statement, values))

    def _read(self, statement: str, *values: str) -> list[Any]:
        self.flush()
        with self._writing, closing(self._base.execute(statement, values)) as cursor:
            return cursor.fetchall()
