"""A monotonic clock that starts at wall time. All live cameras of a process share one."""

from __future__ import annotations

import time


class Clock:
    """Gives seconds since the epoch without jumps. A step of the system clock would break every window."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()
