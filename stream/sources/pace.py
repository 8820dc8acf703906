"""When a recorded frame is due: at once, or when it would have come from a camera."""

from __future__ import annotations

import threading

from harstream.stream.sources.clock import Clock


class Pace:
    """Replays a recording at its own pace from now on, by a clock; without a clock as fast as it goes."""

    def __init__(self, clock: Clock | None = None, *, start: float = 0.0) -> None:
        """`start`: time of the first frame without a clock, in seconds since the epoch."""
        self._clock = clock
        self.start = start

    def begin(self) -> float:
        """Start the replay; return the time of its first frame, in seconds since the epoch."""
        if self._clock:
            self.start = self._clock.now()
        return self.start

    def wait(self, offset: float, stopping: threading.Event) -> bool:
        """Wait until the frame `offset` seconds after the first one is due; return False if stopped meanwhile."""
        delay = self.start + offset - self._clock.now() if self._clock else 0.0
        return not stopping.wait(delay) if delay > 0 else not stopping.is_set()
