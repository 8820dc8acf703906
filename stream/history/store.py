"""The history in an SQLite file: one row per activity, and one per change of a camera.

`harstream run` writes it with `sink`. Other processes may read it at the same time, because its journal is a WAL.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter

from harstream.mqtt.sqlite_file import open_read_only, refuse_newer, version_of
from harstream.stream.history.migrations import VERSION, migrate
from harstream.wire.errors import ConfigError, SinkError
from harstream.wire.topics import NAME
from harstream.wire.values import CameraChange, CameraState, EndReason, Event, EventType

FILE = "history.sqlite"
"""The name of the file in the state folder."""
LATEST = 1e11
"""A time in seconds since the epoch that is later than any. A file with a later one is damaged."""
LOCK_TIMEOUT = 0.1
"""Longest wait of a writer for another writer, in seconds."""
EARLIEST = 1_577_836_800.0
"""2020-01-01 in seconds since the epoch. An earlier time comes from a clock that was not set yet."""


Row = TypeVar("Row")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PastActivity:
    """An activity as of its last event."""

    event: Event
    area: str | None
    """The camera's room."""
    model: str
    model_version: str


@dataclass(frozen=True)
class Query:
    """A query of the history. None means no restriction."""

    camera: str | None = None
    activity: str | None = None
    since: float | None = None
    """Earliest start, inclusive, in seconds since the epoch."""
    until: float | None = None
    """Latest start, exclusive, in seconds since the epoch. Two adjacent periods share no activity."""
    limit: int | None = None
    """The largest number of results, newest first."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for writing and migrate its schema.

    Raises sqlite3.Error, and SinkError for a file of a newer harstream.
    """
    database = sqlite3.connect(path, timeout=LOCK_TIMEOUT, check_same_thread=False)
    database.text_factory = _text
    try:
        refuse_newer(database, path, "a history", VERSION)
        database.execute("PRAGMA journal_mode = WAL")
        # NORMAL survives a killed process. A power cut may lose the last moments, but no frame waits for the disk.
        database.execute("PRAGMA synchronous = NORMAL")
        # The sink checkpoints while it has nothing else to do, so that no event waits for it.
        database.execute("PRAGMA wal_autocheckpoint = 0")
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file for reading. Raises ConfigError if it does not exist, and SinkError if it cannot be read."""
    if not path.exists():
        raise ConfigError(
            f"there is no history in {path.parent}: `harstream run` creates one, unless history.enabled is false"
        )
    try:
        database = open_read_only(path, timeout=5)
        database.text_factory = _text
        try:
            refuse_newer(database, path, "a history", VERSION)
            if (version := version_of(database)) < VERSION:
                raise SinkError(
                    f"expected a history of schema {VERSION} in {path}, got {version}: "
                    "the next `harstream run` migrates it"
                )
            yield database
        finally:
            database.close()
    except sqlite3.Error as error:
        raise SinkError(
            f"expected a history in {path}, got: {error}; if it is broken, the next `harstream run` moves it aside"
        ) from error


def write(
    database: sqlite3.Connection, items: Iterable[PastActivity | CameraChange], received: Iterable[str] = ()
) -> None:
    """Write all items or none. It keeps only an activity's event with the highest seq.

    From now on, these events are in doubt: other sinks may not have received them. `received`: the ids of activities of
    which the sinks have received the last event, so that they are no longer in doubt. What a killed run left in doubt
    stays so until its turn, because this run may be killed, too, while it delivers that.
    """
    with database:
        database.executemany("DELETE FROM in_doubt WHERE id = ?", [(each,) for each in received])
        for item in items:
            if isinstance(item, CameraChange):
                values: tuple[object, ...] = (item.time, item.camera, item.state.value, item.reason)
                database.execute("INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?)", values)
            else:
                database.execute(_UPSERT, _row(item))
                database.execute("INSERT INTO in_doubt VALUES (?)", (item.event.id,))


def prune(database: sqlite3.Connection, before: float) -> int:
    """Delete what started before then, in seconds since the epoch. Return the number of rows.

    The age of a row from a clock that was not set is unknown. It goes when a row that was written after it is too old.
    """
    with database:
        return sum(
            _prune(database, table, time, before) for table, time in (("activities", "started_at"), ("changes", "time"))
        )


def _prune(database: sqlite3.Connection, table: str, time: str, before: float) -> int:
    since = EARLIEST if before > EARLIEST else float("-inf")
    old = f"SELECT coalesce(max(rowid), 0) FROM {table} WHERE {time} >= ? AND {time} < ?"  # noqa: S608 (names of this file)
    (newest,) = database.execute(old, (since, before)).fetchone()
    gone = f"DELETE FROM {table} WHERE {time} < ? AND ({time} >= ? OR rowid < ?)"  # noqa: S608 (names of this file)
    return database.execute(gone, (before, since, newest)).rowcount


def activities(database: sqlite3.Connection, query: Query) -> Iterator[PastActivity]:
    """Yield the activities that match, newest first."""
    where, values = _conditions(query, "started_at")
    order = f"SELECT {PAST_COLUMNS} FROM activities {where} ORDER BY started_at DESC, id DESC LIMIT ?"  # noqa: S608 (values are bound)
    rows = database.execute(order, (*values, -1 if query.limit is None else query.limit))
    yield from _readable(rows, _past)


def names(database: sqlite3.Connection, of: Literal["camera", "activity"]) -> list[str]:
    """Return the names of all cameras or activities in the history, sorted."""
    tables = {"camera": ("activities", "changes"), "activity": ("activities",)}[of]
    union = " UNION ".join(f"SELECT DISTINCT {of} FROM {table}" for table in tables)  # noqa: S608 (names of this file)
    return [name for (name,) in database.execute(f"{union} ORDER BY 1")]


def changes(database: sqlite3.Connection, query: Query) -> Iterator[CameraChange]:
    """Yield the camera changes that match, newest first. The query's activity is ignored."""
    where, values = _conditions(replace(query, activity=None), "time")
    order = f"SELECT camera, time, state, reason FROM changes {where} ORDER BY time DESC LIMIT ?"  # noqa: S608 (values are bound)
    rows = database.execute(order, (*values, -1 if query.limit is None else query.limit))
    yield from _readable(rows, _change)


