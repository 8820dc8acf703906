"""The SQLite file of the outbox: its schema, its checks and its settings."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from harstream.mqtt.sqlite_file import PAGE, RESERVE, open_read_only, refuse_newer
from harstream.wire.topics import is_publishable

VERSION = 0
"""The version of the file's schema."""
LARGEST_NUMBER = 2**53
"""The largest number of a message. A file with a larger one is damaged."""


def connect(path: Path) -> sqlite3.Connection:
    """Open or create the file for this process alone. Raises sqlite3.Error, and SinkError for a newer file."""
    # Autocommit. The lock of the outbox protects the connection from other threads.
    database = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
    try:
        # The lock is exclusive, because a second harstream with this file would send everything twice. It comes first,
        # because SQLite would otherwise create a file for shared memory, which a full disk refuses.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        refuse_newer(database, path, "the outbox", VERSION)
        database.execute("PRAGMA journal_mode = WAL")
        # NORMAL survives a killed process. A power cut may lose the last moments, but no frame waits for the disk.
        database.execute("PRAGMA synchronous = NORMAL")
        # The journal must not outgrow its reserve.
        database.execute(f"PRAGMA wal_autocheckpoint = {RESERVE // 2 // PAGE}")
        create(database)
        database.execute("SELECT number, put, topic, payload FROM letters LIMIT 1")
    except BaseException:
        database.close()
        raise
    return database


def create(database: sqlite3.Connection) -> None:
    """Create the tables that are missing. Raises sqlite3.Error."""
    database.execute(
        "CREATE TABLE IF NOT EXISTS letters (number INTEGER PRIMARY KEY, put REAL, topic TEXT, payload BLOB)"
    )
    database.execute("CREATE TABLE IF NOT EXISTS refused (topic TEXT PRIMARY KEY, since REAL)")


def check(database: sqlite3.Connection) -> int:
    """Return the last number; 0 if there is no message. Raises sqlite3.Error for messages that cannot be sent."""
    for number, put, topic, payload in database.execute("SELECT * FROM letters ORDER BY number"):
        is_message = isinstance(put, float) and isinstance(topic, str) and isinstance(payload, bytes)
        if not (is_message and is_publishable(topic)):
            raise sqlite3.DatabaseError(f"message {number} has no valid time, topic or payload")
    for topic, since in database.execute("SELECT * FROM refused"):
        if not isinstance(since, float):
            raise sqlite3.DatabaseError(f"the refusals of {topic} have no valid time")
    (last,) = database.execute("SELECT coalesce(max(number), 0) FROM letters").fetchone()
    if not 0 <= last <= LARGEST_NUMBER:
        raise sqlite3.DatabaseError(f"the last message has the number {last}")
    return int(last)


def counts(database: sqlite3.Connection) -> dict[str, int]:
    """Return the number of messages by topic."""
    return dict(database.execute("SELECT topic, count(*) FROM letters GROUP BY topic"))


def refusals(database: sqlite3.Connection) -> dict[str, float]:
    """Return the time of the first refusal, in seconds since the epoch, by topic."""
    return dict(database.execute("SELECT topic, since FROM refused"))


def is_in_use(path: Path) -> bool:
    """Return whether a running harstream uses this outbox."""
    try:
        with closing(open_read_only(path, timeout=0)) as database:
            database.execute("SELECT 1 FROM letters LIMIT 1")
    except sqlite3.Error as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    return False
