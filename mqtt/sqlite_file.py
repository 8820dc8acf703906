"""Opens an SQLite file of harstream. It moves a broken file aside, so that recognition does not depend on it."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from harstream.wire.errors import SinkError

log = logging.getLogger(__name__)


def open_database(
    path: Path, connect: Callable[[Path], sqlite3.Connection], name: str, wall_clock: Callable[[], float] = time.time
) -> sqlite3.Connection:
    """Open or create the file with `connect`. `name`: the file's role in messages, e.g. "the outbox".

    It moves a broken file aside and creates a new one. Raises SinkError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _connect_and_check(path, connect)
    except sqlite3.OperationalError as error:
        raise file_error(path, name, str(error)) from error
    except OSError as error:
        raise file_error(path, name, (error.strerror or str(error)).lower()) from error
    except sqlite3.DatabaseError as error:
        return _new_after_broken(path, connect, name, error, wall_clock)


def _connect_and_check(path: Path, connect: Callable[[Path], sqlite3.Connection]) -> sqlite3.Connection:
    database = connect(path)
    try:
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
    except BaseException:
        database.close()
        raise
    return database


def _new_after_broken(
    path: Path,
    connect: Callable[[Path], sqlite3.Connection],
    name: str,
    error: sqlite3.DatabaseError,
    wall_clock: Callable[[], float],
) -> sqlite3.Connection:
    aside = path.with_name(f"{path.name}.broken-{int(wall_clock())}")
    try:
        path.replace(aside)
        for extra in ("-wal", "-shm"):
            path.with_name(path.name + extra).unlink(missing_ok=True)
        database = _connect_and_check(path, connect)
    except (OSError, sqlite3.Error) as second:
        raise file_error(path, name, str(second)) from second
    log.warning("%s %s cannot be read (%s): it is moved to %s and a new file is created", name, path, error, aside)
    return database


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
