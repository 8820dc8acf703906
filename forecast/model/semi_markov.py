"""The semi-Markov model of activities, and its exact filter.

A state lasts through phases, each longer than the one before it. In a tick it ends with the hazard of its phase, or
enters its next phase with the pace of that phase, or stays. When it ends, another state begins in its first phase.
Few phases represent durations from seconds to hours.
Source: discrete Coxian durations, T. Duong, D. Phung, H. Bui, S. Venkatesh, "Efficient duration and hierarchical
modeling for human activity recognition", Artificial Intelligence 173 (2009) 830-856.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LARGEST_HAZARD = 0.999


@dataclass(frozen=True, eq=False)
class SemiMarkov:
    """S states with B phases each. An n in front of `hazard` and `follow` makes n models, one for each belief."""

    hazard: Floats
    """(S, B) the probability that a state ends in a tick."""
    pace: Floats
    """(B,) the probability that a state which does not end enters its next phase. The last one is 0."""
    follow: Floats
    """(S, S) the probability of each state after a state that ends. Rows sum to 1."""
    shows: NDArray[np.intp]
    """(S,) what each state shows, as `States.shows`."""

    def scaled(self, ending: Floats, beginning: Floats) -> SemiMarkov:
        """Return the model for an hour of the day.

        `ending`, `beginning`: (S,) how much more often than on average each state ends and begins in that hour.
        """
        follow = self.follow * beginning
        hazard = np.clip(self.hazard * ending[:, None], 0.0, LARGEST_HAZARD)
        return SemiMarkov(hazard, self.pace, follow / follow.sum(axis=1, keepdims=True), self.shows)

    def advance(self, belief: Floats) -> Floats:
        """Return the belief (..., S, B) one tick later, without evidence. It sums to what it summed before."""
        ending = belief * self.hazard
        staying = belief - ending
        moving = staying * self.pace
        staying -= moving
        staying[..., 1:] += moving[..., :-1]
        staying[..., 0] += self._followed(ending.sum(axis=-1))
        return staying

    def entering(self, belief: Floats) -> Floats:
        """Return the probability (..., S) that a state begins in the next tick."""
        return self._followed((belief * self.hazard).sum(axis=-1))

    def _followed(self, ending: Floats) -> Floats:
        """Return the probability (..., S) that each state begins, where states end with (..., S)."""
        if self.follow.ndim == 2:
            return np.asarray(ending @ self.follow)
        return np.asarray((ending[:, None] @ self.follow)[:, 0])


def correct(belief: Floats, evidence: Floats) -> tuple[Floats, Floats]:
    """Weigh a belief (..., S, B) with evidence (..., S), the probability of what was seen in each state.

    Returns the new belief, which sums to 1, and the logarithm of the probability of what was seen (...).
    Source: L. Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77 (1989), eq. 19 to 21, with scaling.
    """
    weighed = belief * evidence[..., None]
    total = weighed.sum(axis=(-2, -1), keepdims=True)
    return weighed / total, np.log(total[..., 0, 0])
