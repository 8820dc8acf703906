"""Asks all predictors about each day of a home, after they learned from other days."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

import numpy as np

from harstream.forecast.client.outlook import ENDS_NEEDED, QUANTILES, until_next
from harstream.forecast.client.skill import SAMPLE_PERIOD
from harstream.forecast.client.unusual import RARELY_LONG
from harstream.forecast.evaluation.folds import Courses, Fold, Folding, begin_of, folds
from harstream.forecast.evaluation.scores import losses
from harstream.forecast.learning.changes import Change, changes
from harstream.forecast.learning.episodes import Interval
from harstream.forecast.learning.local_time import day_of, hour_of
from harstream.forecast.learning.semi_markov_fit import PHASES
from harstream.forecast.model.horizons import chain_of, surviving
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States
from harstream.forecast.predictors.hmm import Hmm
from harstream.forecast.predictors.mix import NAMES, NEXT, Mix, Predictors, question, weights_after
from harstream.forecast.predictors.protocol import Past, Predictor, Situation

HORIZONS = (60.0, 600.0, 3600.0)
"""Seconds."""
SPACING = 600.0
"""Seconds between two moments at which it is asked what goes on later."""
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
    until: list[tuple[float, ...]] = field(default_factory=list)
    """Seconds until the next activity begins, as expected: p10, p50 and p90."""
    waited: list[float] = field(default_factory=list)
    """The same as it was."""
    days: int = 0
    alarms: int = 0
    """Activities that were called unusually long."""


def ask(courses: Courses, states: States, folding: Folding, zone: tzinfo | None) -> HomeAnswers:
    """Ask about all days of a home. `courses`: of its cameras, not all empty."""
    asked = HomeAnswers(states.activities)
    for fold in folds(courses, folding, zone):
        asked.days += 1
        past = Past(states, fold.learned, zone, fold.now)
        learned = Predictors.fit(past, HORIZONS, TICK)
        named: dict[str, Predictor] = dict(learned.by_name())
        weights = _weights(asked, fold) if folding is Folding.PREQUENTIAL else {}
        named[MIX] = Mix(dict(learned.by_name()), weights)
        for course in courses:
            _ask_changes(asked, fold, course, named, (learned.hmm, past))
            _ask_moments(asked, fold, course, named, (learned.hmm, past))
            asked.alarms += sum(
                _is_unusual(each, learned.hmm, zone)
                for each in course
                if each.state < states.unknown and day_of(each.start, zone) == fold.day
            )
    return asked


def _weights(asked: HomeAnswers, fold: Fold) -> dict[str, dict[str, float]]:
    """Return the weights of the mix after the days before, from as many losses as the forecaster has."""
    rows: list[tuple[str, str, float, float]] = []
    for name in NAMES:
        rows += [(NEXT, name, *row) for row in _timed(asked.next, name)]
        for horizon, answers in asked.later.items():
            sampled = (row for row in _timed(answers, name) if row[0] % SAMPLE_PERIOD == 0)
            rows += [(question(horizon), name, *row) for row in sampled]
    return weights_after(rows, NAMES, fold.now)


def _timed(answers: Answers, name: str) -> Iterator[tuple[float, float]]:
    if answers.times:
        yield from zip(answers.times, answers.losses(name).tolist(), strict=True)


def _ask_changes(
    asked: HomeAnswers, fold: Fold, course: Sequence[Interval], named: dict[str, Predictor], model: tuple[Hmm, Past]
) -> None:
    """Ask at the start of each activity of the day which other one is next, and when it begins."""
    hmm, past = model
    for change in changes(course, past.states.unknown):
        if day_of(change.since, past.zone) == fold.day:
            situation = _at_begin(change, past.states)
            _add(asked.next, change.since, fold.day, change.next)
            for name, predictor in named.items():
                asked.next.probabilities[name].append(predictor.next(situation))
            asked.until.append(tuple(until_next(situation, past.states, hmm, past, QUANTILES)))
            asked.waited.append(change.at - change.since)


def _ask_moments(
    asked: HomeAnswers, fold: Fold, course: Sequence[Interval], named: dict[str, Predictor], model: tuple[Hmm, Past]
) -> None:
    """Ask every ten minutes of the day what goes on after each horizon."""
    hmm, past = model
    begin, end = begin_of(fold.day, past.zone), begin_of(fold.day + 1, past.zone)
    starts = [interval.start for interval in course]
    for time in np.arange(begin, end, SPACING):
        if (now := _at(course, starts, float(time))) is None:
            continue
        situation = _in_the_middle(now, float(time), hmm, past.states)
        found = {name: predictor.going_on(situation, HORIZONS) for name, predictor in named.items()}
        for row, (horizon, answers) in enumerate(asked.later.items()):
            if (then := _at(course, starts, float(time) + horizon)) is not None:
                _add(answers, float(time), fold.day, int(past.states.shows[then.state]))
                for name, probabilities in found.items():
                    answers.probabilities[name].append(probabilities[row])


def _add(answers: Answers, time: float, day: int, truth: int) -> None:
    answers.times.append(time)
    answers.days.append(day)
    answers.truth.append(truth)


def _at(course: Sequence[Interval], starts: list[float], time: float) -> Interval | None:
    """Return the interval of a time; None if it is not known what went on."""
    index = bisect_right(starts, time) - 1
    return course[index] if index >= 0 and time < course[index].end else None


def _at_begin(change: Change, states: States) -> Situation:
    belief = np.zeros((states.count, PHASES))
    belief[change.activity, 0] = 1.0
    return Situation(change.since, belief, change.activity, change.since, change.previous, change.ended)


def _in_the_middle(now: Interval, time: float, hmm: Hmm, states: States) -> Situation:
    """Return the situation in an interval of which the start is known."""
    ticks = int((time - now.start) / TICK)
    phases = np.linalg.matrix_power(chain_of(hmm.daily.plain, [now.state]), ticks)[0]
    belief = np.zeros((states.count, PHASES))
    belief[now.state] = phases / max(phases.sum(), 1e-300)
    never = np.full(states.unknown, -np.inf)
    activity = now.state if now.state < states.unknown else now.previous
    return Situation(time, belief, activity, now.start, now.previous, never)


def _is_unusual(interval: Interval, hmm: Hmm, zone: tzinfo | None) -> bool:
    """Return whether the activity was called unusually long before it ended."""
    if hmm.ends[interval.state] < ENDS_NEEDED:
        return False
    stretches = hmm.stretches(hour_of(interval.start, zone), interval.end - interval.start)
    return surviving(interval.state, stretches) < RARELY_LONG
