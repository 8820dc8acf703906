"""What a forecaster has learned from its diary. It stays as it is until the forecaster learns again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from enum import StrEnum

from harstream.forecast.client.diary import Diary, Loss
from harstream.forecast.client.skill import SKILL_PERIOD
from harstream.forecast.learning.episodes import Episode, intervals
from harstream.forecast.learning.first_begins import FirstBegins, first_begins
from harstream.forecast.learning.home import home_away, home_episodes, seen_shares
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States
from harstream.forecast.predictors.hmm import PART
from harstream.forecast.predictors.mix import NAMES, Mix, Predictors, weights_after
from harstream.forecast.predictors.protocol import Past, Predictor
from harstream.forecast.predictors.structure import Structure

HORIZONS = (60.0, 300.0, 900.0, 3600.0)
"""Seconds."""
RESUMED = 100
"""Episodes of each camera that are taken as the past of its place."""
HOME = "*"
"""The home among the names of places. No camera has this name."""


class Scope(StrEnum):
    """What a forecast is about."""

    CAMERA = "camera"
    """Each camera sees a person of its own."""
    HOME = "home"
    """All cameras together see one person."""


@dataclass(frozen=True)
class ForecasterSettings:
    """What a forecaster is to do."""

    node: str
    scope: Scope
    predictor: str
    """mix or one of NAMES."""
    zone: tzinfo | None
    """The home's time zone. None: that of this machine."""
    structure: Structure | None = None
    """Of `dbn`. None: the shipped one."""


@dataclass(frozen=True, eq=False)
class Learned:
    """All predictors, fitted to the diary at one time."""

    past: Past
    """Its rooms are the cameras."""
    predictors: Predictors
    predictor: Predictor
    """The one whose forecasts are published."""
    begins: Mapping[str, FirstBegins]
    """By place."""
    seen: Mapping[str, Floats]
    """(K,) by camera: the probability that it sees each activity of the home. Empty if each camera is a place."""
    trained_until: float | None
    """The last moment that was learned from, in seconds since the epoch; None without any."""


def learn(diary: Diary, states: States, settings: ForecasterSettings, now: float) -> Learned:
    """Learn from the diary, and look ahead from `now`, in seconds since the epoch. It takes seconds after a year."""
    zone, is_home = settings.zone, settings.scope is Scope.HOME
    diary.trim()
    rooms = tuple(diary.cameras())
    seen = {camera: _in_room(diary.episodes(camera), room) for room, camera in enumerate(rooms)}
    away = {camera: diary.away(camera) for camera in rooms}
    places, missed = (
        ({HOME: home_episodes(seen.values())}, {HOME: home_away(away.values())})
        if is_home
        # Several people may do something at the same time in front of one camera, too.
        else ({camera: home_episodes([episodes]) for camera, episodes in seen.items()}, away)
    )
    course = [interval for place in places for interval in intervals(places[place], missed[place], states)]
    past = Past(states, course, zone, now, rooms)
    predictors = Predictors.fit(past, HORIZONS, structure=settings.structure)
    for time in (now, now + PART):
        predictors.hmm.keep(predictors.hmm.tables_at(time, HORIZONS))
    losses = losses_of(settings.scope, diary.losses(now - 2 * SKILL_PERIOD))
    weights = weights_after([(each.question, each.predictor, each.time, each.loss) for each in losses], NAMES, now)
    named: dict[str, Predictor] = predictors.by_name()
    return Learned(
        past,
        predictors,
        Mix(named, weights) if settings.predictor == "mix" else named[settings.predictor],
        {place: first_begins(episodes, states, zone) for place, episodes in places.items()},
        {each: seen_shares(course, seen[each], home_away([away[each]]), states, past.weight) for each in rooms}
        if is_home
        else {},
        max((interval.end for interval in course), default=None),
    )


def past_course(seen: Mapping[str, Iterable[Episode]]) -> list[tuple[str, Episode]]:
    """Return the episodes of a place, given by camera, each with its camera, in the order of time."""
    names = list(seen)
    episodes = [_in_room(seen[name], room) for room, name in enumerate(names)]
    return [(names[each.room], each) for each in home_episodes(episodes) if each.room is not None]


def losses_of(scope: Scope, losses: Iterable[Loss]) -> list[Loss]:
    """Return the losses of forecasts with this scope."""
    return [each for each in losses if (each.camera == HOME) == (scope is Scope.HOME)]


def _in_room(episodes: Iterable[Episode], room: int) -> list[Episode]:
    return [replace(episode, room=room) for episode in episodes]
