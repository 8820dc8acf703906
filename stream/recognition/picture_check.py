"""Detects a covered lens and a frozen picture. Such a camera still sends frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLACK = 25
"""The highest level, 0 to 255, that counts as black. The noise of a sensor in the dark stays below it."""


class PictureCheck:
    """Measures the model frames of one camera."""

    def __init__(self) -> None:
        self.lit = 1.0
        """Share of the last frame that is not black, 0 to 1."""
        self.unchanged = 0.0
        """Seconds since the frame last changed. A working sensor never gives the same picture twice."""
        self._last: NDArray[np.uint8] | None = None
        self._since = 0.0

    def update(self, frame: NDArray[np.uint8], time: float) -> None:
        """Measure a model frame (H, W, 3) uint8 taken at `time`, in seconds, and keep it until the next one."""
        if self._last is None or not np.array_equal(frame, self._last):
            self._since = time
        self._last = frame
        self.lit = np.count_nonzero(frame > BLACK) / frame.size
        self.unchanged = time - self._since
