"""The script of a film: its segments, each with one activity or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

ACTIVITIES: tuple[str, ...] = ("JumpingJack", "JumpRope", "Lunges", "PullUps", "Punch", "PushUps")
HABIT = 0.9
"""The probability that the next activity of a routine is the usual one."""


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
    return _timed(_turns(random), random, (4.0, 7.0), (9.0, 13.0), seconds)


def routine(seed: int, seconds: float | None = None) -> Iterator[Segment]:
    """Alternate short pauses and activities as `script` does, but with habits: a forecast of what follows can be right.

    time:      0      2..4        9..15          11..19
    activity:  None   Lunges      None           Punch  ...

    The activities have an order, which follows from the seed. Nine of ten times, the next in that order follows; else
    another one does.
    """
    random = np.random.default_rng((seed, 2))
    return _timed(_habits(random), random, (2.0, 4.0), (7.0, 11.0), seconds)


def _timed(
    turns: Iterable[str | None],
    random: np.random.Generator,
    pause: tuple[float, float],
    lasts: tuple[float, float],
    seconds: float | None,
) -> Iterator[Segment]:
    """Give each turn a time. `pause` and `lasts`: the shortest and the longest pause and activity, in seconds."""
    start = 0.0
    for take, activity in enumerate(turns):
        end = start + round(float(random.uniform(*(pause if activity is None else lasts))), 2)
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


def _habits(random: np.random.Generator) -> Iterator[str | None]:
    order = [str(name) for name in random.permutation(ACTIVITIES)]
    now = 0
    while True:
        yield None
        yield order[now]
        step = 1 if random.random() < HABIT else int(random.integers(2, len(order)))
        now = (now + step) % len(order)
