"""Notices what this home rarely does: an activity that lasts long, or one that has not begun as usual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

import numpy as np

from harstream.forecast.client.course import Course
from harstream.forecast.client.outlook import Outlook
from harstream.forecast.learning.first_begins import FirstBegins, place_in_day

RARELY_LONG = 0.005
"""An activity lasts unusually long if it lasts as long with a lower probability."""
RARELY_LATE = 0.05
"""An activity has not begun as usual if it begins as late, or not at all, on a lower share of days."""


@dataclass(frozen=True)
class Unusual:
    """Something that this home rarely does."""

    kind: Literal["lasts_long", "not_begun"]
    activity: int
    probability: float
    since: float
    """When the activity began, or by when it usually has begun. Seconds since the epoch."""


def unusual_now(seen: Outlook, course: Course, begins: FirstBegins | None, zone: tzinfo | None) -> Unusual | None:
    """Return what is unusual now."""
    if seen.lasts_long < RARELY_LONG:
        return Unusual("lasts_long", seen.likeliest, seen.lasts_long, course.since)
    day, hour = place_in_day(seen.time, zone)
    if begins is None or place_in_day(course.watched_since, zone)[0] == day:
        return None  # it may have begun before anybody watched
    share = begins.still_to_begin(hour)
    today = np.array([began > seen.time - 3600 * hour for began in course.began], dtype=np.bool_)
    share[today] = 1.0
    late = int(share.argmin())
    if share[late] >= RARELY_LATE:
        return None
    return Unusual("not_begun", late, float(share[late]), seen.time - 3600 * (hour - begins.usual(late)))
