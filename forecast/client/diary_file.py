"""The SQLite file of the diary: its schema, its checks and its settings."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from harstream.mqtt.sqlite_file import refuse_newer

log = logging.getLogger(__name__)

NAME = "the diary of forecasts"
VERSION = 1
"""The version of the file's schema."""
LATEST = 1e11
"""A time in seconds since the epoch that is later than any. A row with a later one is damaged."""
SCHEMA = """
    CREATE TABLE IF NOT EXISTS episodes (
        id TEXT PRIMARY KEY, camera TEXT NOT NULL, activity TEXT NOT NULL, started_at REAL NOT NULL,
        ended_at REAL NOT NULL, is_end_seen INTEGER NOT NULL);
    CREATE INDEX IF NOT EXISTS by_start ON episodes (camera, started_at);
    CREATE TABLE IF NOT EXISTS going_on (camera TEXT PRIMARY KEY, activity TEXT NOT NULL, started_at REAL NOT NULL);
    CREATE TABLE IF NOT EXISTS away (camera TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL NOT NULL);
    CREATE TABLE IF NOT EXISTS losses (
        camera TEXT NOT NULL, time REAL NOT NULL, question TEXT NOT NULL, predictor TEXT NOT NULL, loss REAL NOT NULL);
    CREATE INDEX IF NOT EXISTS by_time ON losses (time);
    CREATE INDEX IF NOT EXISTS by_question ON losses (question, time);
"""
TEXT = "typeof({0}) = 'text'"
TIME = f"typeof({{0}}) = 'real' AND abs({{0}}) < {LATEST}"
LOSS = "typeof({0}) = 'real' AND {0} >= 0 AND {0} < 9e999"
COLUMNS = {
    "episodes": {"camera": TEXT, "activity": TEXT, "started_at": TIME, "ended_at": TIME},
    "going_on": {"camera": TEXT, "activity": TEXT, "started_at": TIME},
    "away": {"camera": TEXT, "started_at": TIME, "ended_at": TIME},
    "losses": {"camera": TEXT, "time": TIME, "question": TEXT, "predictor": TEXT, "loss": LOSS},
}
"""What makes the value of each column valid, by table."""


def connect(path: Path) -> sqlite3.Connection:
    """Open or create the file, which only its owner may read. Raises sqlite3.Error, and SinkError for a newer file."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    database = sqlite3.connect(path, timeout=5.0, check_same_thread=False)
    database.text_factory = _text
    try:
        refuse_newer(database, path, NAME, VERSION)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA secure_delete = ON")  # what is forgotten must not stay in the file
        create(database)
        database.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        database.close()
        raise
    return database


def create(database: sqlite3.Connection) -> None:
    """Create the tables that are missing. Raises sqlite3.Error."""
    database.executescript(SCHEMA)


def delete_damaged_rows(database: sqlite3.Connection) -> None:
    """Delete the rows that no forecast can use, with one line in the log. Raises sqlite3.Error."""
    deleted = 0
    with database:
        for table, columns in COLUMNS.items():
            valid = [condition.format(column) for column, condition in columns.items()]
            valid += ["started_at <= ended_at"] if "ended_at" in columns else []
            where = f"({' AND '.join(valid)}) IS NOT TRUE"
            deleted += database.execute(f"DELETE FROM {table} WHERE {where}").rowcount  # noqa: S608 (names of this file)
    if deleted:
        log.warning("%d rows of %s cannot be read and are deleted", deleted, NAME)


def _text(content: bytes) -> str:
    """Read text of a damaged file, too. Python's default raises an error that ends the whole query."""
    return content.decode(errors="replace")
