"""The local time of day, which the rhythm of a home follows. A zone of None is that of this machine."""

from __future__ import annotations

from datetime import datetime, tzinfo


def hour_of(time: float, zone: tzinfo | None) -> float:
    """Return the local time of day in hours, 0 to 24."""
    local = datetime.fromtimestamp(time, zone)
    return local.hour + local.minute / 60 + local.second / 3600


def is_weekend(time: float, zone: tzinfo | None) -> bool:
    return datetime.fromtimestamp(time, zone).weekday() >= 5


def day_of(time: float, zone: tzinfo | None) -> int:
    """Return the number of the local day."""
    return datetime.fromtimestamp(time, zone).toordinal()
