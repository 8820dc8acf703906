"""Replaces a folder as a whole: it writes beside the target, and then renames."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to write to. At the end of the `with` block, it takes the place of `path`.

    An error or Ctrl-C removes it, and `path` stays as it was. Between the two renames of the exchange, `path` does not
    exist for a moment; a process that is killed there leaves the old folder beside, and the next call brings it back.
    Raises OSError.
    """
    part, old = (path.with_name(f".{path.name}.{ending}") for ending in ("part", "old"))
    shutil.rmtree(part, ignore_errors=True)
    _bring_back(old, path)
    part.mkdir(parents=True)
    try:
        yield part
        try:
            if path.exists():
                path.rename(old)
            part.rename(path)
        except BaseException:
            _bring_back(old, path)
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _bring_back(old: Path, path: Path) -> None:
    if old.exists() and not path.exists():
        old.rename(path)
    shutil.rmtree(old, ignore_errors=True)
