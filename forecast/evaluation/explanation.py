"""Why an activity is expected: what the diary says about one activity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

import numpy as np

from harstream.forecast.client.diary import Diary
from harstream.forecast.client.outlook import QUANTILES
from harstream.forecast.learning.changes import changes
from harstream.forecast.learning.counts import SLOT_HOURS, SLOTS, count
from harstream.forecast.learning.episodes import intervals
from harstream.forecast.learning.semi_markov_fit import WIDTHS, fit
from harstream.forecast.model.horizons import next_activity
from harstream.forecast.model.states import States
from harstream.forecast.predictors.protocol import Past
from harstream.forecast.predictors.structure import Structure, parents_of
from harstream.wire.errors import ConfigError

MOST_FOLLOWERS = 5


@dataclass(frozen=True)
class Follower:
    """An activity that followed."""

    activity: str
    times: int
    """How often it was seen to follow."""
    ratio: float
    """How much more often it begins at this hour than what went on before would say."""
    probability: float
    """Of following, by counts and hour."""


@dataclass(frozen=True)
class Durations:
    """Seconds that an activity lasted at most, in 10, 50 and 90 % of the cases."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True)
class Explanation:
    activity: str
    hour: float
    """The local time of day, in hours."""
    times: int
    """How often the activity was seen to its end."""
    durations: Durations | None
    """None if no end was seen."""
    followers: tuple[Follower, ...]
    """The likeliest first."""
    parents: tuple[str, ...]
    """What the table of the next activity of `dbn` depends on."""


def read_pasts(diary: Diary, zone: tzinfo | None, now: float, only: str | None = None) -> Past:
    """Return what the diary contains, of one camera or of all. Raises ConfigError for an empty diary or camera."""
    cameras = diary.cameras()
    if only is not None and only not in cameras:
        raise ConfigError(f"expected a camera of the diary ({', '.join(cameras) or 'it is empty'}), got {only!r}")
    episodes = {camera: diary.episodes(camera) for camera in cameras if only in (None, camera)}
    states = States(tuple(sorted({each.activity for found in episodes.values() for each in found})))
    if not states.activities:
        raise ConfigError("the diary is empty: `harstream forecast run` and `train` fill it")
    course = [each for camera, found in episodes.items() for each in intervals(found, diary.away(camera), states)]
    return Past(states, course, zone, now, tuple(episodes))


def explanation_of(past: Past, activity: str | None, hour: float, structure: Structure) -> Explanation:
    """Explain an activity, or the last one. Raises ConfigError for one that was never seen."""
    names = past.states.activities
    if activity is None:
        shown = [each for each in past.course if each.state < past.states.unknown]
        activity = names[max(shown, key=lambda each: each.start).state]
    if activity not in names:
        raise ConfigError(f"expected an activity of the diary ({', '.join(names)}), got {activity!r}")
    number, has_rooms = names.index(activity), len(past.rooms) > 1
    parents = tuple(each for each in structure.next if has_rooms or "room" not in parents_of(each))
    lasted = [each.end - each.start for each in past.course if each.state == number and each.next is not None]
    durations = Durations(*(float(value) for value in np.quantile(lasted, QUANTILES))) if lasted else None
    return Explanation(activity, hour, len(lasted), durations, _followers(past, number, hour), parents)


def _followers(past: Past, number: int, hour: float) -> tuple[Follower, ...]:
    counts = count(past.course, past.states.count, WIDTHS, past.zone, past.weight)
    daily = fit(counts, past.states, tick=1.0)
    ratios = daily.beginning[int(hour / 24 * SLOTS) % len(SLOT_HOURS)]
    following = next_activity(daily.at(hour).follow)[number]
    seen = [each.next for each in changes(past.course, past.states.unknown) if each.activity == number]
    best = [int(each) for each in np.argsort(-following, kind="stable")[:MOST_FOLLOWERS]]
    return tuple(
        Follower(past.states.activities[each], seen.count(each), float(ratios[each]), float(following[each]))
        for each in best
        if following[each] > 0
    )
