"""What the forecaster believes about each camera: the state, its phase, and the look of the person."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.learning.semi_markov_fit import PHASES
from harstream.forecast.model.looks import Emission, Looks
from harstream.forecast.model.semi_markov import Floats, SemiMarkov, correct
from harstream.wire.messages.emission import RENEWAL

LONGEST_AWAY = 6 * 3600.0
"""After so many seconds without a tick, the belief starts again."""
TICK = 1.0
"""Seconds."""


class Beliefs:
    """The beliefs of all cameras, which advance together."""

    def __init__(self, matrix: Floats, lasting: float, prior: Callable[[float], Floats]) -> None:
        """`matrix` (S, J): P(symbol | state). `lasting`: the share of windows that repeat the look.

        `prior`: the belief (S, B) at a time of which nothing else is known.
        """
        self._matrix, self._prior = matrix, prior
        self._rows: dict[str, int] = {}
        self._belief = np.zeros((0, len(matrix), PHASES))
        self._looks = Looks(Emission(matrix[None][:0], lasting, TICK / RENEWAL))
        self._time: float | None = None

    def add(self, camera: str, time: float) -> None:
        """Follow one more camera from a time on, or follow one again that had left."""
        if camera in self._rows:
            self.restart(camera, time)
            return
        self._rows[camera] = len(self._rows)
        self._belief = np.concatenate([self._belief, self._prior(time)[None]])
        self._looks.add(self._matrix)

    def advance(self, time: float, model_at: Callable[[float], SemiMarkov]) -> None:
        """Advance all cameras to a time, in seconds since the epoch. `model_at`: the model of a time.

        Missing observations widen the belief. A clock that was set back changes nothing.
        """
        if self._time is None or time - self._time > LONGEST_AWAY:
            for camera in self._rows if self._time is not None else ():
                self.restart(camera, time)
            self._time = time
            return
        ticks = int((time - self._time) / TICK)
        for _ in range(ticks):
            self._time += TICK
            model = model_at(self._time)
            later = model.advance(self._belief)
            self._looks.advance(self._belief, later, model)
            self._belief = later

    def correct(self, symbols: Mapping[str, int]) -> None:
        """Weigh the beliefs with one symbol per camera."""
        if not symbols:
            return
        rows: NDArray[np.intp] = np.array([self._rows[camera] for camera in symbols], dtype=np.intp)
        evidence = self._looks.correct(rows, np.array(list(symbols.values()), dtype=np.intp))
        self._belief[rows], _ = correct(self._belief[rows], evidence)

    def of(self, camera: str) -> Floats:
        """Return the belief (S, B) of a camera."""
        return np.asarray(self._belief[self._rows[camera]])

    def restart(self, camera: str, time: float) -> None:
        """Forget what is believed about a camera, for example because its replay starts again."""
        self._belief[self._rows[camera]] = self._prior(time)
        self._looks.restart(self._rows[camera])
