"""Turns observations into symbols, and the emission matrix of a model into P(symbol | state)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harstream.forecast.client.soundness import EARLIEST, FURTHEST_AHEAD, ROUNDED
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States
from harstream.wire.messages.camera import ObservationMessage
from harstream.wire.messages.emission import SHORTEST_STEP, EmissionMessage
from harstream.wire.messages.node import LabelsMessage

log = logging.getLogger(__name__)

LASTING = 0.97
"""The least share of windows that repeat the look.

Models were measured on clips of some seconds, which gave 0.59 and 0.66. But clips end before errors that last minutes
can be seen, and with these values the forecast of five simulated worlds is worse wherever errors last. See
`python -m harstream.forecast.evaluation.lasting_errors`.
"""
RIGHT_SHARE = 0.85
"""How often a model is right whose errors were never measured."""
SMALLEST = 1e-4
"""The smallest share of a symbol. With 0, one window would rule an activity out that the clips never showed so."""
REPORT_PERIOD = 600.0
"""Seconds between two lines in the log about observations that could not be used."""
FURTHEST_BACK = 60.0
"""Seconds by which a message may be late. The times of a camera with an older one have gone back."""
LONGEST_SPAN = 60.0
"""Seconds. No window is longer, so a message that says so would silence its camera."""


@dataclass(frozen=True)
class Recognizer:
    """The model whose recognitions are followed, as its node describes it."""

    labels: LabelsMessage
    emission: EmissionMessage | None

    @property
    def states(self) -> States:
        background = set(self.labels.background)
        return States(tuple(label for label in self.labels.labels if label not in background))


class Symbols:
    """The symbols of a model: each activity and unknown, sure and unsure. J = 2 (K + 1).

    symbol:  0 .. K-1         K              K+1 .. 2K          2K+1
    means:   activity, sure   unknown, sure  activity, unsure   unknown, unsure
    """

    def __init__(self, states: States, labels: Sequence[str], threshold: float) -> None:
        """`labels`: of the model, in the order of its probabilities. `threshold`: the score of a sure window."""
        numbers = {name: number for number, name in enumerate(states.activities)}
        self._shown = np.array([numbers.get(label, states.unknown) for label in labels])
        self._threshold = threshold
        self._states = states
        self.count = 2 * (states.unknown + 1)

    def of(self, probabilities: Sequence[float]) -> int:
        """Return the symbol of a window."""
        best = int(np.argmax(probabilities))
        is_sure = probabilities[best] >= self._threshold
        return int(self._shown[best]) + (0 if is_sure else self._states.unknown + 1)

    def of_activity(self, activity: int | None) -> int:
        """Return the sure symbol of an activity, or of unknown for None: the evidence of an event."""
        return self._states.unknown if activity is None else activity

    def emission(self, message: EmissionMessage | None) -> Floats:
        """Return (S, J): P(symbol | state). Without a message, the model is assumed to be right in 0.85 of windows."""
        if message is None:
            return self._rows(self._assumed())
        matrix = np.array(message.matrix if message.sure is None else message.sure)
        if message.sure is None:
            matrix = np.hstack([matrix, matrix]) / 2  # it does not say how sure the model is
        prior = np.array(message.prior)
        shown = self._states.unknown + 1
        rows = np.zeros((shown, self.count))
        weight = np.bincount(self._shown, prior, shown)
        for label, row in enumerate(self._shown):
            for half in range(2):
                part = matrix[label, half * len(self._shown) : (half + 1) * len(self._shown)]
                rows[row, half * shown : (half + 1) * shown] += prior[label] * np.bincount(self._shown, part, shown)
        unseen = weight == 0  # for example a model without background
        rows[unseen] = self._assumed()[unseen]
        return self._rows(rows)

    def _assumed(self) -> Floats:
        shown = self._states.unknown + 1
        one = np.full((shown, shown), (1 - RIGHT_SHARE) / max(shown - 1, 1))
        np.fill_diagonal(one, RIGHT_SHARE)
        return np.hstack([one, one]) / 2

    def _rows(self, rows: Floats) -> Floats:
        """Return a row per state, from a row per shown activity."""
        normal = np.maximum(rows / rows.sum(axis=1, keepdims=True), SMALLEST)
        normal /= normal.sum(axis=1, keepdims=True)
        return np.asarray(normal[self._states.shows])


class Observations:
    """Decides which observations count. Each window counts once: windows inside one span show the same frames."""

    def __init__(self, labels_sha: str, labels: int) -> None:
        """`labels`: the number of labels of the model."""
        self._labels_sha, self._labels = labels_sha, labels
        self._due: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self.dropped: Counter[str] = Counter()
        """Numbers of observations that could not be used, by reason."""
        self._reported_at = float("-inf")

    def take(self, message: ObservationMessage, now: float) -> list[float] | None:
        """Return the probabilities of a window that counts, else None. `now`: seconds since the epoch."""
        if self._last.get(message.camera, -np.inf) > now + FURTHEST_AHEAD:
            self.forget(message.camera)  # the clocks were ahead
        if (reason := self._why_not(message, now)) is not None:
            self.dropped[reason] += 1
            return None
        self._last[message.camera] = message.t
        if not message.valid or message.p is None or message.t < self._due.get(message.camera, -np.inf):
            return None
        self._due[message.camera] = message.t + min(max(message.span_s or 0.0, SHORTEST_STEP), LONGEST_SPAN)
        return message.p

    def begins_again(self, message: ObservationMessage) -> bool:
        """Return whether the times of a camera have gone back, because a replay or a clock begins again."""
        is_first_of_them = message.dt is not None and message.dt < 0
        return is_first_of_them or message.t < self._last.get(message.camera, -np.inf) - FURTHEST_BACK

    def forget(self, camera: str) -> None:
        """Accept earlier times of a camera again, for example because a replay starts again."""
        self._due.pop(camera, None)
        self._last.pop(camera, None)

    def report(self, now: float) -> None:
        """Log once in ten minutes how many observations could not be used."""
        if self.dropped and not 0 <= now - self._reported_at < REPORT_PERIOD:
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.dropped.items()))
            log.warning("observations that could not be used: %s", reasons)
            self.dropped.clear()
            self._reported_at = now

    def _why_not(self, message: ObservationMessage, now: float) -> str | None:
        if message.labels_sha != self._labels_sha:
            return "of another model"
        if not message.t <= now + FURTHEST_AHEAD:
            return "from the future"
        if message.t < EARLIEST:
            return "from a clock that was not set"
        if message.t <= self._last.get(message.camera, -np.inf):
            return "out of order"
        if message.p is not None and len(message.p) != self._labels:
            return "with a wrong number of probabilities"
        if message.p is not None and not abs(sum(message.p) - 1) <= ROUNDED:
            return "whose probabilities do not sum to 1"
        return None
