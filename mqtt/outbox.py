"""A queue on disk that keeps events in order until the broker has acknowledged them."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harstream.mqtt.outbox_file import check, connect, counts, create, refusals
from harstream.mqtt.sqlite_file import file_error, keep_reserve, open_database
from harstream.resilience.bounded_work import finishes_within
from harstream.resilience.outage import QUIET, Outage
from harstream.wire.errors import FailingDisk, SinkError

log = logging.getLogger(__name__)

FILE = "outbox.sqlite"
"""The name of the file in the state folder."""
HANGS_AFTER = 0.5
"""Seconds after which a read, a write or the close of the file counts as hanging."""
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

    On a full disk, some hundred events still fit into the file's reserve. Then events wait in memory until the disk
    takes them. Only a restart in the meantime loses those.
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
        self._working_since: float | None = None
        """Since when the holder of the lock has used the file; None while nobody holds it."""
        self._database: sqlite3.Connection | None = None
        self._born: OrderedDict[int, _Birth] = OrderedDict()
        self._in_memory: OrderedDict[int, tuple[str, bytes]] = OrderedDict()
        self._refused_since: dict[str, float] = {}
        """The time of the first refusal by the wall clock, by topic."""
        self._last = 0
        self._is_missing = False
        """Whether the disk failed at the start, so that the file must still be opened."""
        self._undeleted: set[int] = set()
        """Messages that are gone, but that the disk refuses to delete. They must not be sent again and again."""
        self._waiting = Counter[str]()
        """Number of messages by topic. Other threads read it without the lock, which a disk that hangs may hold."""
        self._outage = Outage(
            log,
            path,
            begins="the outbox %s fails (%s): events wait in memory, and a restart would lose them",
            ends="the outbox %s can be written again after %d failures",
            quiet=QUIET,
        )

    def start(self) -> None:
        """Open or create the file. It moves an unreadable file aside with a warning. Raises SinkError.

        While the disk fails, messages wait in memory, and `save` opens the file later.
        """
        try:
            self._open()
        except FailingDisk as error:
            # The file may hold messages that cannot be read now. No earlier run has given these numbers.
            self._last = int(self._wall_clock() * 1e6)
            self._is_missing = True
            self._outage.record_failure(error.__cause__)

    def put(self, topic: str, payload: bytes, delay: float | None = None) -> None:
        """Add a message. `delay`: seconds from the capture of its frame until now; None if unknown."""
        with self._work():
            self._last += 1
            self._born[self._last] = _Birth(self._clock(), delay)
            self._in_memory[self._last] = (topic, payload)
            self._waiting[topic] += 1
            self._save()
            self._keep_to_the_row_limit()

    def save(self) -> None:
        """Write what waits in memory, if the disk takes it again. Call it about once a second."""
        with self._work():
            if self._is_missing:
                with suppress(SinkError):
                    self._open()
                    self._outage.record_success()
            self._save()
            if self._database is not None and not self._in_memory:
                self._keep_reserve(self._database)

    def oldest(self, *, except_on: Collection[str] = ()) -> QueuedMessage | None:
        """Return the next message to send, without removing it. It drops messages beyond the age limit.

        `except_on`: topics whose messages must wait.
        """
        with self._work():
            while True:
                message = self._first(except_on)
                if message is None or message.number not in self._born or message.age <= self._age_limit:
                    return message
                self._forget(message)
                self.dropped += 1

    def remove(self, message: QueuedMessage) -> None:
        """Remove a message that the broker has acknowledged, or that is kept elsewhere."""
        with self._work():
            self._forget(message)

    def seconds_refused(self, topic: str) -> float:
        """Return for how long the broker has refused this topic, earlier runs included. The first call returns 0."""
        now = self._wall_clock()
        with self._work():
            if topic not in self._refused_since:
                self._refused_since[topic] = now
                self._write("INSERT OR REPLACE INTO refused VALUES (?, ?)", (topic, now))
            return max(0.0, now - self._refused_since[topic])

    def end_refusal(self, topic: str) -> None:
        """Record that the broker takes this topic."""
        with self._work():
            if self._refused_since.pop(topic, None) is not None:
                self._write("DELETE FROM refused WHERE topic = ?", (topic,))

    def __len__(self) -> int:
        return sum(self._waiting.values())

    def has_message(self, *, except_on: Collection[str]) -> bool:
        """Return whether a message waits on another topic than these. It never waits for the disk."""
        return any(count > 0 for topic, count in list(self._waiting.items()) if topic not in except_on)

    @property
    def where_events_wait(self) -> str:
        """The end of a line in the log about a broker that is away."""
        return f"; events wait in {self.path}"

    @property
    def hangs(self) -> bool:
        """Whether the disk has not ended a read or a write for half a second. It never waits."""
        since = self._working_since
        return since is not None and time.monotonic() - since > HANGS_AFTER

    def close(self) -> None:
        """Close the file. It gives up if the disk hangs, and what is in the file stays there."""
        if self.hangs or not finishes_within(HANGS_AFTER, self._close):
            log.warning("the outbox %s could not be closed within %g s: check the disk", self.path, HANGS_AFTER)

    def _close(self) -> None:
        with self._work():
            if self._database is not None:
                self._database.close()
                self._database = None
            self._is_missing = False

    @contextmanager
    def _work(self) -> Iterator[None]:
        """Hold the lock, which a disk that hangs holds for ever."""
        with self._lock:
            self._working_since = time.monotonic()
            try:
                yield
            finally:
                self._working_since = None

    def _open(self) -> None:
        """Open or create the file, and count its messages. Raises SinkError."""
        database, last = open_database(self.path, connect, create, "the outbox", check, self._wall_clock)
        try:
            too_old = self._wall_clock() - self._age_limit
            self.dropped += database.execute("DELETE FROM letters WHERE put < ?", (too_old,)).rowcount
            self._waiting.update(counts(database))
            self._refused_since = refusals(database) | self._refused_since
        except sqlite3.Error as error:
            database.close()
            raise file_error(self.path, "the outbox", error) from error
        self._database, self._is_missing = database, False
        self._keep_reserve(database)
        self._last = max(self._last, last)
        self._keep_to_the_row_limit()

    def _keep_reserve(self, database: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error, OSError):  # a full disk is logged with the first message that does not fit
            keep_reserve(database, self.path)

    def _save(self) -> None:
        """Write the messages in memory to the disk, oldest first, until it refuses one."""
        for number, (topic, payload) in list(self._in_memory.items()):
            row = (number, self._wall_clock(), topic, payload)
            if self._write("INSERT INTO letters VALUES (?, ?, ?, ?)", row) is None:
                return
            del self._in_memory[number]

    def _keep_to_the_row_limit(self) -> None:
        while len(self) > self._row_limit and (message := self._first()) is not None:
            self._forget(message)
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

    def _forget(self, message: QueuedMessage) -> None:
        if self._in_memory.pop(message.number, None) is None and not self._delete(message.number):
            return  # the row limit has dropped it while it was sent
        self._waiting[message.topic] -= 1
        self._born.pop(message.number, None)

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
