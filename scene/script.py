"""The script of a film: its segments, each with one activity or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

ACTIVITIES: tuple[str, ...] = ("JumpingJack", "JumpRope", "Lunges", "PullUps", "Punch", "PushUps")


@dataclass(frozen=True)
class Segment:
    """`activity` happens from `start` to `end`, in seconds since the film began; None: none of the activities."""

    activity: str | None
    start: float
    end: float
    take: int = 0
    """Takes of the same activity differ in tempo, angle and manner."""


def script(seed: int, seconds: float | None = None) -> Iterator[Segment]:
    """Alternate pauses and activities, without end or until `seconds`, where the last segment is cut.

    time:      0      4..7         13..20      17..27
    activity:  None   PushUps      None        Punch  ...

    Every activity comes once before any comes again, and none twice in a row.
    """
    random = np.random.default_rng((seed, 1))
    start = 0.0
    for take, activity in enumerate(_turns(random)):
        shortest, longest = (4.0, 7.0) if activity is None else (9.0, 13.0)
        end = start + round(float(random.uniform(shortest, longest)), 2)
        if seconds is not None and end >= seconds:
            yield Segment(activity, start, seconds, take)
            return
        yield Segment(activity, start, end, take)
        start = end


def single(activity: str | None, seed: int, seconds: float) -> Iterator[Segment]:
    """Return a script with one segment; the seed is its take. Raises ValueError for an unknown activity."""
    if activity is not None and activity not in ACTIVITIES:
        raise ValueError(f"activity must be one of {', '.join(ACTIVITIES)} or None, got {activity!r}")
    yield Segment(activity, 0.0, seconds, take=seed)


def _turns(random: np.random.Generator) -> Iterator[str | None]:
    last: str | None = None
    while True:
        order = [str(name) for name in random.permutation(ACTIVITIES)]
        if order[0] == last:
            order.reverse()
        last = order[-1]
        for activity in order:
            yield None
            yield activity
