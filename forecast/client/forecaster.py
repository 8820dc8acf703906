"""Follows the messages of one node, learns, and says what it expects. It has no clock and no network."""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial

from harstream.forecast.client.beliefs import Beliefs
from harstream.forecast.client.camera_course import CameraCourse
from harstream.forecast.client.diary import Diary, Loss
from harstream.forecast.client.evidence import LASTING, Observations, Symbols
from harstream.forecast.client.learned import HORIZONS, learn
from harstream.forecast.client.learner import Learner
from harstream.forecast.client.messages import About, message_of
from harstream.forecast.client.outlook import Outlook, outlook, shown
from harstream.forecast.client.skill import PUBLISHED, SKILL_PERIOD, CameraScores, SkillRecord
from harstream.forecast.client.unusual import unusual_now
from harstream.forecast.learning.local_time import hour_of
from harstream.forecast.model.semi_markov import Floats, SemiMarkov
from harstream.forecast.model.states import States
from harstream.forecast.predictors.mix import NEXT
from harstream.forecast.predictors.protocol import Predictor, Situation
from harstream.wire.health import REMOVED_REASON, HealthState
from harstream.wire.messages.camera import HealthMessage, ObservationMessage
from harstream.wire.messages.emission import EmissionMessage
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.forecast import ForecastMessage
from harstream.wire.messages.node import LabelsMessage
from harstream.wire.values import EventType

log = logging.getLogger(__name__)

SEEING = frozenset({HealthState.LIVE, HealthState.WARMING})
"""In all other states of a camera, it is not known what happens."""
PUBLISH_PERIOD = 60.0
"""Seconds between two forecasts that say the same."""
REPORT_PERIOD = 600.0
"""Seconds between two lines in the log about observations that could not be used."""
RESUMED = 100
"""Episodes of a camera that are taken as its past."""
LATE = 600.0
"""Seconds after which an event is old news: the broker queued it while no forecaster ran."""
SILENCE = 120.0
"""Seconds without an observation after which events alone are the evidence, because observations are switched off."""


@dataclass(frozen=True)
class Recognizer:
    """The model whose recognitions are followed, as its node describes it."""

    labels: LabelsMessage
    emission: EmissionMessage | None

    @property
    def states(self) -> States:
        background = set(self.labels.background)
        return States(tuple(label for label in self.labels.labels if label not in background))


@dataclass
class _Camera:
    """What is kept about one camera."""

    course: CameraCourse
    scores: CameraScores
    area: str | None = None
    observed_at: float = float("-inf")
    said: tuple[int, int | None] | None = None
    """What the last forecast was about: what goes on, and what has begun last."""
    said_at: float = float("-inf")
    unknown_since: float = 0.0
    watched_since: float = 0.0
    """Since when nothing was missed. A restart of the forecaster misses nothing that events report later."""
    losses: list[Loss] = field(default_factory=list)
    follows_events: bool = False


