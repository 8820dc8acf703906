"""Opens an SQLite file of harstream. It sets a broken file aside, so that recognition does not depend on it."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from harstream.resilience.failing_disk import is_failing_disk
from harstream.resilience.set_aside import set_aside
from harstream.wire.errors import FailingDisk, SinkError

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
RESERVE_TABLE = "reserve"
RESERVE = 1 << 20
"""Bytes of unused space that a file and its journal have each."""
SPACE_FOR_RESERVE = 4 * RESERVE
"""Bytes that the disk must have free, because a reserve that does not fit would leave less than before."""
PAGE = 4096
"""Bytes of a page in a file."""


def open_database(
    path: Path,
    connect: Callable[[Path], sqlite3.Connection],
    create: Callable[[sqlite3.Connection], None],
    name: str,
    load: Callable[[sqlite3.Connection], Loaded],
    wall_clock: Callable[[], float] = time.time,
) -> tuple[sqlite3.Connection, Loaded]:
    """Open or create the file with `connect`, and return it with what `load` reads from it.

    It sets a file aside that one of both cannot read, and creates a new one. So it does with a file whose tables are
    not those of `create`: SQLite reads such a file, but a column may have lost its key or its type. Raises
    FailingDisk, and SinkError for a file that may not be used, that is in use, or that is of a newer harstream.

    `create`: creates the tables in an empty database.
    `name`: the file's role in messages, e.g. "the outbox".
    """

    def connect_and_load() -> tuple[sqlite3.Connection, Loaded]:
        database = connect(path)
        try:
            _check(database, create)
            return database, load(database)
        except BaseException:
            database.close()
            raise

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return connect_and_load()
    except OSError as error:
        raise file_error(path, name, error) from error
    except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in NOT_BROKEN:
            raise file_error(path, name, error) from error
        return _new_after_broken(path, connect_and_load, name, error, wall_clock)


def _check(database: sqlite3.Connection, create: Callable[[sqlite3.Connection], None]) -> None:
    """Raises sqlite3.DatabaseError if the file is damaged. Damaged indexes are built anew from the rows."""
    verdict = _verdict(database, "integrity_check")
    if verdict != "ok" and _verdict(database, "quick_check") == "ok":
        database.execute("REINDEX")
        verdict = _verdict(database, "integrity_check")
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)
    with closing(sqlite3.connect(":memory:")) as new:
        create(new)
        expected = _tables(new)
    found = _tables(database)
    for table, columns in sorted(expected.items()):
        if found.get(table) != columns:
            raise sqlite3.DatabaseError(f"the table {table} is not as harstream creates it")
    for table in sorted(found.keys() - expected.keys()):
        if found[table] in expected.values():  # a table of the user's own has other columns
            raise sqlite3.DatabaseError(f"the table {table} has a damaged name")


def _verdict(database: sqlite3.Connection, check: str) -> str:
    """Return "ok" or the first fault. `check`: integrity_check, or quick_check, which does not look at indexes."""
    (verdict,) = database.execute(f"PRAGMA {check}(1)").fetchone()
    return str(verdict)


def _tables(database: sqlite3.Connection) -> dict[str, set[tuple[object, ...]]]:
    """Return the name, type, "not null", default and place in the key of each column, by table."""
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = "SELECT name, type, [notnull], dflt_value, pk FROM pragma_table_xinfo(?)"
    return {name: set(database.execute(columns, (name,))) for name in names}


def _new_after_broken(
    path: Path,
    connect_and_load: Callable[[], tuple[sqlite3.Connection, Loaded]],
    name: str,
    error: Exception,
    wall_clock: Callable[[], float],
) -> tuple[sqlite3.Connection, Loaded]:
    try:
        aside = set_aside(path, wall_clock)
        for extra in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + extra).unlink(missing_ok=True)
        opened = connect_and_load()
    except (OSError, sqlite3.Error) as second:
        raise file_error(path, name, second) from second
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


def keep_reserve(database: sqlite3.Connection, path: Path) -> None:
    """Give the file and its journal RESERVE bytes that they do not need yet, so that a full disk still takes events.

    The journal must be a WAL. SQLite fills the free pages of a file and writes its journal over again, which needs no
    space on most file systems. btrfs and ZFS never write a place over again, so there the reserve does not help.
    It does nothing while half of the reserve is left, or while the disk is nearly full. Raises sqlite3.Error and
    OSError.
    """
    (free,) = database.execute("PRAGMA freelist_count").fetchone()
    journal = path.with_name(f"{path.name}-wal")
    has_reserve = free * PAGE >= RESERVE // 2 and journal.exists() and journal.stat().st_size >= RESERVE
    if has_reserve or shutil.disk_usage(path.parent).free < SPACE_FOR_RESERVE:
        return
    database.execute(f"DROP TABLE IF EXISTS {RESERVE_TABLE}")  # a kill may have left it
    database.execute("PRAGMA wal_checkpoint(PASSIVE)")
    database.execute("BEGIN IMMEDIATE")
    try:
        database.execute(f"CREATE TABLE {RESERVE_TABLE} (content BLOB)")
        database.execute(f"INSERT INTO {RESERVE_TABLE} VALUES (zeroblob(?))", (RESERVE,))  # noqa: S608 (a name of this file)
        database.execute("COMMIT")
    finally:
        if database.in_transaction:
            database.execute("ROLLBACK")
    database.execute(f"DROP TABLE {RESERVE_TABLE}")
    database.execute("PRAGMA wal_checkpoint(PASSIVE)")


def file_error(path: Path, name: str, error: Exception) -> SinkError:
    """Return the error for a file that cannot be used. `name`: the file's role, e.g. "the outbox"."""
    why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
    if "locked" in why:
        why += "; is another harstream running with it?"
    kind = FailingDisk if is_failing_disk(error) else SinkError
    return kind(f"expected to keep {name} in {path}, got: {why}")
