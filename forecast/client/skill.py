"""Measures the predictors on what really happened, each time before they learn from it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harstream.forecast.client.diary import Loss
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.predictors.mix import NEXT, loss_of, question
from harstream.forecast.predictors.protocol import Predictor, Situation

SKILL_PERIOD = 14 * 86400.0
"""Seconds of the past over which the skill is measured."""
CHANGES_NEEDED = 30
"""Changes of activity before a next activity is published."""
PUBLISHED, BASELINE = "published", "baseline"
"""The names of what was published, and of what it must beat, among the predictors."""
SAMPLE_PERIOD = 1800.0
"""Seconds between two moments at which the horizons are checked. Nearer ones would repeat each other's errors."""


@dataclass(frozen=True)
class Skill:
    """How good the published forecasts of the next activity were, against the baseline."""

    value: float
    """1 - loss / loss of the baseline. 0 without changes."""
    changes: int
    days: float
    """Days from the first of these changes until now."""

    @property
    def is_enough(self) -> bool:
        return self.changes >= CHANGES_NEEDED and self.value > 0

    @property
    def reason(self) -> str:
        """Why the next activity is not published, for a person."""
        if self.changes < CHANGES_NEEDED:
            return f"{self.changes} of {CHANGES_NEEDED} changes of activity seen"
        return f"in the last {self.days:.0f} days it was no better than how often each activity begins at this hour"


class SkillRecord:
    """The losses of the last 14 days that the skill follows from."""

    def __init__(self, losses: Iterable[Loss], now: float) -> None:
        self._ours: deque[Loss] = deque()
        self._theirs: deque[Loss] = deque()
        self.skill = Skill(0.0, 0, 0.0)
        self.add(losses, now)

    def add(self, losses: Iterable[Loss], now: float) -> None:
        """Add losses, in the order of time. Those of other questions and predictors do not count."""
        for each in losses:
            if each.question == NEXT and each.predictor in (PUBLISHED, BASELINE):
                (self._ours if each.predictor == PUBLISHED else self._theirs).append(each)
        for group in (self._ours, self._theirs):
            while group and group[0].time <= now - SKILL_PERIOD:
                group.popleft()
        self.skill = self._measure(now)

    def _measure(self, now: float) -> Skill:
        if not self._ours or not self._theirs:
            return Skill(0.0, 0, 0.0)
        mean, baseline = (float(np.mean([each.loss for each in group])) for group in (self._ours, self._theirs))
        value = 1 - mean / baseline if baseline > 0 else 0.0
        return Skill(value, len(self._ours), max(now - self._ours[0].time, 0.0) / 86400)


@dataclass(frozen=True, eq=False)
class _Pending:
    """A forecast of what goes on at a time, which is not reached yet."""

    due: float
    question: str
    probabilities: Mapping[str, Floats]
    """(K + 1,) by predictor."""


class PlaceScores:
    """The forecasts of one place that wait for what happens."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._next: dict[str, Floats] = {}
        self._pending: deque[_Pending] = deque()
        self._sampled_at = -np.inf
        self.surprise: float | None = None
        """-ln of the probability of the last activity that began, in nats."""

    def ask_next(self, situation: Situation, predictors: Mapping[str, Predictor]) -> None:
        """Store what each predictor expects after an activity that has just begun."""
        self._next = {name: each.next(situation) for name, each in predictors.items()}

    def began(self, activity: int, time: float) -> list[Loss]:
        """Return the losses of the stored forecasts, because another activity began."""
        losses = [
            Loss(self._place, time, NEXT, name, loss_of(float(probabilities[activity])))
            for name, probabilities in self._next.items()
        ]
        self.surprise = next((each.loss for each in losses if each.predictor == PUBLISHED), None)
        self._next = {}
        return losses

    def forget(self) -> None:
        """Drop what waits, because it will not be known what happens."""
        self._next = {}
        self._pending.clear()

    def sample(self, situation: Situation, predictors: Mapping[str, Predictor], horizons: Sequence[float]) -> None:
        """Every half hour, store what each predictor expects after each horizon."""
        if 0 <= situation.time - self._sampled_at < SAMPLE_PERIOD:
            return
        self._sampled_at = situation.time
        answers = {name: each.going_on(situation, horizons) for name, each in predictors.items()}
        for row, horizon in enumerate(horizons):
            rows = {name: answer[row] for name, answer in answers.items()}
            self._pending.append(_Pending(situation.time + horizon, question(horizon), rows))
        self._pending = deque(sorted(self._pending, key=lambda each: each.due))

    def reached(self, time: float, shown: int) -> list[Loss]:
        """Return the losses of the forecasts for a time that is reached. `shown`: what goes on, K for unknown.

        A forecast for a time long before is dropped: the clock has jumped, or nobody watched at that time.
        """
        losses: list[Loss] = []
        while self._pending and self._pending[0].due <= time:
            due = self._pending.popleft()
            if time - due.due > SAMPLE_PERIOD:
                continue
            for name, probabilities in due.probabilities.items():
                losses.append(Loss(self._place, time, due.question, name, loss_of(float(probabilities[shown]))))
        return losses
