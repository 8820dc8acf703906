"""Writes files atomically: it writes beside the target, syncs to disk and renames."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Write a file atomically. A reader finds either the old or the new content, even after a power cut.

    Text is written as UTF-8 without newline conversion. `mode`: permissions; None for the default. Raises OSError.
    """
    with atomic_path(path) as unfinished:
        unfinished.touch(0o666 if mode is None else mode)
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to. At the end of the `with` block, the file is renamed to `path`.

    The path ends with the whole name, for libraries that choose a format by the suffix. An error removes the file.
    Raises OSError.
    """
    # tempfile would make files that only their owner can read, and another user often serves a report.
    unfinished = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        yield unfinished
        _sync(unfinished)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    if os.name == "posix":  # Windows cannot open a folder.
        _sync(path.parent)


def _sync(path: Path) -> None:
    # Windows syncs only files that are open for writing. A folder can only be opened for reading.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
