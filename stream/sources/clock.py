"""One clock for all live cameras of a process: wall time at the start, and monotonic from then on."""

from __future__ import annotations

import time


class Clock:
    """Gives seconds since the epoch that never jump, because a step of the system clock would break every window."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()
