"""Finds the time at which a video file was recorded, in its name or its container."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import av
from av.error import FFmpegError

_IN_NAME = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_. T]{0,3}(\d\d)[-_.:h]?(\d\d)[-_.:m]?(\d\d)(?!\d)"
)
"""A time such as 2026-11-20_14-05-09, 20261120T140509 or 20261120140509."""
EARLIEST = 1980
"""The earliest year that counts. A container without a time has the year 1904 or 1970."""


def recorded_at(video: Path) -> float | None:
    """Return the time of a file's first frame in seconds since the epoch, or None if it is not known.

    A time in the name, which cameras write in local time, takes precedence over the container's `creation_time`.
    """
    named = _named_time(video.stem)
    return _container_time(video) if named is None else named


def _named_time(stem: str) -> float | None:
    for found in _IN_NAME.finditer(stem):
        try:
            return datetime(*map(int, found.groups())).timestamp()  # type: ignore[arg-type]
        except (ValueError, OverflowError, OSError):  # no such date
            continue
    return None


def _container_time(video: Path) -> float | None:
    """Return the container's `creation_time`, which is in UTC by the formats."""
    try:
        with av.open(str(video), metadata_errors="replace") as container:
            text = container.metadata.get("creation_time", "")
        moment = datetime.fromisoformat(text)
    except (FFmpegError, ValueError):
        return None
    return moment.timestamp() if moment.year >= EARLIEST else None
