"""Asks all predictors about each day of a home, after they learned from other days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo

import numpy as np

from harstream.forecast.client.outlook import ENDS_NEEDED, QUANTILES
from harstream.forecast.client.skill import SAMPLE_PERIOD
from harstream.forecast.client.unusual import RARELY_LONG
from harstream.forecast.evaluation.folds import Courses, Fold, Folding, begin_of, folds
from harstream.forecast.evaluation.scores import begin_losses, losses
from harstream.forecast.evaluation.watched_course import WatchedCourse, at_begin
from harstream.forecast.learning.changes import changes
from harstream.forecast.learning.episodes import Interval
from harstream.forecast.learning.local_time import day_of, hour_of
from harstream.forecast.model.horizons import surviving
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States
from harstream.forecast.model.waiting_time import quantiles
from harstream.forecast.predictors.hmm import Hmm
from harstream.forecast.predictors.mix import NAMES, NEXT, Mix, Predictors, question, weights_after
from harstream.forecast.predictors.protocol import Past, Predictor
from harstream.forecast.predictors.structure import Structure

HORIZONS = (60.0, 600.0, 3600.0)
"""Seconds."""
BEGIN_HORIZONS = (60.0, 300.0, 900.0, 3600.0)
"""Seconds."""
SPACING = 600.0
"""Seconds between two moments at which it is asked what goes on later."""
BEGIN_SPACING = 1800.0
"""Seconds between two moments at which it is asked what begins."""
TICK = 10.0
"""Seconds of a tick of the model. Records have no shorter activities that matter."""
PREDICTORS = ("baseline", "hmm", "dbn", "mix")
MIX = "mix"


@dataclass(eq=False)
class Answers:
    """The answers to one question, row by row."""

    times: list[float] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    truth: list[int] = field(default_factory=list)
    """What happened."""
    probabilities: dict[str, list[Floats]] = field(default_factory=lambda: {name: [] for name in PREDICTORS})
    """By predictor."""

    def of(self, predictor: str) -> Floats:
        """Return (n, A)."""
        return np.array(self.probabilities[predictor])

    def losses(self, predictor: str) -> Floats:
        """Return (n,), in nats."""
        return losses(self.of(predictor), np.array(self.truth, dtype=np.intp))


@dataclass(eq=False)
class HomeAnswers:
    """What was asked about one home."""

    activities: tuple[str, ...]
    next: Answers = field(default_factory=Answers)
    later: dict[float, Answers] = field(default_factory=lambda: {horizon: Answers() for horizon in HORIZONS})
    """What goes on after each horizon in seconds."""
    begins: dict[float, dict[str, list[float]]] = field(
        default_factory=lambda: {horizon: {name: [] for name in PREDICTORS} for horizon in BEGIN_HORIZONS}
    )
    """The loss of what begins within each horizon, by predictor, in nats: the sum over activities."""
    until: dict[str, list[list[float]]] = field(default_factory=lambda: {name: [] for name in PREDICTORS})
    """Seconds until the next activity begins, as each predictor expects: p10, p50 and p90."""
    waited: list[float] = field(default_factory=list)
    """The same as it was."""
    days: int = 0
    alarms: int = 0
    """Activities that were called unusually long."""


@dataclass(frozen=True, eq=False)
class _Asked:
    """A fold with what was learned from it."""

    fold: Fold
    zone: tzinfo | None
    hmm: Hmm
    predictors: dict[str, Predictor]


def ask(
    courses: Courses, states: States, folding: Folding, zone: tzinfo | None, structure: Structure | None = None
) -> HomeAnswers:
    """Ask about all days of a home. `courses`: of its cameras, not all empty. `structure`: of `dbn`."""
    answers = HomeAnswers(states.activities)
    watched = [WatchedCourse(course, states) for course in courses]
    for fold in folds(courses, folding, zone):
        answers.days += 1
        learned = Predictors.fit(Past(states, fold.learned, zone, fold.now), HORIZONS, TICK, structure)
        weights = _weights(answers, fold) if folding is Folding.PREQUENTIAL else {}
        predictors = learned.by_name()
        asked = _Asked(fold, zone, learned.hmm, {**predictors, MIX: Mix(predictors, weights)})
        for course in watched:
            _ask_changes(answers, asked, course, states)
            _ask_later(answers, asked, course)
            _ask_begins(answers, asked, course)
            answers.alarms += sum(
                _is_unusual(each, learned.hmm, zone)
                for each in course.intervals
                if each.state < states.unknown and day_of(each.start, zone) == fold.day
            )
    return answers


def _weights(answers: HomeAnswers, fold: Fold) -> dict[str, dict[str, float]]:
    """Return the weights of the mix after the days before, from as many losses as the forecaster has."""
    rows: list[tuple[str, str, float, float]] = []
    for name in NAMES:
        rows += [(NEXT, name, *row) for row in _timed(answers.next, name)]
        for horizon, later in answers.later.items():
            sampled = (row for row in _timed(later, name) if row[0] % SAMPLE_PERIOD == 0)
            rows += [(question(horizon), name, *row) for row in sampled]
    return weights_after(rows, NAMES, fold.now)


def _timed(answers: Answers, name: str) -> Iterator[tuple[float, float]]:
    if answers.times:
        yield from zip(answers.times, answers.losses(name).tolist(), strict=True)


def _ask_changes(answers: HomeAnswers, asked: _Asked, course: WatchedCourse, states: States) -> None:
    """Ask at the start of each activity of the day which other one is next, and when it begins."""
    for change in changes(course.intervals, states.unknown):
        if day_of(change.since, asked.zone) == asked.fold.day:
            situation = at_begin(change, states)
            _add(answers.next, change.since, asked.fold.day, change.next)
            for name, predictor in asked.predictors.items():
                answers.next.probabilities[name].append(predictor.next(situation))
                answers.until[name].append(quantiles(predictor.changing(situation), QUANTILES))
            answers.waited.append(change.at - change.since)


def _ask_later(answers: HomeAnswers, asked: _Asked, course: WatchedCourse) -> None:
    """Ask every ten minutes of the day what goes on after each horizon."""
    for time in _moments(asked, SPACING):
        if (situation := course.situation(time, asked.hmm)) is None:
            continue
        found = {name: predictor.going_on(situation, HORIZONS) for name, predictor in asked.predictors.items()}
        for row, (horizon, later) in enumerate(answers.later.items()):
            if (then := course.shown_at(time + horizon)) is not None:
                _add(later, time, asked.fold.day, then)
                for name, probabilities in found.items():
                    later.probabilities[name].append(probabilities[row])


def _ask_begins(answers: HomeAnswers, asked: _Asked, course: WatchedCourse) -> None:
    """Ask every half hour of the day what begins within each horizon."""
    for time in _moments(asked, BEGIN_SPACING):
        if (situation := course.situation(time, asked.hmm)) is None:
            continue
        found = {name: predictor.beginning(situation, BEGIN_HORIZONS) for name, predictor in asked.predictors.items()}
        for row, (horizon, by_name) in enumerate(answers.begins.items()):
            if (began := course.begins_within(time, horizon)) is not None:
                for name, within in found.items():
                    by_name[name].append(float(begin_losses(within[row], began).sum()))


def _moments(asked: _Asked, spacing: float) -> Iterator[float]:
    """Yield moments of the day at equal distances."""
    day = asked.fold.day
    yield from np.arange(begin_of(day, asked.zone), begin_of(day + 1, asked.zone), spacing).tolist()


def _add(answers: Answers, time: float, day: int, truth: int) -> None:
    answers.times.append(time)
    answers.days.append(day)
    answers.truth.append(truth)


def _is_unusual(interval: Interval, hmm: Hmm, zone: tzinfo | None) -> bool:
    """Return whether the activity was called unusually long before it ended."""
    if hmm.ends[interval.state] < ENDS_NEEDED:
        return False
    stretches = hmm.stretches(hour_of(interval.start, zone), interval.end - interval.start)
    return surviving(interval.state, stretches) < RARELY_LONG
