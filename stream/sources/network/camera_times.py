"""Converts the times that a camera stamps on its frames to times of the clock, whatever the stamps are worth."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise

from av.video.frame import VideoFrame

from harstream.stream.sources.clock import Clock

MEMORY = 2.0
"""Seconds of frames whose smallest delay counts. Frames of a slow network may come in bursts, a second apart."""
FASTEST = 1.15
"""Times a usual interval between frames: the longest interval while the times catch up with the clock."""

BACKLOG_STEP, LONGEST_BACKLOG = 0.01, 1.0
"""In a backlog, each frame is at least this many seconds less late than the one before. Its longest duration in
seconds."""


class Anchor:
    """Gives each frame of a camera its time. Stamps give the interval to the frame before, arrivals the time of day.

    Stamps without jitter are better than arrivals, but a camera's stamps may run slow or fast, jump, or stand still.
    A frame is never later than its arrival, so that fast stamps and jumps forward end there. If all frames of the last
    two seconds are late, the stamps run slow, and the times catch up a little with each frame. A stamp that does not
    increase says nothing, so the interval between the arrivals counts.

    clock:  100.00  100.05  100.08  100.12  100.16  100.20
    stamp:    0.00    0.04    0.08    9.00    9.04    0.00     (the camera sets its clock, twice)
    time:   100.00  100.04  100.08  100.12  100.16  100.20
    """

    def __init__(self) -> None:
        self._time = 0.0
        self._stamp: float | None = None
        self._now: float | None = None
        self._delays: deque[tuple[float, float]] = deque()
        """Arrival, and arrival minus stamp, of the last MEMORY seconds."""

    def time(self, stamp: float | None, now: float) -> float:
        """Return the clock's time of a frame. `stamp`: the camera's time; `now`: the arrival by the clock; seconds."""
        if self._now is None:
            self._time = now
        else:
            step = 0.0 if stamp is None or self._stamp is None else stamp - self._stamp
            if step < 0:
                self._delays.clear()
            self._time += step + self._lag(step, stamp, now) if step > 0 and stamp is not None else now - self._now
            self._time = min(self._time, now)
        if stamp is not None:
            self._stamp = stamp
        self._now = now
        return self._time

    @property
    def speed(self) -> float | None:
        """How fast the stamps run: 1 is right, 0 means that they stand still. None if there are no stamps."""
        if self._stamp is None:
            return None
        if len(self._delays) < 2:
            return 0.0
        (first, first_delay), (last, last_delay) = self._delays[0], self._delays[-1]
        return 1 - (last_delay - first_delay) / (last - first) if last > first else None

    def _lag(self, step: float, stamp: float, now: float) -> float:
        """Return the part of the lag of slow stamps that this frame makes up for, in seconds."""
        self._delays.append((now, now - stamp))
        while now - self._delays[0][0] > MEMORY:
            self._delays.popleft()
        seconds = now - self._delays[0][0]
        if seconds < MEMORY / 2:
            return 0.0
        usual = seconds / (len(self._delays) - 1)
        lag = stamp + min(delay for _, delay in self._delays) - (self._time + step)
        return min(max(lag, 0.0), max((FASTEST - 1) * step, FASTEST * usual - step))


def after_backlog(frames: Iterable[VideoFrame], clock: Clock) -> Iterator[tuple[VideoFrame, float]]:
    """Yield frames with their arrival time in seconds.

    Frames that the camera sent while the stream opened arrive all at once. They are held until a frame arrives
    without delay. They then get the times at which they would have arrived without delay.
    """
    held: list[tuple[VideoFrame, float]] = []
    began, smallest, is_waiting = clock.now(), float("inf"), True
    for frame in frames:
        now = clock.now()
        if not is_waiting:
            yield frame, now
            continue
        if frame.time is not None:  # some cameras send their first frame without a time
            held.append((frame, frame.time))
            is_waiting = now - frame.time < smallest - BACKLOG_STEP
            smallest = min(now - frame.time, smallest)
        if not is_waiting or now - began >= LONGEST_BACKLOG:
            is_waiting = False
            yield from _without_delay(held, now)
    if is_waiting:
        yield from _without_delay(held, clock.now())


def _without_delay(held: list[tuple[VideoFrame, float]], now: float) -> Iterator[tuple[VideoFrame, float]]:
    """Yield the frames of a backlog with their arrivals, if the last one arrives now.

    A stamp that goes back says nothing about the time between two frames.
    """
    steps = [max(after - before, 0.0) for (_, before), (_, after) in pairwise(held)]
    left = sum(steps)
    for (frame, _), step in zip(held, [*steps, 0.0], strict=True):
        yield frame, now - left
        left = max(left - step, 0.0)
