"""The rolling buffer of a camera's last T frames on the model's even time grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class TimeGrid:
    """Choose, from frames as they come, those on an even grid of `rate` hertz.

    A frame is taken when it is due, or up to a quarter period early; the next is due one period after the due time,
    not after the frame, so the rate holds whatever the camera's is. Of a camera up to a fifth slower every frame is
    taken. More than 1.75 periods from one frame to the next, taken or not, is a gap: of a 12 Hz camera every sixth is
    left out, and the two around it are no gap.

    10 Hz, 25 fps:  0.00 0.04 0.08 0.12 0.16 0.20 0.24 0.28   0.60
    taken:          0.00      0.08           0.20      0.28   0.60 (after a gap)
    """

    EARLY = 0.25
    GAP = 1.75
    """Periods: the jitter of a camera a fifth too slow fits in, one missing frame of a camera at the rate does not."""

    def __init__(self, rate: float) -> None:
        self.period = 1 / rate
        self._due = float("-inf")
        self._last = float("-inf")
        self._seen = float("-inf")

    def takes(self, time: float) -> bool:
        """Is the frame of this time (seconds) on the grid? A time not after the last taken one is not."""
        if self.is_gap(time):
            self._due = time
        self._seen = max(self._seen, time)
        if time <= self._last or time < self._due - self.EARLY * self.period:
            return False
        # A frame that comes after the next was due leaves no more than one frame to catch up with.
        self._due = max(self._due + self.period, time)
        self._last = time
        return True

    def is_gap(self, time: float) -> bool:
        """Has it been too long since the last frame for this one to continue the grid? Ask before `takes`."""
        return time - self._seen > self.GAP * self.period + 1e-6


class Window:
    """The last T rows of one camera. A gap empties it; no row is ever repeated or made up.

    T = 3, 10 Hz:    0.0  0.1  0.2  0.3   1.0  1.1  1.2
    complete:         ~    ~    yes  yes   ~    ~    yes
    """

    def __init__(self, length: int, rate: float, row_shape: tuple[int, ...], row_dtype: np.dtype[np.generic]) -> None:
        self.length = length
        self._grid = TimeGrid(rate)
        # Each row is written twice, T apart, so that the last T are always one contiguous view: no copy, no roll.
        self._rows = np.zeros((2 * length, *row_shape), dtype=row_dtype)
        self._times: list[float] = []
        self._next = 0
        self._continues = False

    def __len__(self) -> int:
        return len(self._times)

    def wants(self, time: float) -> bool:
        """Is the frame of this time on the grid? If so, `push` its row next. Empties the window after a gap."""
        gap = self._grid.is_gap(time)
        if not self._grid.takes(time):
            return False
        self._continues = not gap
        if gap:
            self._times.clear()
        return True

    def continues(self) -> bool:
        """Did the frame that was wanted last follow the one before it without a gap?"""
        return self._continues

    def push(self, row: NDArray[np.generic], time: float) -> None:
        """Add a row (*row_shape); the oldest leaves when the window is full."""
        self._rows[self._next] = self._rows[self._next + self.length] = row
        self._next = (self._next + 1) % self.length
        self._times = [*self._times, time][-self.length :]

    def is_complete(self) -> bool:
        return len(self._times) == self.length

    def rows(self) -> NDArray[np.generic]:
        """(T, *row_shape), oldest first: a view, valid until the next push. Only of a complete window."""
        return self._rows[self._next : self._next + self.length]

    def span(self) -> float:
        """Seconds from the first to the last frame."""
        return self._times[-1] - self._times[0]

    def clear(self) -> None:
        self._times.clear()
