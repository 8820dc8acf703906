"""Renames a file that cannot be read, so that a program starts without it and nothing is deleted."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import chain, count
from pathlib import Path


def set_aside(path: Path, wall_clock: Callable[[], float] = time.time) -> Path:
    """Rename `path` to `path.broken-TIME`, with the time in seconds since the epoch. Return the new path.

    It never replaces a file that was set aside earlier. Raises OSError.
    """
    name = f"{path.name}.broken-{int(wall_clock())}"
    candidates = chain([name], (f"{name}-{number}" for number in count(2)))
    aside = next(found for found in map(path.with_name, candidates) if not found.exists())
    return path.rename(aside)
