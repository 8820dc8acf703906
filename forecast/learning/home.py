"""The course of a home with several cameras and one person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from harstream.forecast.learning.episodes import Away, Episode, Interval
from harstream.forecast.learning.overlaps import one_at_a_time
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States

SEEN = 0.5
"""The probability that a camera sees an activity, before anything was learned."""
STRENGTH = 2.0
"""Activities that pull the probability to it."""


def home_episodes(seen: Iterable[Sequence[Episode]]) -> list[Episode]:
    """Return what happened in the home, one activity at a time, in the order of time.

    `seen`: the episodes of each camera. Two cameras that see the same activity give one episode, with the room of the
    first one.

    kitchen:  Cook 0-60
    bedroom:  Cook 50-70   Sleep 90-500
    home:     Cook 0-70    Sleep 90-500
    """
    home: list[Episode] = []
    for part in one_at_a_time([episode for episodes in seen for episode in episodes]):
        last = home[-1] if home else None
        if last is not None and last.activity == part.episode.activity and part.episode.start <= last.end:
            home[-1] = replace(last, end=part.episode.end, is_end_seen=part.episode.is_end_seen)
        else:
            home.append(part.episode)
    return home


def home_away(away: Iterable[Sequence[Away]]) -> list[Away]:
    """Return when at least one camera was away, in the order of time. `away`: of each camera."""
    union: list[Away] = []
    for each in sorted((each for of_camera in away for each in of_camera), key=lambda each: each.start):
        if union and each.start <= union[-1].end:
            union[-1] = Away(union[-1].start, max(union[-1].end, each.end))
        else:
            union.append(each)
    return union


def seen_shares(
    course: Sequence[Interval],
    episodes: Sequence[Episode],
    away: Sequence[Away],
    states: States,
    weight: Callable[[float], float],
) -> Floats:
    """Return (K,): the probability that a camera sees each activity of the home.

    `course`: of the home. `episodes`, `away`: of the camera. What happened before its first episode, and while it was
    away, does not count. `weight`: how much an activity that began at a time counts.
    """
    activities = [each for each in course if each.state < states.unknown]
    starts = np.array([each.start for each in activities])
    ends = np.array([each.end for each in activities])
    if len(episodes):
        starts = np.maximum(starts, episodes[0].start)
        ends = np.maximum(ends, starts)
    watched = (ends - starts) - _covered(away, starts, ends)
    sums, weights = np.full(states.unknown, STRENGTH * SEEN), np.full(states.unknown, STRENGTH)
    for number, name in enumerate(states.activities):
        rows = np.array([each.state == number for each in activities], dtype=np.bool_) & (watched > 0)
        if len(episodes) and rows.any():
            seen = _covered([each for each in episodes if each.activity == name], starts[rows], ends[rows])
            counts = np.array([weight(start) for start in starts[rows]])
            sums[number] += counts @ np.minimum(seen / watched[rows], 1.0)
            weights[number] += counts.sum()
    return np.asarray(sums / weights)


def emission_of(camera: Floats, shares: Floats, states: States) -> Floats:
    """Return (S, J): P(symbol | state) in front of a camera that sees each activity with a probability.

    `camera` (S, J): the same of a camera that sees all. `shares` (K,): the probabilities. A camera that does not see
    the person shows what it shows while nothing happens.
    """
    shows = np.append(shares, 1.0)[states.shows][:, None]
    return np.asarray(shows * camera + (1 - shows) * camera[states.at_start])


def _covered(spans: Sequence[Episode] | Sequence[Away], starts: Floats, ends: Floats) -> Floats:
    """Return the seconds of each time (n,) that the spans cover. `spans`: in order, without overlaps."""
    if not spans:
        return np.zeros(len(starts))
    edges = np.array([[each.start, each.end] for each in spans]).ravel()
    covered = np.repeat(np.cumsum([0.0, *(each.end - each.start for each in spans)]), 2)[1:-1]
    edges = np.maximum.accumulate(edges)
    return np.asarray(np.interp(ends, edges, covered) - np.interp(starts, edges, covered))
