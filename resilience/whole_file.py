"""Files that are never half there: written aside, moved to the disk, renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Write a file in one step: a reader finds the old content or the new one, also after a power cut.

    Text is written as UTF-8, as it is. `mode` are the file's permissions; None: those of any new file. Raises OSError.
    """
    with written_whole(path) as unfinished:
        unfinished.touch(0o666 if mode is None else mode)
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; the file there takes the name `path` when the `with` ends.

    The path keeps the whole name at its end, for libraries that choose a format by it. An error removes the file.
    Raises OSError.
    """
    # Not tempfile: its files can be read by their owner only, and a report is often served by another user.
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
    # Windows syncs only what is open for writing; a folder can be open for reading only.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
