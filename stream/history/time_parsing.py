"""Parses a time in one of the forms `2h`, `2026-11-20`, `2026-11-20 14:00` and `2026-11-20T13:00:00Z`."""

from __future__ import annotations

import re
from datetime import datetime

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
ACCEPTED = "2h (ago; also s, m, d, w), 2026-11-20, 2026-11-20 14:00 (local time) or 2026-11-20T13:00:00Z"


def parse_time(text: str, now: float) -> float:
    """Return seconds since the epoch. A time without a zone is local. A date alone means its midnight.

    `now`: seconds since the epoch, for a duration such as `2h`. Raises ValueError.
    """
    if ago := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])", text.strip()):
        return now - float(ago[1]) * UNITS[ago[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError) as error:  # the last two for years without a local time
        raise ValueError(f"expected {ACCEPTED}; got {text[:40]!r}") from error