def undelivered(database: sqlite3.Connection) -> list[Event]:
    """Return the events that a killed run may not have delivered, in the order of the activities.

    These are the events that are in doubt, and an end for each activity that is still open. Raises sqlite3.Error, and
    ValueError for an event that cannot be read.
    """
    order = (
        "SELECT event, id IN (SELECT id FROM in_doubt) AS doubted FROM activities "
        "WHERE doubted OR ended_at IS NULL ORDER BY rowid"
    )
    events = []
    for record, is_in_doubt in database.execute(order):
        event = _event(record)
        events += [replace(event, historical=True)] if is_in_doubt else []
        events += [ended(event)] if event.type is not EventType.END else []
    return events


def ended(event: Event) -> Event:
    """Return the end event of an activity that a killed run left open. It ends at its last update."""
    return replace(
        event,
        type=EventType.END,
        seq=event.seq + 1,
        ended_at=event.updated_at,
        end_reason=EndReason.SHUTDOWN,
        historical=True,
    )


PAST_COLUMNS = "event, area, model, model_version"
_EVENT = TypeAdapter(Event)
_UPSERT = """
INSERT INTO activities (id, seq, camera, activity, started_at, ended_at, area, model, model_version, event)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, ended_at = excluded.ended_at, event = excluded.event
WHERE excluded.seq > activities.seq
"""
"""Area and model keep their first values, because the run that ends an activity after a kill may have another model."""


def _conditions(query: Query, time: str) -> tuple[str, list[object]]:
    asked = {
        "camera = ?": query.camera,
        "activity = ?": query.activity,
        f"{time} >= ?": query.since,
        f"{time} < ?": query.until,
    }
    given = {condition: value for condition, value in asked.items() if value is not None}
    return f"WHERE {' AND '.join(given)}" if given else "", list(given.values())


def _row(past: PastActivity) -> tuple[object, ...]:
    event = past.event
    return (
        event.id, event.seq, event.camera, event.activity, event.started_at, event.ended_at,
        past.area, past.model, past.model_version, _EVENT.dump_json(event).decode(),
    )  # fmt: skip


def _past(event: str, area: str | None, model: str, model_version: str) -> PastActivity:
    return PastActivity(_event(event), _text_or_none(area), str(model), str(model_version))


def _change(camera: str, time: float, state: str, reason: str) -> CameraChange:
    return CameraChange(_name(camera), _seconds(time), CameraState(state), _text_or_none(reason) or "")


def _readable(rows: Iterable[tuple[Any, ...]], read: Callable[..., Row]) -> Iterator[Row]:
    """Yield what `read` makes of each row. Rows that a damaged disk has changed are left out, with one warning."""
    broken = 0
    for row in rows:
        try:
            yield read(*row)
        except (ValueError, TypeError):
            broken += 1
    if broken:
        log.warning("%d rows of the history cannot be read and are left out", broken)


def _event(record: object) -> Event:
    """Return the event of a row. Raises ValueError or TypeError for one that no harstream writes."""
    if not isinstance(record, str):
        raise TypeError("expected an event as text")
    event = _EVENT.validate_json(record)
    _name(event.camera)
    for time in (event.started_at, event.updated_at, event.detected_at, event.ended_at or 0):
        _seconds(time)
    if not 0 <= event.seq < 2**31:
        raise ValueError(f"the event's seq is {event.seq}")
    return event


def _name(camera: object) -> str:
    if not isinstance(camera, str) or not NAME.fullmatch(camera):
        raise ValueError("a camera has no valid name")
    return camera


def _seconds(time: object) -> float:
    if not isinstance(time, int | float) or not abs(time) < LATEST:
        raise ValueError("a time is no time")
    return time


def _text_or_none(text: object) -> str | None:
    if text is not None and not isinstance(text, str):
        raise TypeError("expected text")
    return text


def _text(content: bytes) -> str:
    """Read text of a damaged file, too. Python's default raises an error that ends the whole query."""
    return content.decode(errors="replace")
