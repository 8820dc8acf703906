"""A queue on disk that keeps events in order until the broker has acknowledged them."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harstream.mqtt.sqlite_file import file_error, open_database, open_read_only, refuse_newer
from harstream.resilience.outage import Outage
from harstream.wire.topics import is_publishable

log = logging.getLogger(__name__)

FILE = "outbox.sqlite"
"""The name of the file in the state folder."""
VERSION = 0
"""The version of the file's schema."""
LARGEST_NUMBER = 2**53
"""The largest number of a message. A file with a larger one is damaged."""
WEEK = 7 * 24 * 3600.0
DELETE = "DELETE FROM letters WHERE number = ?"
WAITING = """
    SELECT number, topic, payload FROM letters WHERE topic NOT IN (SELECT value FROM json_each(?)) ORDER BY number
"""


@dataclass(frozen=True)
class QueuedMessage:
    """A waiting message."""

    number: int
    """Increases by one with each message."""
    topic: str
    payload: bytes
    age: float
    """Seconds since `put`. Infinite for a message of an earlier run, whose age is unknown."""
    delay: float | None
    """The delay given to `put`, in seconds; None for a message of an earlier run."""


class _Birth(NamedTuple):
    """The time of a message's `put` by the clock, and its delay, both in seconds."""

    time: float
    delay: float | None


