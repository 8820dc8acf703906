"""Random waits between attempts that grow with each failure, so that many clients do not retry in step."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable


class Backoff:
    """Exponential backoff with full jitter: each wait is drawn from 0 up to a bound that doubles.

    attempt:        1          2          3          4          reset, 1
    wait (s):       0 to 1     0 to 2     0 to 4     0 to 4     0 to 1       (first=1, longest=4)

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter gives the least work.
    """

    def __init__(
        self,
        stopping: threading.Event,
        *,
        first: float,
        longest: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`first`, `longest`: bounds of the first and of any wait, in seconds. `stopping` interrupts a wait. `chance`
        returns a random number from 0 to 1."""
        self.attempts = 0
        """Number of waits since the last reset."""
        self._stopping = stopping
        self._first = first
        self._longest = longest
        self._chance = chance

    def wait(self, *, at_least: float = 0.0) -> bool:
        """Wait `at_least` seconds plus the random wait. Return False if `stopping` is set."""
        bound = min(self._longest, self._first * 2.0 ** min(self.attempts, 64))
        self.attempts += 1
        return not self._stopping.wait(at_least + bound * self._chance())

    def reset(self) -> None:
        """Make the next wait a short one again."""
        self.attempts = 0
