"""The states of the model: each activity, and an unknown state after each activity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harstream.models.contract import UNKNOWN


@dataclass(frozen=True)
class States:
    """The states for K activities: S = 2K + 1.

    One unknown state for all would forget what happened before it. So each activity has its own, and one more stands
    for the start, before the first activity.

    state:  0 .. K-1     K .. 2K-1          2K
    means:  activity     unknown after it   unknown at the start
    shows:  0 .. K-1     K                  K
    """

    activities: tuple[str, ...]

    @property
    def count(self) -> int:
        """S, the number of states."""
        return 2 * len(self.activities) + 1

    @property
    def unknown(self) -> int:
        """K, the number that stands for unknown among the shown activities."""
        return len(self.activities)

    @property
    def at_start(self) -> int:
        """The unknown state before the first activity."""
        return 2 * len(self.activities)

    @property
    def shown_names(self) -> tuple[str, ...]:
        """(K + 1,) what a state can show: the activities, and `unknown`."""
        return (*self.activities, UNKNOWN)

    @cached_property
    def shows(self) -> NDArray[np.intp]:
        """(S,) what each state shows: a number below K, or K for unknown."""
        K = len(self.activities)
        return np.array([*range(K), *[K] * (K + 1)], dtype=np.intp)

    @cached_property
    def can_follow(self) -> NDArray[np.bool_]:
        """(S, S) whether the second state can follow the first one.

        An activity is followed by another activity or by its own unknown state, and unknown by any activity.
        """
        K = len(self.activities)
        allowed = np.zeros((self.count, self.count), dtype=np.bool_)
        allowed[:, :K] = True
        allowed[np.arange(K), np.arange(K)] = False
        allowed[np.arange(K), K + np.arange(K)] = True
        return allowed

    def after(self, activity: int) -> int:
        """Return the unknown state after an activity."""
        return len(self.activities) + activity
