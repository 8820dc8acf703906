"""What happened, in an SQLite file: one row an activity, and one for each coming and going of a camera.

`harstream run` writes it (`stream.sinks.history`); others may read it meanwhile, for its journal is a WAL.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harstream.mqtt.sqlite_file import opened_to_read
from harstream.wire.errors import ConfigError, SinkError
from harstream.wire.values import CameraChange, CameraState, Confidence, EndReason, Event, EventType

FILE = "history.sqlite"
"""Its name in the folder `state`."""
VERSION = 1
"""Of the schema, in `PRAGMA user_version`."""
SCHEMA = """
CREATE TABLE activities (
    id TEXT PRIMARY KEY, seq INTEGER, camera TEXT, area TEXT, activity TEXT, label_id INTEGER,
    mean REAL, peak REAL, last REAL, topk TEXT, started_at REAL, updated_at REAL, detected_at REAL,
    ended_at REAL, end_reason TEXT, previous TEXT, historical INTEGER, model TEXT, model_version TEXT
);
CREATE INDEX activities_by_start ON activities (started_at);
CREATE TABLE changes (time REAL, camera TEXT, state TEXT, reason TEXT, PRIMARY KEY (time, camera));
"""
"""Times in seconds since the epoch; topk and previous as JSON; ended_at is null while an activity goes on."""
IN_DOUBT = "CREATE TABLE IF NOT EXISTS in_doubt (id TEXT)"
"""Activities of the last write: were it not for the next one, nobody would know whether the other sinks were told, too.
A table that an earlier version lacks, and passes over."""
PATIENCE = 0.1
"""Seconds that a writer waits for another; recognition waits with it."""


@dataclass(frozen=True)
class PastActivity:
    """An activity as its last event told it."""

    event: Event
    area: str | None
    """The camera's room."""
    model: str
    model_version: str


@dataclass(frozen=True)
class Query:
    """What is asked for; None: all."""

    camera: str | None = None
    activity: str | None = None
    since: float | None = None
    """Seconds since the epoch: started then or later."""
    until: float | None = None
    """Started before then, so that of two periods side by side none has an activity of the other."""
    limit: int | None = None
    """The newest so many."""


def connect(path: Path) -> sqlite3.Connection:
    """For the one who writes. Raises sqlite3.Error; SinkError for a file of a later harstream."""
    database = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False)
    try:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise SinkError(
                f"expected a history of schema {VERSION} in {path}, got {version}, of a later harstream: "
                "install that one, or move the file away"
            )
        database.execute("PRAGMA journal_mode = WAL")
        # Survives a killed process; a power cut may take the last moments, for which no frame waits on a disk.
        database.execute("PRAGMA synchronous = NORMAL")
        # To wait for the disk is left to a thread that has the time.
        database.execute("PRAGMA wal_autocheckpoint = 0")
        if version < VERSION:
            database.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        database.execute(IN_DOUBT)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Inside, the file can be read. Raises ConfigError where there is none; SinkError where it cannot be read."""
    if not path.exists():
        raise ConfigError(
            f"there is no history in {path.parent}: `harstream run` begins one there, unless history.enabled is false"
        )
    try:
        database = opened_to_read(path, timeout=5)
        try:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version != VERSION:
                raise SinkError(f"expected a history of schema {VERSION} in {path}, got {version}")
            yield database
        finally:
            database.close()
    except sqlite3.Error as error:
        raise SinkError(
            f"expected a history in {path}, got: {error}; where it is broken, the next `harstream run` moves it aside"
        ) from error


def write(database: sqlite3.Connection, items: Iterable[PastActivity | CameraChange]) -> None:
    """All or none, in any order: of several events about an activity the one with the highest seq stays.

    Until the next write, which may be of nothing, it is in doubt whether others than the history were told of them.
    """
    with database:
        database.execute("DELETE FROM in_doubt")
        for item in items:
            if isinstance(item, CameraChange):
                values: tuple[object, ...] = (item.time, item.camera, item.state.value, item.reason)
                database.execute("INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?)", values)
            else:
                database.execute(_UPSERT, _row(item))
                database.execute("INSERT INTO in_doubt VALUES (?)", (item.event.id,))


def prune(database: sqlite3.Connection, before: float) -> int:
    """Forget what started before then, seconds since the epoch; how many rows it was."""
    with database:
        return sum(
            database.execute(f"DELETE FROM {table} WHERE {time} < ?", (before,)).rowcount
            for table, time in (("activities", "started_at"), ("changes", "time"))
        )


def activities(database: sqlite3.Connection, query: Query) -> Iterator[PastActivity]:
    """The newest first."""
    where, values = _conditions(query, "started_at")
    order = f"SELECT {_COLUMNS} FROM activities {where} ORDER BY started_at DESC, id DESC LIMIT ?"
    for row in database.execute(order, (*values, -1 if query.limit is None else query.limit)):
        yield _past(row)


def names(database: sqlite3.Connection, of: Literal["camera", "activity"]) -> list[str]:
    """Those that the history has, by name: of cameras, of what they recognized and of their coming and going."""
    tables = {"camera": ("activities", "changes"), "activity": ("activities",)}[of]
    union = " UNION ".join(f"SELECT DISTINCT {of} FROM {table}" for table in tables)
    return [name for (name,) in database.execute(f"{union} ORDER BY 1")]


def changes(database: sqlite3.Connection, query: Query) -> Iterator[CameraChange]:
    """The newest first; the query's activity says nothing here."""
    where, values = _conditions(replace(query, activity=None), "time")
    order = f"SELECT camera, time, state, reason FROM changes {where} ORDER BY time DESC LIMIT ?"
    for camera, time, state, reason in database.execute(order, (*values, -1 if query.limit is None else query.limit)):
        yield CameraChange(camera, time, CameraState(state), reason)


