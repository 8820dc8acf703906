"""What the forecaster believes about each place: the state, its phase, and the look of the person to each camera."""

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
    """The beliefs of all places, which advance together. A place has one camera, or all cameras of a home.

    Given the state, the symbols of several cameras are taken as independent.
    """

    def __init__(self, matrix: Floats, lasting: float, prior: Callable[[float], Floats]) -> None:
        """`matrix` (S, J): P(symbol | state). `lasting`: the share of windows that repeat the look.

        `prior`: the belief (S, B) at a time of which nothing else is known.
        """
        self._matrix, self._prior = matrix, prior
        self._places: dict[str, int] = {}
        """The row of each place in the beliefs."""
        self._cameras: dict[str, int] = {}
        """The row of each camera in the looks."""
        self._place_of: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        """(cameras,) the row of the place of each camera."""
        self._belief = np.zeros((0, len(matrix), PHASES))
        self._looks = Looks(Emission(matrix[None][:0], lasting, TICK / RENEWAL))
        self._time: float | None = None

    def add(self, camera: str, time: float, place: str | None = None) -> None:
        """Follow one more camera from a time on, or follow one again that had left. None: it is a place of its own."""
        if camera in self._cameras:
            self.restart(camera, time)
            return
        name = camera if place is None else place
        if name not in self._places:
            self._places[name] = len(self._places)
            self._belief = np.concatenate([self._belief, self._prior(time)[None]])
        self._cameras[camera] = len(self._cameras)
        self._place_of = np.append(self._place_of, self._places[name])
        self._looks.add(self._matrix)

    def set_emission(self, camera: str, matrix: Floats) -> None:
        """Set the emission matrix (S, J) of a camera."""
        self._looks.set_emission(self._cameras[camera], matrix)

    def advance(self, time: float, model_at: Callable[[float], SemiMarkov]) -> None:
        """Advance all places to a time, in seconds since the epoch. `model_at`: the model of a time.

        Missing observations widen the belief. From a clock that was set back, it goes on at the new time.
        """
        if self._time is None or time < self._time:
            self._time = time
        if time - self._time > LONGEST_AWAY:
            self._begin_again(time)
        ticks = int((time - self._time) / TICK)
        for _ in range(ticks):
            self._time += TICK
            model = model_at(self._time)
            later = model.advance(self._belief)
            self._looks.advance(self._belief[self._place_of], later[self._place_of], model)
            self._belief = later

    def correct(self, symbols: Mapping[str, int]) -> None:
        """Weigh the beliefs with one symbol per camera."""
        if not symbols:
            return
        rows: NDArray[np.intp] = np.array([self._cameras[camera] for camera in symbols], dtype=np.intp)
        evidence = np.log(self._looks.correct(rows, np.array(list(symbols.values()), dtype=np.intp)))
        places, index = np.unique(self._place_of[rows], return_inverse=True)
        together = np.zeros((len(places), evidence.shape[1]))
        np.add.at(together, index, evidence)
        together -= together.max(axis=1, keepdims=True)
        self._belief[places], _ = correct(self._belief[places], np.exp(together))

    def of(self, place: str) -> Floats:
        """Return the belief (S, B) of a place."""
        return np.asarray(self._belief[self._places[place]])

    def restart(self, camera: str, time: float) -> None:
        """Forget what a camera showed, for example because its replay starts again.

        The belief of a place that other cameras see goes on.
        """
        row = self._cameras[camera]
        self._looks.restart(row)
        place = self._place_of[row]
        if (self._place_of == place).sum() == 1:
            self._belief[place] = self._prior(time)

    def _begin_again(self, time: float) -> None:
        self._time = time
        self._belief[:] = self._prior(time)
        for row in self._cameras.values():
            self._looks.restart(row)
