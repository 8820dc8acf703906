"""The migrations of the history's schema. Opening a file of an earlier version migrates it.

Never edit a released migration, because files that it created exist. Add a new one at the end.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from harstream.mqtt.sqlite_file import version_of
from harstream.wire.masking import masked

Migration = Callable[[sqlite3.Connection], None]


def _create(database: sqlite3.Connection) -> None:
    """Version 1: one row per activity, and one per change of a camera. Times are seconds since the epoch."""
    database.execute(
        """
        CREATE TABLE activities (
            id TEXT PRIMARY KEY, seq INTEGER, camera TEXT, area TEXT, activity TEXT, label_id INTEGER,
            mean REAL, peak REAL, last REAL, topk TEXT, started_at REAL, updated_at REAL, detected_at REAL,
            ended_at REAL, end_reason TEXT, previous TEXT, historical INTEGER, model TEXT, model_version TEXT
        )
        """
    )
    database.execute("CREATE INDEX activities_by_start ON activities (started_at)")
    database.execute(
        "CREATE TABLE changes (time REAL, camera TEXT, state TEXT, reason TEXT, PRIMARY KEY (time, camera))"
    )


def _add_in_doubt(database: sqlite3.Connection) -> None:
    """Version 2: the activities of the last write. Until the next write, other sinks may not have received them.

    Some files of version 1 have the table, because an early release added it without a new version number.
    """
    database.execute("CREATE TABLE IF NOT EXISTS in_doubt (id TEXT)")


def _store_events_as_json(database: sqlite3.Connection) -> None:
    """Version 3: one JSON column for the event, beside columns for queries and values that never change."""
    database.execute("ALTER TABLE activities RENAME TO old")
    database.execute("DROP INDEX activities_by_start")
    database.execute(
        """
        CREATE TABLE activities (
            id TEXT PRIMARY KEY, seq INTEGER, camera TEXT, activity TEXT, started_at REAL, ended_at REAL,
            area TEXT, model TEXT, model_version TEXT, event TEXT
        )
        """
    )
    database.execute("CREATE INDEX activities_by_start ON activities (started_at)")
    order = (
        "SELECT id, seq, camera, activity, started_at, ended_at, area, model, model_version, label_id, mean, peak, "
        "last, topk, updated_at, detected_at, end_reason, previous, historical FROM old ORDER BY rowid"
    )
    for (
        *kept,
        label_id,
        mean,
        peak,
        last,
        topk,
        updated_at,
        detected_at,
        reason,
        previous,
        historical,
    ) in database.execute(order):
        key, seq, camera, activity, started_at, ended_at, *_ = kept
        event = {
            "type": "end" if ended_at is not None else "start" if seq == 1 else "update",
            "id": key, "seq": seq, "camera": camera, "activity": activity, "label_id": label_id,
            "confidence": {"mean": mean, "peak": peak, "last": last}, "topk": json.loads(topk),
            "started_at": started_at, "updated_at": updated_at, "detected_at": detected_at, "ended_at": ended_at,
            "end_reason": reason, "previous": previous and json.loads(previous), "historical": bool(historical),
        }  # fmt: skip
        database.execute(
            "INSERT INTO activities VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*kept, json.dumps(event, allow_nan=False))
        )
    database.execute("DROP TABLE old")


def _mask_addresses(database: sqlite3.Connection) -> None:
    """Version 4: the reasons of changes contain no passwords. Earlier versions left some of them readable."""
    for rowid, reason in database.execute("SELECT rowid, reason FROM changes WHERE reason LIKE '%:/%'").fetchall():
        database.execute("UPDATE changes SET reason = ? WHERE rowid = ?", (masked(reason), rowid))


MIGRATIONS: tuple[Migration, ...] = (_create, _add_in_doubt, _store_events_as_json, _mask_addresses)
VERSION = len(MIGRATIONS)
"""The version of the schema after all migrations, in `PRAGMA user_version`."""


def migrate(database: sqlite3.Connection) -> None:
    """Apply the missing migrations, each in its own transaction. Raises sqlite3.Error.

    It raises sqlite3.DatabaseError for rows that cannot be read, as for any broken file.
    """
    for number in range(version_of(database), VERSION):
        # Explicit BEGIN and COMMIT, because Python's own transactions do not include the creation of tables.
        database.execute("BEGIN IMMEDIATE")
        try:
            MIGRATIONS[number](database)
            database.execute(f"PRAGMA user_version = {number + 1}")
        except (ValueError, TypeError) as error:
            database.execute("ROLLBACK")
            raise sqlite3.DatabaseError(f"schema {number + 1}: {error}") from error
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
