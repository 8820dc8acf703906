"""Opens an SQLite file of harstream. It sets a broken file aside, so that recognition does not depend on it."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from harstream.resilience.set_aside import set_aside
from harstream.wire.errors import SinkError

log = logging.getLogger(__name__)

Loaded = TypeVar("Loaded")

LARGEST_VERSION = 1000
"""The largest version of a schema that a harstream may ever write. A larger one is damage."""
NOT_BROKEN = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_NOMEM,
    }
)
"""Primary result codes of a file that is in use, or of a disk that fails. Any other error means a broken file."""


def open_database(
    path: Path,
    connect: Callable[[Path], sqlite3.Connection],
    name: str,
    load: Callable[[sqlite3.Connection], Loaded],
    wall_clock: Callable[[], float] = time.time,
) -> tuple[sqlite3.Connection, Loaded]:
    """Open or create the file with `connect`, and return it with what `load` reads from it.

    It sets a file aside that one of both cannot read, and creates a new one. Raises SinkError for a disk that fails,
    a file in use, and a file of a newer harstream.

    `name`: the file's role in messages, e.g. "the outbox".
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _connect_and_load(path, connect, load)
    except OSError as error:
        raise file_error(path, name, (error.strerror or str(error)).lower()) from error
    except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
        if _is_failing_disk(error):
            raise file_error(path, name, str(error)) from error
        return _new_after_broken(path, connect, name, load, error, wall_clock)


def _is_failing_disk(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in NOT_BROKEN


def _connect_and_load(
    path: Path, connect: Callable[[Path], sqlite3.Connection], load: Callable[[sqlite3.Connection], Loaded]
) -> tuple[sqlite3.Connection, Loaded]:
    database = connect(path)
    try:
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        return database, load(database)
    except BaseException:
        database.close()
        raise


def _new_after_broken(
    path: Path,
    connect: Callable[[Path], sqlite3.Connection],
    name: str,
    load: Callable[[sqlite3.Connection], Loaded],
    error: Exception,
    wall_clock: Callable[[], float],
) -> tuple[sqlite3.Connection, Loaded]:
    try:
        aside = set_aside(path, wall_clock)
        for extra in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + extra).unlink(missing_ok=True)
        opened = _connect_and_load(path, connect, load)
    except (OSError, sqlite3.Error) as second:
        raise file_error(path, name, str(second)) from second
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    log.warning("%s %s cannot be read (%s): it is moved to %s and a new file is created", name, path, reason, aside)
    return opened


def refuse_newer(database: sqlite3.Connection, path: Path, name: str, version: int) -> None:
    """Raises SinkError if the file has a later version than `version` of its schema. The file is not changed.

    Raises sqlite3.DatabaseError for a version that no harstream writes.
    """
    found = version_of(database)
    if not 0 <= found <= LARGEST_VERSION:
        raise sqlite3.DatabaseError(f"the version of its schema is {found}")
    if found > version:
        raise SinkError(
            f"expected {name} of schema {version} or older in {path}, got {found}, of a newer harstream: "
            "install the newer harstream, or move the file away"
        )


def version_of(database: sqlite3.Connection) -> int:
    """Return the version of the file's schema; 0 for a new file."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)


def open_read_only(path: Path, *, timeout: float) -> sqlite3.Connection:
    """Open a file for reading. `timeout`: longest wait for a lock, in seconds. Raises sqlite3.Error."""
    # Without a writer there is no WAL, and a reader would create one that another user's service cannot write.
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=timeout)


def file_error(path: Path, name: str, why: str) -> SinkError:
    """Return the error for a file that cannot be used. `name`: the file's role, e.g. "the outbox"."""
    if "locked" in why:
        why += "; is another harstream running with it?"
    return SinkError(f"expected to keep {name} in {path}, got: {why}")