class Forecaster:
    """Follows all cameras of a node. Not thread-safe."""

    def __init__(
        self,
        node: str,
        recognizer: Recognizer,
        diary: Diary,
        executor: Executor,
        now: float,
        *,
        zone: tzinfo | None,
        predictor: str,
    ) -> None:
        """`now`: seconds since the epoch. `zone`: the home's; None is this machine's. `predictor`: mix or one of NAMES.

        It learns from the diary, which must have started: once here, and later on the executor.
        """
        self._node, self.recognizer, self._diary, self._zone = node, recognizer, diary, zone
        self._name = predictor
        self.states = recognizer.states
        labels, emission = recognizer.labels, recognizer.emission
        threshold = 0.0 if emission is None else emission.threshold
        self._symbols = Symbols(self.states, labels.labels, threshold)
        self.observations = Observations(labels.labels_sha, len(labels.labels))
        lasting = max(LASTING, (emission and emission.lasting) or 0.0)
        self._beliefs = Beliefs(self._symbols.emission(emission), lasting, self._prior)
        self._cameras: dict[str, _Camera] = {}
        self._evidence: dict[str, int] = {}
        """Symbols since the last tick, by camera."""
        self._skill = SkillRecord(diary.losses(now - SKILL_PERIOD, question=NEXT), now)
        self._reported_at = float("-inf")
        self._learner = Learner(partial(learn, diary, self.states, zone, predictor), executor, now)

    @property
    def cameras(self) -> list[str]:
        """The names of the cameras that it follows."""
        return list(self._cameras)

    def observe(self, message: ObservationMessage, now: float) -> None:
        """Follow an observation."""
        camera = self._camera(message.camera, now)
        if message.dt is not None and message.dt < 0:
            self._start_again(message.camera, now)
        probabilities = self.observations.take(message, now)
        camera.area = message.area
        if message.valid:
            camera.observed_at = now
        if probabilities is not None:
            self._evidence[message.camera] = self._symbols.of(probabilities)

    def follow(self, message: EventMessage, now: float) -> None:
        """Follow an event."""
        camera = self._camera(message.camera, now)
        camera.area = message.area
        if now - message.updated_at > LATE:
            message = message.model_copy(update={"historical": True})
        course = camera.course
        if message.event_type is EventType.END:
            if (episode := course.end(message)) is not None:
                self._learner.add(self._diary.add(message.camera, [(message.id, episode)]))
                camera.unknown_since = episode.end
        elif course.begin(message) and course.activity is not None:
            camera.losses += camera.scores.began(course.activity, message.started_at)
            camera.scores.ask_next(self._situation(message.camera, message.started_at), self._asked())

    def follow_health(self, message: HealthMessage, now: float) -> None:
        """Follow a camera's health: while it is away, frozen or dark, nothing is known.

        A camera that has left the config is no longer followed.
        """
        if message.reason == REMOVED_REASON:
            self._cameras.pop(message.camera, None)
            self._evidence.pop(message.camera, None)
            return
        camera = self._camera(message.camera, now)
        camera.area = message.area
        if message.state not in SEEING:
            camera.course.go_away(message.since)
            camera.scores.forget()
        elif (away := camera.course.come_back(message.since)) is not None:
            self._diary.add_away(message.camera, away)
            camera.watched_since = away.end

    def tick(self, now: float) -> list[ForecastMessage]:
        """Advance to a time, and return the forecasts to publish."""
        self._learner.advance(now)
        self._beliefs.advance(now, self._model_at)
        self._beliefs.correct(self._evidence | self._evidence_of_events(now))
        self._evidence = {}
        self._store_losses(now)
        self._report_dropped(now)
        self._diary.retry()
        if not self._learner.has_looked_ahead(now):
            return []
        return [message for name in self._cameras if (message := self._forecast(name, now)) is not None]

    def _forecast(self, name: str, now: float) -> ForecastMessage | None:
        """Return the forecast of a camera when the likeliest activity has changed, and once a minute."""
        camera, situation = self._cameras[name], self._situation(name, now)
        camera.scores.sample(situation, self._asked(), HORIZONS)
        says = int(shown(situation.belief, self.states).argmax()), camera.course.activity
        if says == camera.said and 0 <= now - camera.said_at < PUBLISH_PERIOD:
            return None
        camera.said, camera.said_at = says, now
        learned = self._learner.learned
        seen = outlook(situation, learned.predictor, learned.predictors.hmm, learned.past, HORIZONS)
        return message_of(seen, self.states, self._about(name, seen))

    def _about(self, name: str, seen: Outlook) -> About:
        camera, learned = self._cameras[name], self._learner.learned
        is_known = seen.likeliest < self.states.unknown
        return About(
            node=self._node,
            camera=name,
            area=camera.area,
            labels_sha=self.recognizer.labels.labels_sha,
            predictor=self._name,
            trained_until=learned.trained_until,
            since=camera.course.since if is_known else camera.unknown_since,
            skill=self._skill.skill,
            surprise=camera.scores.surprise,
            unusual=unusual_now(seen, camera.course, learned.begins.get(name), self._zone, camera.watched_since),
        )

    def _situation(self, name: str, time: float) -> Situation:
        course = self._cameras[name].course
        return Situation(time, self._beliefs.of(name), course.activity, course.since, course.previous, course.ended)

    def _asked(self) -> dict[str, Predictor]:
        learned = self._learner.learned
        return {**learned.predictors.by_name(), PUBLISHED: learned.predictor}

    def _evidence_of_events(self, now: float) -> dict[str, int]:
        """Return the symbols of cameras whose observations are switched off, from what their events say."""
        evidence: dict[str, int] = {}
        for name, camera in self._cameras.items():
            course = camera.course
            if now - camera.observed_at > SILENCE and course.away_since is None and course.activity is not None:
                evidence[name] = self._symbols.of_activity(course.current)
                if not camera.follows_events:
                    log.info("%s: no observations come (mqtt.observations), so its events are the evidence", name)
            camera.follows_events = name in evidence
        return evidence

    def _report_dropped(self, now: float) -> None:
        """Log once in ten minutes how many observations could not be used."""
        dropped = self.observations.dropped
        if dropped and not 0 <= now - self._reported_at < REPORT_PERIOD:
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items()))
            log.warning("observations that could not be used: %s", reasons)
            dropped.clear()
            self._reported_at = now

    def _store_losses(self, now: float) -> None:
        losses: list[Loss] = []
        for camera in self._cameras.values():
            if camera.course.away_since is None:
                current = camera.course.current
                losses += camera.scores.reached(now, self.states.unknown if current is None else current)
            losses += camera.losses
            camera.losses = []
        if losses:
            self._diary.add_losses(losses, keep_since=now - 2 * SKILL_PERIOD)
            self._skill.add(losses, now)

    def _prior(self, time: float) -> Floats:
        return self._learner.learned.predictors.baseline.belief(time)

    def _model_at(self, time: float) -> SemiMarkov:
        return self._learner.learned.predictors.hmm.daily.at(hour_of(time, self._zone))

    def _camera(self, name: str, now: float) -> _Camera:
        if name not in self._cameras:
            camera = _Camera(CameraCourse(self.states), CameraScores(name), watched_since=now)
            camera.course.resume(self._diary.episodes(name, last=RESUMED))
            self._cameras[name] = camera
            self._beliefs.add(name, now)
        return self._cameras[name]

    def _start_again(self, name: str, now: float) -> None:
        """A replay starts again, so times go back."""
        self.observations.forget(name)
        self._beliefs.restart(name, now)
        self._cameras[name].scores.forget()
