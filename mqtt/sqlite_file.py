"""Opens an SQLite file of harstream. A broken file is moved aside: recognition must not depend on it."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from harstream.wire.errors import SinkError

log = logging.getLogger(__name__)


def opened(
    path: Path, connect: Callable[[Path], sqlite3.Connection], name: str, wall_clock: Callable[[], float] = time.time
) -> sqlite3.Connection:
    """Open or creates the file by `connect`. `name`, as in "the outbox", is for the messages. Raises SinkError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _sound(path, connect)
    except sqlite3.OperationalError as error:
        raise refused(path, name, str(error)) from error
    except OSError as error:
        raise refused(path, name, (error.strerror or str(error)).lower()) from error
    except sqlite3.DatabaseError as error:
        return _new_after_broken(path, connect, name, error, wall_clock)


def _sound(path: Path, connect: Callable[[Path], sqlite3.Connection]) -> sqlite3.Connection:
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
        database = _sound(path, connect)
    except (OSError, sqlite3.Error) as second:
        raise refused(path, name, str(second)) from second
    log.warning("%s %s cannot be read (%s): it is moved to %s, and a new one begins", name, path, error, aside)
    return database


def opened_to_read(path: Path, *, timeout: float) -> sqlite3.Connection:
    """Open a file to read; waits `timeout` seconds for a lock. Raises sqlite3.Error."""
    # While nobody writes there is no WAL. A reader would create one that a service of another user cannot write.
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=timeout)


def refused(path: Path, name: str, why: str) -> SinkError:
    """Return the error for a file that cannot be used; `name` as in "the outbox"."""
    if "locked" in why:
        why += "; is another harstream running with it?"
    return SinkError(f"expected to keep {name} in {path}, got: {why}")