class Outbox:
    """A thread-safe queue. Beyond its limits it drops the oldest messages, and `dropped` counts them.

    If the disk is full, events wait in memory until the disk takes them. Only a restart in the meantime loses them.
    """

    def __init__(
        self,
        path: Path,
        *,
        age_limit: float = WEEK,
        row_limit: int = 50_000,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`age_limit`: seconds. `wall_clock` dates messages across runs; `clock`, which is monotonic, within a run."""
        self.dropped = 0
        self.path = path
        self._age_limit = age_limit
        self._row_limit = row_limit
        self._wall_clock = wall_clock
        self._clock = clock
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._born: OrderedDict[int, _Birth] = OrderedDict()
        self._in_memory: OrderedDict[int, tuple[str, bytes]] = OrderedDict()
        self._last = 0
        self._undeleted: set[int] = set()
        """Messages that are gone, but that the disk refuses to delete. They must not be sent again and again."""
        self._waiting = 0
        self._outage = Outage(
            log,
            path,
            begins="the outbox %s fails (%s): events wait in memory, and a restart would lose them",
            ends="the outbox %s can be written again after %d failures",
        )

    def start(self) -> None:
        """Open or create the file. It moves an unreadable file aside with a warning. Raises SinkError."""
        self._database, (self._waiting, self._last) = open_database(
            self.path, _connect, "the outbox", _count_and_check, self._wall_clock
        )
        try:
            self._drop_old_messages_of_earlier_runs()
        except sqlite3.Error as error:
            self.close()
            raise file_error(self.path, "the outbox", str(error)) from error

    def put(self, topic: str, payload: bytes, delay: float | None = None) -> None:
        """Add a message. `delay`: seconds from the capture of its frame until now; None if unknown."""
        with self._lock:
            self._last += 1
            self._born[self._last] = _Birth(self._clock(), delay)
            self._in_memory[self._last] = (topic, payload)
            self._waiting += 1
            self._save()
            self._keep_to_the_row_limit()

    def oldest(self, *, except_on: Collection[str] = ()) -> QueuedMessage | None:
        """Return the next message to send, without removing it. It drops messages beyond the age limit.

        `except_on`: topics whose messages must wait.
        """
        with self._lock:
            while True:
                message = self._first(except_on)
                if message is None or message.number not in self._born or message.age <= self._age_limit:
                    return message
                self._forget(message.number)
                self.dropped += 1

    def remove(self, message: QueuedMessage) -> None:
        """Remove a message that the broker has acknowledged, or that is kept elsewhere."""
        with self._lock:
            self._forget(message.number)

    def __len__(self) -> int:
        with self._lock:
            return self._waiting

    def close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _save(self) -> None:
        """Write the messages in memory to the disk, oldest first, until it refuses one."""
        for number, (topic, payload) in list(self._in_memory.items()):
            row = (number, self._wall_clock(), topic, payload)
            if self._write("INSERT INTO letters VALUES (?, ?, ?, ?)", row) is None:
                return
            del self._in_memory[number]

    def _drop_old_messages_of_earlier_runs(self) -> None:
        assert self._database is not None
        too_old = "DELETE FROM letters WHERE put < ?"
        gone = self._database.execute(too_old, (self._wall_clock() - self._age_limit,)).rowcount
        self._waiting -= gone
        self.dropped += gone
        self._keep_to_the_row_limit()

    def _keep_to_the_row_limit(self) -> None:
        while self._waiting > self._row_limit and (message := self._first()) is not None:
            self._forget(message.number)
            self.dropped += 1

    def _first(self, except_on: Collection[str] = ()) -> QueuedMessage | None:
        row = self._read(except_on)
        candidates = [row] if row else []
        in_memory = ((number, *content) for number, content in self._in_memory.items() if content[0] not in except_on)
        candidates += [first] if (first := next(in_memory, None)) else []
        if not candidates:
            return None
        number, topic, payload = min(candidates)
        born = self._born.get(number)
        if born is None:
            return QueuedMessage(number, topic, payload, age=float("inf"), delay=None)
        return QueuedMessage(number, topic, payload, age=self._clock() - born.time, delay=born.delay)

    def _forget(self, number: int) -> None:
        if self._in_memory.pop(number, None) is None and not self._delete(number):
            return  # the row limit has dropped it while it was sent
        self._waiting -= 1
        self._born.pop(number, None)

    def _delete(self, number: int) -> bool:
        """Delete a message on disk, with those that could not be deleted before. Return False if it is gone already."""
        if number in self._undeleted:
            return False
        deleted = self._write(DELETE, (number,))
        if deleted is None:
            self._undeleted.add(number)
            return True
        self._undeleted = {one for one in self._undeleted if self._write(DELETE, (one,)) is None}
        return deleted > 0

    def _write(self, statement: str, values: tuple[object, ...]) -> int | None:
        """Return the number of changed rows, or None if the disk refuses."""
        if self._database is None:
            return None
        try:
            changed = self._database.execute(statement, values).rowcount
        except sqlite3.Error as error:
            self._outage.record_failure(error)
            return None
        self._outage.record_success()
        return changed

    def _read(self, except_on: Collection[str]) -> tuple[int, str, bytes] | None:
        if self._database is None:
            return None
        try:
            rows = self._database.execute(WAITING, (json.dumps(list(except_on)),))
            row: tuple[int, str, bytes] | None = next((one for one in rows if one[0] not in self._undeleted), None)
        except sqlite3.Error as error:
            self._outage.record_failure(error)
            return None
        return row


def is_in_use(path: Path) -> bool:
    """Return whether a running harstream uses this outbox."""
    try:
        with closing(open_read_only(path, timeout=0)) as database:
            database.execute("SELECT 1 FROM letters LIMIT 1")
    except sqlite3.Error as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    return False


def _count_and_check(database: sqlite3.Connection) -> tuple[int, int]:
    """Return how many messages wait, and the last number. Raises sqlite3.Error for messages that cannot be sent."""
    for number, put, topic, payload in database.execute("SELECT * FROM letters ORDER BY number"):
        is_message = isinstance(put, float) and isinstance(topic, str) and isinstance(payload, bytes)
        if not (is_message and is_publishable(topic)):
            raise sqlite3.DatabaseError(f"message {number} has no valid time, topic or payload")
    waiting, last = database.execute("SELECT count(*), coalesce(max(number), 0) FROM letters").fetchone()
    if not 0 <= last <= LARGEST_NUMBER:
        raise sqlite3.DatabaseError(f"the last message has the number {last}")
    return waiting, last


def _connect(path: Path) -> sqlite3.Connection:
    # Autocommit. The lock of the outbox protects the connection from other threads.
    database = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
    try:
        refuse_newer(database, path, "the outbox", VERSION)
        # The lock is exclusive, because a second harstream with this file would send everything twice.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        # NORMAL survives a killed process. A power cut may lose the last moments, but no frame waits for the disk.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS letters (number INTEGER PRIMARY KEY, put REAL, topic TEXT, payload BLOB)"
        )
        database.execute("SELECT number, put, topic, payload FROM letters LIMIT 1")
    except BaseException:
        database.close()
        raise
    return database
