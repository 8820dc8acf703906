"""Chooses the frames of a window by their times. Training, evaluation and streams share this one sampler."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import numpy as np
from numpy.typing import NDArray

EARLY = 0.25
"""Periods by which a frame may come before it is due."""
GAP = 1.75
"""More periods than this between two frames are a gap. The jitter of a camera that is a fifth too slow is no gap. A
missing frame of a camera at the rate is one."""
FASTER = 1.05
"""Factor between neighbouring rates that `slowest_rate` tries."""


class Taken(Enum):
    """How a taken frame follows the frame that was taken before it."""

    FIRST = "first"
    """It begins a stretch, because it is the first frame or follows a gap."""
    NEXT = "next"
    """It continues the stretch."""


class TimeGrid:
    """Takes the frames that lie on an even grid of `rate` hertz, while frames come.

    A frame is taken when it is due, or at most a quarter period early. The next frame is due one period after the due
    time, not after the frame. So the grid keeps its rate at any camera rate. Of a camera that is up to a fifth slower,
    every frame is taken. More than 1.75 periods between two frames, taken or not, are a gap. A grid of 10 Hz skips
    every sixth frame of a 12 Hz camera, which is no gap.

    10 Hz, 25 fps:  0.00 0.04 0.08 0.12 0.16 0.20 0.24 0.28   0.60
    taken:          0.00      0.08           0.20      0.28   0.60
                    first     next           next      next   first
    """

    def __init__(self, rate: float) -> None:
        """`rate` is in hertz."""
        self._period = 1 / rate
        self._due = float("-inf")
        self._last = float("-inf")
        self._seen = float("-inf")

    def take(self, time: float, previous: float | None = None) -> Taken | None:
        """Advance to the frame at `time`, in seconds. Return None for a frame off the grid.

        A frame is also off the grid if it is not later than the last taken frame. `previous`: the time of the frame
        before it, if this grid did not see that one because it was off the grid.
        """
        if previous is not None:
            self._seen = max(self._seen, previous)
        is_gap = time - self._seen > GAP * self._period + 1e-6
        if is_gap:
            self._due = time
        self._seen = max(self._seen, time)
        if time <= self._last or time < self._due - EARLY * self._period:
            return None
        # After a late frame, at most one frame can be overdue.
        self._due = max(self._due + self._period, time)
        self._last = time
        return Taken.FIRST if is_gap else Taken.NEXT


def stretches(times: Iterable[float], rate: float) -> list[list[int]]:
    """Return the indices of the frames that a stream takes, in one list for each stretch without a gap.

    `times` are in seconds.
    """
    grid, found = TimeGrid(rate), list[list[int]]()
    for index, time in enumerate(times):
        match grid.take(time):
            case Taken.FIRST:
                found.append([index])
            case Taken.NEXT:
                found[-1].append(index)
    return found


def window_from(times: NDArray[np.float64], start: int, rate: float, frames: int) -> NDArray[np.intp] | None:
    """Return the indices (frames,) of the first window of a stream that starts with frame `start`.

    None if a gap or the end comes before the window is full. `times` (n,) are increasing seconds.
    """
    grid, taken = TimeGrid(rate), list[int]()
    for index, time in enumerate(times[start:].tolist(), start):
        match grid.take(time):
            case Taken.FIRST if taken:
                return None
            case Taken.FIRST | Taken.NEXT:
                taken.append(index)
        if len(taken) == frames:
            return np.array(taken)
    return None


def possible_starts(times: NDArray[np.float64], rate: float, frames: int) -> NDArray[np.intp]:
    """Return the indices of the frames that are followed by a whole window's time without a gap, or all if none is.

    `times` (n,) are increasing seconds.
    """
    room = _stretch_ends(times, rate) - times
    starts = np.flatnonzero(room >= (frames - 1) / rate - 1e-9)
    return starts if len(starts) else np.arange(len(times))


def slowest_rate(times: NDArray[np.float64], rate: float, frames: int) -> float | None:
    """Return `rate`, or else the lowest higher rate at which the times contain a window without a gap.

    None if there is no such rate. At a higher rate, a clip that is too short for a window looks slower than it is.
    """
    if len(times) < frames:
        return None
    longest = float((_stretch_ends(times, rate) - times).max(initial=0))
    intervals = np.sort(np.diff(times))[: frames - 1]
    if frames == 1 or longest == 0:
        return rate if frames == 1 else None
    tried = max(rate, (frames - 1) / longest)
    while tried * intervals[-1] <= GAP:  # above it, too many frames follow a gap
        if any(window_from(times, start, tried, frames) is not None for start in range(len(times) - frames + 1)):
            return tried
        tried *= FASTER
    return None


def even_indices(length: int, frames: int) -> NDArray[np.intp]:
    """Return every max(length // frames, 1)-th frame, as the papers sample a whole clip."""
    return np.arange(frames) * max(length // frames, 1)


def _stretch_ends(times: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Return, for each frame, the time of the last frame that follows it without a gap."""
    ends = np.append(np.flatnonzero(np.diff(times) > GAP / rate + 1e-6), len(times) - 1)
    end_of_each = ends[np.searchsorted(ends, np.arange(len(times)))]
    return np.asarray(times[end_of_each], dtype=np.float64)
