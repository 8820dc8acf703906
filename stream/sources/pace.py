"""When a recorded frame is due: at once, or when it would have come from a camera."""

from __future__ import annotations

import threading

from harstream.stream.sources.clock import Clock


class Pace:
    """Replay from `start`, seconds since the epoch; without a clock as fast as it goes, from 0."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock
        self.start = 0.0

    def begin(self) -> float:
        """The time of the first frame."""
        self.start = self._clock.now() if self._clock else 0.0
        return self.start

    def wait(self, offset: float, stopping: threading.Event) -> bool:
        """Wait until the frame `offset` seconds after the first is due; False if stopped meanwhile."""
        delay = self.start + offset - self._clock.now() if self._clock else 0.0
        return not stopping.wait(delay) if delay > 0 else not stopping.is_set()
