"""Distinguishes a disk that is full or fails, which may pass, from a file that may not be used."""

from __future__ import annotations

import errno
import sqlite3

ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
SQLITE_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
"""Primary result codes of SQLite."""


def is_failing_disk(error: Exception) -> bool:
    """Return whether the error says that the disk is full or fails."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in SQLITE_CODES
    return isinstance(error, OSError) and error.errno in ERRNOS
