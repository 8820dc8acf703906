"""Follows the messages of one node, learns, and says what it expects. It has no clock and no network."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

import numpy as np

from harstream.forecast.client.background import Workers
from harstream.forecast.client.beliefs import Beliefs
from harstream.forecast.client.course import Course, episode_of
from harstream.forecast.client.diary import Diary
from harstream.forecast.client.diary_writer import DiaryWriter, Written
from harstream.forecast.client.evidence import LASTING, Observations, Recognizer, Symbols
from harstream.forecast.client.learned import (
    HOME,
    HORIZONS,
    ForecasterSettings,
    Learned,
    Scope,
    learn,
    losses_of,
    past_course,
)
from harstream.forecast.client.learner import Learner
from harstream.forecast.client.messages import About, message_of
from harstream.forecast.client.outlook import Outlook, outlook, shown
from harstream.forecast.client.place import FollowedCamera, Place
from harstream.forecast.client.skill import PUBLISHED, SKILL_PERIOD, PlaceScores, SkillRecord
from harstream.forecast.client.soundness import MOST_CAMERAS, Unsound, check_event, check_time
from harstream.forecast.client.unusual import unusual_now
from harstream.forecast.learning.home import SEEN, emission_of
from harstream.forecast.learning.local_time import hour_of
from harstream.forecast.model.semi_markov import Floats, SemiMarkov
from harstream.forecast.predictors.mix import NEXT
from harstream.forecast.predictors.protocol import Predictor, Situation
from harstream.wire.health import REMOVED_REASON, HealthState
from harstream.wire.messages.camera import HealthMessage, ObservationMessage
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.forecast import ForecastMessage
from harstream.wire.values import EventType

log = logging.getLogger(__name__)

SEEING = frozenset({HealthState.LIVE, HealthState.WARMING})
"""In all other states of a camera, it is not known what happens."""
LATE = 600.0
"""Seconds after which an event is old news: the broker queued it while no forecaster ran."""
SILENCE = 120.0
"""Seconds without an observation after which events alone are the evidence, because observations are switched off."""


AboutCamera = ObservationMessage | EventMessage | HealthMessage


class Forecaster:
    """Follows all cameras of a node. Not thread-safe."""

    def __init__(
        self, recognizer: Recognizer, diary: Diary, workers: Workers, learned: Learned, settings: ForecasterSettings
    ) -> None:
        """`diary`: must have started. `learned`: from it. Only the constructor and the workers wait for its disk."""
        self.recognizer, self._diary, self._settings = recognizer, diary, settings
        self._writer = DiaryWriter(diary, workers.writing)
        self.states = recognizer.states
        labels, emission = recognizer.labels, recognizer.emission
        threshold = 0.0 if emission is None else emission.threshold
        self._symbols = Symbols(self.states, labels.labels, threshold)
        self.observations = Observations(labels.labels_sha, len(labels.labels))
        lasting = max(LASTING, (emission and emission.lasting) or 0.0)
        self._matrix = self._symbols.emission(emission)
        self._beliefs = Beliefs(self._matrix, lasting, self._prior)
        self._cameras: dict[str, FollowedCamera] = {}
        self._places: dict[str, Place] = {}
        self._removed: set[str] = set()
        """Cameras that left the config. Their last events may still come."""
        self._evidence: dict[str, int] = {}
        """Symbols since the last tick, by camera."""
        losses = diary.losses(learned.past.now - SKILL_PERIOD, question=NEXT)
        self._skill = SkillRecord(losses_of(settings.scope, losses), learned.past.now)
        self._learner = Learner(partial(learn, diary, self.states, settings), workers, learned)

    @property
    def places(self) -> list[str | None]:
        """What has a forecast: the names of cameras, sorted, or None for the home."""
        return [None if name == HOME else name for name in sorted(self._places)]

    def handle(self, message: AboutCamera, now: float) -> Sequence[Written]:
        """Follow a message about a camera. Return what it writes to the diary. Raises Unsound."""
        earlier = self._writer.waiting
        match message:
            case ObservationMessage():
                self.observe(message, now)
            case EventMessage():
                self.follow(message, now)
            case HealthMessage():
                self.follow_health(message, now)
        return self._writer.since(earlier)

    def observe(self, message: ObservationMessage, now: float) -> None:
        """Follow an observation. One that cannot be used is counted. Raises Unsound for a camera too many."""
        if (camera := self._camera(message.camera, message.area, now)) is None:
            return
        if self.observations.begins_again(message):
            self._start_again(message.camera, now)
        probabilities = self.observations.take(message, now)
        if message.valid:
            camera.observed_at = now
        if probabilities is not None:
            self._evidence[message.camera] = self._symbols.of(probabilities)

    def follow(self, message: EventMessage, now: float) -> None:
        """Follow an event. The last one of a camera that left the config is learned. Raises Unsound."""
        check_event(message, now)
        is_end = message.event_type is EventType.END
        if (camera := self._camera(message.camera, message.area, now)) is None:
            if is_end and message.activity in self.states.activities:
                self._writer.add(message.camera, message.id, episode_of(message))
            return
        if now - message.updated_at > LATE:
            message = message.model_copy(update={"historical": True})
        place, course = camera.place, camera.place.course
        before = course.activity, course.since
        if not is_end:
            course.begin(message)
        elif (episode := course.end(message)) is not None:
            self._writer.add(message.camera, message.id, episode)
        else:
            self._writer.write(self._diary.retry)  # the end that it repeats may still wait for the disk
        self._note_going_on(message.camera, course)
        if course.activity is not None and (course.activity, course.since) != before:
            place.losses += place.scores.began(course.activity, course.since)
            place.scores.ask_next(self._situation(place, course.since), self._asked())
        if not course.is_known:
            place.scores.forget()

    def follow_health(self, message: HealthMessage, now: float) -> None:
        """Follow a camera's health: while it is away, frozen or dark, it is not known what it would see.

        A camera that has left the config is no longer followed. Raises Unsound.
        """
        check_time("since", message.since, now)
        name = message.camera
        if message.reason == REMOVED_REASON:
            self._remove(name, message.since)
            return
        self._removed.discard(name)
        if (camera := self._camera(name, message.area, now)) is None:
            return
        course = camera.place.course
        if message.state not in SEEING:
            course.go_away(name, message.since)
        elif (away := course.come_back(name, message.since)) is not None:
            self._writer.write(self._diary.add_away, name, away)
        if not course.is_known:
            camera.place.scores.forget()

    def tick(self, now: float) -> list[ForecastMessage]:
        """Advance to a time, and return the forecasts to publish."""
        self._learner.add(self._writer.count_new())
        learned = self._learner.learned
        self._learner.advance(now)
        if self._learner.learned is not learned:
            self._set_emissions()
        self._beliefs.advance(now, self._model_at)
        self._beliefs.correct(self._evidence | self._evidence_of_events(now))
        self._evidence = {}
        self._store_losses(now)
        self.observations.report(now)
        if not self._learner.has_looked_ahead(now):
            return []
        return [message for name in self._places if (message := self._forecast(name, now)) is not None]

    def _forecast(self, name: str, now: float) -> ForecastMessage | None:
        """Return the forecast of a place if one is due."""
        place = self._places[name]
        situation, learned = self._situation(place, now), self._learner.learned
        place.scores.sample(situation, self._asked(), HORIZONS)
        likeliest = int(shown(situation.belief, self.states).argmax())
        if not place.is_due(likeliest, now):
            return None
        place.note_published(likeliest, now)
        seen = outlook(situation, learned.predictor, learned.predictors.hmm, learned.past, HORIZONS)
        return message_of(seen, self.states, self._about(name, seen))

    def _about(self, name: str, seen: Outlook) -> About:
        place, learned = self._places[name], self._learner.learned
        return About(
            node=self._settings.node,
            camera=None if name == HOME else name,
            area=place.area,
            labels_sha=self.recognizer.labels.labels_sha,
            predictor=self._settings.predictor,
            trained_until=learned.trained_until,
            since=place.since(seen.likeliest, self.states.unknown),
            skill=self._skill.skill,
            surprise=place.scores.surprise,
            unusual=unusual_now(seen, place.course, learned.begins.get(name), self._settings.zone),
        )

    def _situation(self, place: Place, time: float) -> Situation:
        return place.situation(time, self._beliefs.of(place.name), self._learner.learned.past.rooms)

    def _asked(self) -> dict[str, Predictor]:
        learned = self._learner.learned
        return {**learned.predictors.by_name(), PUBLISHED: learned.predictor}

    def _evidence_of_events(self, now: float) -> dict[str, int]:
        """Return the symbols of cameras whose observations are switched off, from what their events say."""
        evidence: dict[str, int] = {}
        for name, camera in self._cameras.items():
            course = camera.place.course
            if now - camera.observed_at > SILENCE and course.is_reporting(name):
                seen = course.seen_by(name)
                evidence[name] = self._symbols.of_activity(None if seen is None else seen[0])
                if not camera.follows_events:
                    log.info("%s: no observations come (mqtt.observations), so its events are the evidence", name)
            camera.follows_events = name in evidence
        return evidence

    def _store_losses(self, now: float) -> None:
        losses = [loss for place in self._places.values() for loss in place.take_losses(now, self.states.unknown)]
        if losses:
            self._writer.write(self._diary.add_losses, losses, keep_since=now - 2 * SKILL_PERIOD)
            self._skill.add(losses, now)

    def _note_going_on(self, name: str, course: Course) -> None:
        """Store what goes on in front of a camera, so that `explain` knows it."""
        number, start = course.seen_by(name) or (None, 0.0)
        if number != self._cameras[name].noted:
            self._cameras[name].noted = number
            self._writer.write(
                self._diary.set_going_on, name, None if number is None else self.states.activities[number], start
            )

    def _prior(self, time: float) -> Floats:
        return self._learner.learned.predictors.baseline.belief(time)

    def _model_at(self, time: float) -> SemiMarkov:
        return self._learner.learned.predictors.hmm.daily.at(hour_of(time, self._settings.zone))

    def _camera(self, name: str, area: str | None, now: float) -> FollowedCamera | None:
        """Return a camera, and follow it from now on if it is new. None for one that left the config."""
        if name in self._removed:
            return None
        if name not in self._cameras:
            if len(self._cameras) >= MOST_CAMERAS:
                raise Unsound(f"{MOST_CAMERAS} cameras are followed already")
            place = self._place(name, now)
            self._cameras[name] = FollowedCamera(place)
            self._writer.write(self._diary.set_going_on, name, None, now)  # an earlier run may have been killed
            self._beliefs.add(name, now, place.name)
            self._set_emissions()
        camera = self._cameras[name]
        if camera.place.name == name:
            camera.place.area = area
        return camera

    def _place(self, camera: str, now: float) -> Place:
        """Return the place of a camera."""
        is_home = self._settings.scope is Scope.HOME
        name = HOME if is_home else camera
        if name not in self._places:
            course = Course(self.states, now)
            course.resume(past_course(self._writer.last(None if is_home else camera)))
            self._places[name] = Place(name, course, PlaceScores(name))
        return self._places[name]

    def _remove(self, name: str, time: float) -> None:
        self._removed.add(name)
        self._evidence.pop(name, None)
        if (camera := self._cameras.pop(name, None)) is None:
            return
        self._writer.write(self._diary.set_going_on, name, None, time)
        if (away := camera.place.course.leave(name, time)) is not None:
            self._writer.write(self._diary.add_away, name, away)
        if all(each.place is not camera.place for each in self._cameras.values()):
            del self._places[camera.place.name]

    def _set_emissions(self) -> None:
        """Set what each camera of a home shows, given which activities it sees."""
        if self._settings.scope is Scope.CAMERA:
            return
        seen = self._learner.learned.seen
        for name in self._cameras:
            shares = seen.get(name, np.full(self.states.unknown, SEEN))
            self._beliefs.set_emission(name, emission_of(self._matrix, shares, self.states))

    def _start_again(self, name: str, now: float) -> None:
        """A replay starts again, so times go back."""
        self.observations.forget(name)
        self._beliefs.restart(name, now)
        self._cameras[name].place.scores.forget()
