"""Decides when a recorded frame is due: at once, or at the recording's own pace."""

from __future__ import annotations

import threading

from harstream.stream.sources.clock import Clock


class PlaybackClock:
    """Replays a recording at its own pace by a clock, or as fast as possible without a clock."""

    def __init__(self, clock: Clock | None = None, *, start: float = 0.0) -> None:
        """`start`: time of the first frame if there is no clock, in seconds since the epoch."""
        self._clock = clock
        self.start = start

    def begin(self) -> float:
        """Start the replay and return the time of its first frame, in seconds since the epoch."""
        if self._clock:
            self.start = self._clock.now()
        return self.start

    def wait(self, offset: float, stopping: threading.Event) -> bool:
        """Wait until the frame `offset` seconds after the first one is due. Return False if `stopping` is set."""
        delay = self.start + offset - self._clock.now() if self._clock else 0.0
        return not stopping.wait(delay) if delay > 0 else not stopping.is_set()
