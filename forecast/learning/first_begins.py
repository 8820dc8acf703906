"""When each activity begins for the first time in a day, to notice one that has not begun as usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

import numpy as np

from harstream.forecast.learning.episodes import Episode
from harstream.forecast.learning.local_time import day_of, hour_of
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States

DAY_BEGINS = 4.0
"""The local hour at which a new day begins. Who goes to bed at 1:00 does it in the old day."""
DAYS = 60
"""Days that are looked at, the last ones."""
DAYS_NEEDED = 14


@dataclass(frozen=True, eq=False)
class FirstBegins:
    """The first begins in front of one camera."""

    hours: Floats
    """(days, K) hours since the day began; infinite for an activity that did not begin."""

    def still_to_begin(self, hour: float) -> Floats:
        """Return (K,): how often an activity has not begun by an hour of its day, which it does on most days.

        `hour`: since the day began. It is 1 for all activities before enough days were seen. One is added to the days,
        so that a habit of few days is not certain.
        """
        days = len(self.hours)
        if days < DAYS_NEEDED:
            return np.ones(self.hours.shape[1])
        return np.asarray(((self.hours > hour).sum(axis=0) + 1) / (days + 1))

    def usual(self, activity: int) -> float:
        """Return the hour since the day began by which an activity has begun on 19 of 20 days; infinite without one."""
        return float(np.quantile(self.hours[:, activity], 0.95, method="higher"))


def first_begins(episodes: Sequence[Episode], states: States, zone: tzinfo | None) -> FirstBegins:
    """Return the first begins of the last days that had any episode. `episodes`: of one camera."""
    numbers = {name: number for number, name in enumerate(states.activities)}
    days: dict[int, Floats] = {}
    for episode in episodes:
        day, hour = place_in_day(episode.start, zone)
        row = days.setdefault(day, np.full(len(numbers), np.inf))
        if (number := numbers.get(episode.activity)) is not None:
            row[number] = min(row[number], hour)
    last = sorted(days)[1:-1][-DAYS:]  # the first day was not watched from its beginning, the last one is not over
    return FirstBegins(np.array([days[day] for day in last]).reshape(len(last), len(numbers)))


def place_in_day(time: float, zone: tzinfo | None) -> tuple[int, float]:
    """Return the number of the day, which begins at DAY_BEGINS, and the hours since it began."""
    hour = hour_of(time, zone)
    return day_of(time, zone) - (hour < DAY_BEGINS), (hour - DAY_BEGINS) % 24
