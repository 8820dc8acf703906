"""The rolling buffer of the last T rows of a camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Window:
    """Holds the last T rows of one camera. It never repeats or invents a row: clear it after a gap.

    T = 3, a gap before 1.0:    0.0  0.1  0.2  0.3   1.0  1.1  1.2
    complete:                    ~    ~    yes  yes   ~    ~    yes
    """

    def __init__(self, length: int, row_shape: tuple[int, ...], row_dtype: np.dtype[np.generic]) -> None:
        """`length`: T, the number of rows."""
        self.length = length
        # Each row is written twice, T apart, so that the last T rows are always one contiguous view without a copy.
        self._rows = np.zeros((2 * length, *row_shape), dtype=row_dtype)
        self._times: list[float] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._times)

    def push(self, row: NDArray[np.generic], time: float) -> None:
        """Add a row (*row_shape) at `time`, in seconds; the oldest row leaves when the window is full."""
        self._rows[self._next] = self._rows[self._next + self.length] = row
        self._next = (self._next + 1) % self.length
        self._times = [*self._times, time][-self.length :]

    def is_complete(self) -> bool:
        return len(self._times) == self.length

    def rows(self) -> NDArray[np.generic]:
        """Return the rows (T, *row_shape) of a complete window, oldest first: a view, valid until the next push."""
        return self._rows[self._next : self._next + self.length]

    def span(self) -> float:
        """Return the seconds from the first to the last row."""
        return self._times[-1] - self._times[0]

    def clear(self) -> None:
        self._times.clear()
