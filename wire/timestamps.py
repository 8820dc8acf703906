"""Times on the wire: RFC 3339 in UTC with milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta

EPOCH = datetime(1970, 1, 1)


def timestamp(seconds: float) -> str:
    """Write seconds since the epoch, rounded to milliseconds."""
    # Round first, because datetime would cut 0.9996 s to .999. A datetime without a zone is twice as fast.
    return f"{(EPOCH + timedelta(milliseconds=round(round(seconds, 3) * 1000))).isoformat(timespec='milliseconds')}Z"


def seconds_of(timestamp: str) -> float:
    """Read RFC 3339 with a zone, as seconds since the epoch. Raises ValueError."""
    moment = datetime.fromisoformat(timestamp)
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with its zone, got {timestamp[:40]!r}")
    try:
        return moment.timestamp()
    except OverflowError as error:  # near the year 1, in some zones
        raise ValueError(f"expected a time after the year 1, got {timestamp[:40]!r}") from error


def live_delay(frame_time: float, now: float) -> float | None:
    """Return seconds from a frame's capture until now. None for a replayed file, whose frames are old."""
    delay = now - frame_time
    return delay if 0 <= delay < 60 else None