def owed(database: sqlite3.Connection) -> list[Event]:
    """What a killed run has left to tell, in the order of the activities: events that are in doubt, as they were, and
    the ends of those that have none."""
    order = (
        f"SELECT {_COLUMNS}, id IN (SELECT id FROM in_doubt) AS doubted FROM activities "
        "WHERE doubted OR ended_at IS NULL ORDER BY rowid"
    )
    events = []
    for *row, is_in_doubt in database.execute(order):
        event = _past(tuple(row)).event
        events += [replace(event, historical=True)] if is_in_doubt else []
        events += [ended(event)] if event.type is not EventType.END else []
    return events


def ended(event: Event) -> Event:
    """The end of an activity that a killed run left open: it ended, for all we know, when it was last seen."""
    return replace(
        event,
        type=EventType.END,
        seq=event.seq + 1,
        ended_at=event.updated_at,
        end_reason=EndReason.SHUTDOWN,
        historical=True,
    )


_NAMES = (
    "id", "seq", "camera", "area", "activity", "label_id", "mean", "peak", "last", "topk", "started_at", "updated_at",
    "detected_at", "ended_at", "end_reason", "previous", "historical", "model", "model_version",
)  # fmt: skip
_COLUMNS = ", ".join(_NAMES)
_CHANGING = ("seq", "mean", "peak", "last", "topk", "updated_at", "ended_at", "end_reason", "historical")
"""From event to event; the rest is kept as the first said it: the run that ends what a kill left open may have another
model."""
_UPSERT = (
    f"INSERT INTO activities ({_COLUMNS}) VALUES ({', '.join('?' * len(_NAMES))}) ON CONFLICT (id) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in _CHANGING)} WHERE excluded.seq > activities.seq"
)


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
        event.id, event.seq, event.camera, past.area, event.activity, event.label_id,
        event.confidence.mean, event.confidence.peak, event.confidence.last, json.dumps(event.topk),
        event.started_at, event.updated_at, event.detected_at, event.ended_at,
        event.end_reason and event.end_reason.value, event.previous and json.dumps(event.previous),
        event.historical, past.model, past.model_version,
    )  # fmt: skip


def _past(row: sqlite3.Row | tuple[object, ...]) -> PastActivity:
    column = dict(zip(_NAMES, row, strict=True))
    kind = EventType.START if column["seq"] == 1 else EventType.UPDATE
    event = Event(
        type=kind if column["ended_at"] is None else EventType.END,
        confidence=Confidence(column["mean"], column["peak"], column["last"]),
        topk=tuple((label, score) for label, score in json.loads(column["topk"])),
        end_reason=column["end_reason"] and EndReason(column["end_reason"]),
        previous=column["previous"] and tuple(json.loads(column["previous"])),
        historical=bool(column["historical"]),
        **{name: column[name] for name in ("id", "seq", "camera", "activity", "label_id", "started_at", "updated_at",
                                           "detected_at", "ended_at")},
    )  # fmt: skip
    return PastActivity(event, column["area"], column["model"], column["model_version"])
