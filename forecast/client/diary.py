"""The diary of a node in an SQLite file: what a forecast learns from. Only its owner may read the file."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harstream.forecast.client.diary_file import NAME, connect, create, delete_damaged_rows
from harstream.forecast.learning.episodes import Away, Episode
from harstream.mqtt.sqlite_file import open_database
from harstream.resilience.outage import Outage

FILE = "forecast.sqlite"
"""The name of the file in the state folder."""
MOST_UNWRITTEN = 20_000
"""Statements that wait at most for a disk that is full."""
MOST_EPISODES = 100_000
"""Older episodes are deleted: they count less than a hundredth."""
DELETE_OLD = """
    DELETE FROM {0} WHERE rowid IN (SELECT rowid FROM {0} ORDER BY started_at DESC LIMIT -1 OFFSET ?)
"""
KEPT_LOSSES = 50_000
"""The last losses are kept, however old they seem: the clock may be a year ahead for a moment."""
DELETE_LOSSES = "DELETE FROM losses WHERE time < ? AND rowid <= (SELECT max(rowid) FROM losses) - ?"
_Statement = tuple[str, tuple[object, ...]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loss:
    """How wrong a predictor was, once."""

    camera: str
    time: float
    question: str
    """`next`, or a horizon in seconds."""
    predictor: str
    loss: float
    """-ln of the probability of what happened, in nats."""


class Diary:
    """Every method is callable from any thread. A write is on disk when the method returns, or waits for the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._unwritten: list[_Statement] = []
        self._outage = Outage(
            log,
            path,
            begins="what is learned waits, because %s cannot be written: %s",
            ends="%s is written again; %d writes had failed",
        )

    def start(self) -> None:
        """Open or create the file. Raises SinkError for a disk that fails, and for a file of a newer harstream."""
        self._database, _ = open_database(self.path, connect, create, NAME, delete_damaged_rows)

    def close(self) -> None:
        """Write what waits, if the disk takes it, and close the file."""
        self.retry()
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def add(self, camera: str, episodes: Sequence[tuple[str, Episode]]) -> int:
        """Add episodes with their ids, and return how many are new. One with a known id changes nothing."""
        rows = [(id_, camera, each.activity, each.start, each.end, int(each.is_end_seen)) for id_, each in episodes]
        return self._write([("INSERT OR IGNORE INTO episodes VALUES (?, ?, ?, ?, ?, ?)", row) for row in rows])

    def set_going_on(self, camera: str, activity: str | None, start: float) -> None:
        """Store what goes on in front of a camera, and since when. None: no activity does."""
        deleted: _Statement = ("DELETE FROM going_on WHERE camera = ?", (camera,))
        inserted: _Statement = ("INSERT OR REPLACE INTO going_on VALUES (?, ?, ?)", (camera, activity, start))
        self._write([deleted if activity is None else inserted])

    def going_on(self, camera: str | None = None) -> str | None:
        """Return the activity that began last of those that go on, in front of a camera or of any."""
        rows = self._rows(
            "SELECT activity FROM going_on WHERE camera = ifnull(?, camera) ORDER BY started_at DESC LIMIT 1", camera
        )
        return rows[0][0] if rows else None

    def add_away(self, camera: str, away: Away) -> None:
        """Add a time without observations."""
        self._write([("INSERT INTO away VALUES (?, ?, ?)", (camera, away.start, away.end))])

    def add_losses(self, losses: Sequence[Loss], *, keep_since: float) -> None:
        """Add losses, and delete those before a time, but none of the last ones."""
        rows = [(each.camera, each.time, each.question, each.predictor, each.loss) for each in losses]
        inserted: list[_Statement] = [("INSERT INTO losses VALUES (?, ?, ?, ?, ?)", row) for row in rows]
        self._write([*inserted, (DELETE_LOSSES, (keep_since, KEPT_LOSSES))])

    def trim(self) -> None:
        """Delete the oldest episodes and outages beyond the limit. It reads the whole diary, so call it rarely."""
        self._write([(DELETE_OLD.format(table), (MOST_EPISODES,)) for table in ("episodes", "away")])

    def retry(self) -> None:
        """Write what waits for a disk that was full, if anything does."""
        if self._unwritten:
            self._write([])

    def cameras(self) -> list[str]:
        return [row[0] for row in self._rows("SELECT DISTINCT camera FROM episodes ORDER BY camera")]

    def count(self, activity: str) -> int:
        """Return the number of episodes of an activity."""
        return int(self._rows("SELECT COUNT(*) FROM episodes WHERE activity = ?", activity)[0][0])

    def episodes(self, camera: str, *, last: int = MOST_EPISODES) -> list[Episode]:
        """Return the last episodes of a camera in the order of their starts."""
        rows = self._rows(
            "SELECT activity, started_at, ended_at, is_end_seen FROM episodes WHERE camera = ?"
            " ORDER BY started_at DESC LIMIT ?",
            camera,
            last,
        )
        return [Episode(activity, start, end, bool(seen)) for activity, start, end, seen in reversed(rows)]

    def away(self, camera: str) -> list[Away]:
        """Return the times without observations of a camera, in order."""
        rows = self._rows("SELECT started_at, ended_at FROM away WHERE camera = ? ORDER BY started_at", camera)
        return [Away(start, end) for start, end in rows]

    def losses(self, since: float, *, question: str | None = None) -> list[Loss]:
        """Return the losses since a time, of one question or of all, in the order of time."""
        rows = self._rows(
            "SELECT camera, time, question, predictor, loss FROM losses"
            " WHERE time >= ? AND question = ifnull(?, question) ORDER BY time",
            since,
            question,
        )
        return [Loss(*row) for row in rows]

    def forget(self, *, camera: str | None = None, before: float | None = None) -> int:
        """Delete what began before a time, of one camera or of all. Return the number of deleted episodes."""
        limit = float("inf") if before is None else before
        deleted = 0
        with self._lock, self._open() as database:
            for table in ("episodes", "away", "going_on"):
                cursor = database.execute(
                    f"DELETE FROM {table} WHERE started_at < ? AND (? IS NULL OR camera = ?)",  # noqa: S608 (two names)
                    (limit, camera, camera),
                )
                deleted += cursor.rowcount if table == "episodes" else 0
            database.execute("DELETE FROM losses WHERE time < ? AND (? IS NULL OR camera = ?)", (limit, camera, camera))
        return deleted

    def _write(self, statements: Sequence[_Statement]) -> int:
        """Write these statements, and those that a failing disk refused before, or keep them for the next time.

        Return the number of rows that these statements changed, 0 if they wait.
        """
        with self._lock:
            self._unwritten += statements
            try:
                with self._open() as database:
                    changed = [database.execute(text, values).rowcount for text, values in self._unwritten]
            except sqlite3.Error as error:
                del self._unwritten[:-MOST_UNWRITTEN]
                self._outage.record_failure(error)
                return 0
            self._unwritten = []
            self._outage.record_success()
            return sum(changed[len(changed) - len(statements) :])

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock, self._open() as database:
            return database.execute(query, values).fetchall()

    def _open(self) -> sqlite3.Connection:
        assert self._database is not None, "start() comes first"
        return self._database
