"""A monotonic clock that starts at wall time. All live cameras of a process share one."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Gives seconds since the epoch without jumps. A step of the system clock would break every window."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        """`wall`: the system clock, in seconds since the epoch."""
        self._wall = wall
        self._offset = wall() - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()

    @property
    def step(self) -> float:
        """Seconds by which the system clock was set since the start; negative if it was set back."""
        return self._wall() - self.now()
