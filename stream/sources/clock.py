"""One clock for all live cameras of a process: wall time at its start, monotonic from there."""

from __future__ import annotations

import time


class Clock:
    """Seconds since the epoch that never jump: a step of the system's clock would tear every window and event."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()
