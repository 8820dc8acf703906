"""Frame times to the frames of a window: the one sampler that training, evaluation and streaming share."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import numpy as np
from numpy.typing import NDArray

EARLY = 0.25
"""Periods that a frame may come before it is due."""
GAP = 1.75
"""Periods between two frames above which there is a gap. The jitter of a camera a fifth too slow fits in; one missing
frame of a camera at the rate does not."""
FASTER = 1.05
"""Factor between two rates that `slowest_rate` tries."""


class Taken(Enum):
    """How a frame that the grid takes stands to the one taken before it."""

    FIRST = "first"
    """It begins a stretch: nothing was taken before it, or there was a gap."""
    NEXT = "next"
    """It continues the stretch."""


class TimeGrid:
    """Takes, from frames as they come, those on an even grid of `rate` hertz.

    A frame is taken when it is due, or at most a quarter period early. The next frame is due one period after the due
    time, not after the frame, so the rate holds whatever the camera's rate is. Every frame of a camera up to a fifth
    slower is taken. More than 1.75 periods from one frame to the next, taken or not, is a gap. A 12 Hz camera loses
    every sixth frame on a grid of 10 Hz, and the two around it are no gap.

    10 Hz, 25 fps:  0.00 0.04 0.08 0.12 0.16 0.20 0.24 0.28   0.60
    taken:          0.00      0.08           0.20      0.28   0.60
                    first     next           next      next   first
    """

    def __init__(self, rate: float) -> None:
        """`rate`: hertz."""
        self._period = 1 / rate
        self._due = float("-inf")
        self._last = float("-inf")
        self._seen = float("-inf")

    def take(self, time: float) -> Taken | None:
        """Advance to the frame of this time, in seconds; None for a frame off the grid.

        A frame is off the grid, too, if its time does not come after the last taken one.
        """
        is_gap = time - self._seen > GAP * self._period + 1e-6
        if is_gap:
            self._due = time
        self._seen = max(self._seen, time)
        if time <= self._last or time < self._due - EARLY * self._period:
            return None
        # A frame that comes after the next was due leaves at most one frame to catch up with.
        self._due = max(self._due + self._period, time)
        self._last = time
        return Taken.FIRST if is_gap else Taken.NEXT


def stretches(times: Iterable[float], rate: float) -> list[list[int]]:
    """Return the indices of the frames that a stream takes from its first frame on, one list a stretch without a gap.

    `times`: seconds.
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
    """Return the indices (frames,) of the first window of a stream that begins with frame `start`.

    None if a gap or the end comes before the window is complete. `times`: (n,) seconds, increasing.
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
    """Return the indices of the frames that have the seconds of a window after them without a gap; all if none has.

    `times`: (n,) seconds, increasing.
    """
    room = _stretch_ends(times, rate) - times
    starts = np.flatnonzero(room >= (frames - 1) / rate - 1e-9)
    return starts if len(starts) else np.arange(len(times))


def slowest_rate(times: NDArray[np.float64], rate: float, frames: int) -> float | None:
    """Return `rate`, or the lowest higher rate found at which the times hold a window without a gap; None if there is
    none.

    A clip shorter than a window has one at a higher rate: it is seen as if it was played more slowly.
    """
    if len(times) < frames:
        return None
    longest = float((_stretch_ends(times, rate) - times).max(initial=0))
    intervals = np.sort(np.diff(times))[: frames - 1]
    if frames == 1 or longest == 0:
        return rate if frames == 1 else None
    tried = max(rate, (frames - 1) / longest)
    while tried * intervals[-1] <= GAP:  # above it, there are too few frames that follow no gap
        if any(window_from(times, start, tried, frames) is not None for start in range(len(times) - frames + 1)):
            return tried
        tried *= FASTER
    return None


def even_indices(length: int, frames: int) -> NDArray[np.intp]:
    """Return every max(length // frames, 1)-th frame, the papers' way of sampling a whole clip."""
    return np.arange(frames) * max(length // frames, 1)


def _stretch_ends(times: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """For each frame the time of the last one that follows it without a gap."""
    ends = np.append(np.flatnonzero(np.diff(times) > GAP / rate + 1e-6), len(times) - 1)
    end_of_each = ends[np.searchsorted(ends, np.arange(len(times)))]
    return np.asarray(times[end_of_each], dtype=np.float64)
