"""The looks of people to the recognizer, because its errors last.

A recognizer that takes a person's biking for a walk repeats that error window after window. A filter that takes the
windows as independent becomes certain of the error. So the model has a hidden look: what the person looks like to the
recognizer. A look is drawn from the emission matrix when an activity begins, and again now and then while it goes on.
Most windows repeat the look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.model.semi_markov import Floats, SemiMarkov

SMALLEST_FACTOR = 1e-6
"""A factor below it is multiplied into its row, before precision is lost."""


@dataclass(frozen=True, eq=False)
class Emission:
    """How a recognizer's symbols depend on the true activity. J symbols, for example each label sure and unsure."""

    matrix: Floats
    """(n, S, J) the probability of each symbol in each state in front of each of n cameras. Rows sum to 1."""
    lasting: float | Floats
    """The share of windows that repeat the look, 0 to 1. An array (n, 1) has one for each camera."""
    renewal: float
    """The probability of a new look in a tick while an activity goes on."""


class Looks:
    """The probability of each look in each state of n cameras.

    A row (J,) of a state is `own * stored + shared * emission`. A tick and a window change the two factors of all rows
    and only one column of `stored`, so the cost does not depend on J.
    Phases and looks are taken as independent given the state. With one phase per state, the result is exact.
    """

    def __init__(self, emission: Emission) -> None:
        """Each look has the probability of the emission matrix at first."""
        n, S, J = emission.matrix.shape
        self._emission = emission
        self._stored = np.zeros((n, S, J))
        self._own = np.ones((n, S))
        self._shared = np.ones((n, S))

    def add(self, matrix: Floats) -> None:
        """Add a camera with this emission matrix (S, J)."""
        S, J = matrix.shape
        self._emission = replace(self._emission, matrix=np.concatenate([self._emission.matrix, matrix[None]]))
        self._stored = np.concatenate([self._stored, np.zeros((1, S, J))])
        self._own = np.concatenate([self._own, np.ones((1, S))])
        self._shared = np.concatenate([self._shared, np.ones((1, S))])

    def set_emission(self, camera: int, matrix: Floats) -> None:
        """Set the emission matrix (S, J) of a camera."""
        matrices = self._emission.matrix.copy()
        matrices[camera] = matrix
        self._emission = replace(self._emission, matrix=matrices)

    def restart(self, camera: int) -> None:
        """Draw the looks of a camera anew."""
        self._stored[camera], self._own[camera], self._shared[camera] = 0.0, 1.0, 1.0

    def probabilities(self) -> Floats:
        """Return P(look | state), (n, S, J)."""
        return self._own[..., None] * self._stored + self._shared[..., None] * self._emission.matrix

    def advance(self, before: Floats, after: Floats, model: SemiMarkov) -> None:
        """Follow a tick. `before`, `after`: the beliefs (n, S, B) around it."""
        began = model.entering(before) / np.maximum(after.sum(axis=-1), 1e-300)
        share = 1 - (1 - np.minimum(began, 1.0)) * (1 - self._emission.renewal)
        self._own *= 1 - share
        self._shared = (1 - share) * self._shared + share

    def correct(self, cameras: NDArray[np.intp], symbols: NDArray[np.intp]) -> Floats:
        """Follow a window of each of these cameras (m,), which showed these symbols (m,).

        Returns the evidence (m, S): the probability of the symbol in each state.
        """
        fresh, lasting = self._emission.matrix[cameras, :, symbols], self._emission.lasting
        if isinstance(lasting, np.ndarray):
            lasting = lasting[cameras]
        own, shared = self._own[cameras], self._shared[cameras]
        seen = self._stored[cameras, :, symbols]
        same = own * seen + shared * fresh
        evidence = np.maximum((1 - lasting) * fresh + lasting * same, 1e-300)
        factor = (1 - lasting) * fresh / evidence
        self._own[cameras], self._shared[cameras] = own * factor, shared * factor
        self._materialise(self._own < SMALLEST_FACTOR)
        self._stored[cameras, :, symbols] += lasting * same / evidence / self._own[cameras]
        return evidence

    def _materialise(self, rows: NDArray[np.bool_]) -> None:
        """Write these rows (n, S) out, so that their factors become 1 and 0."""
        if not rows.any():
            return
        self._stored[rows] *= self._own[rows][:, None]
        self._stored[rows] += self._shared[rows][:, None] * self._emission.matrix[rows]
        self._own[rows], self._shared[rows] = 1.0, 0.0
