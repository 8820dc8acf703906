"""Notices a camera that shows nothing: one with a covered lens or a frozen picture sends frames like any other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLACK = 25
"""The brightest level, of 255, that counts as black. The noise of a sensor in the dark stays below it."""


class PictureCheck:
    """Follows the model frames of one camera."""

    def __init__(self) -> None:
        self.lit = 1.0
        """The share of the last frame that is not black, 0 to 1."""
        self.unchanged = 0.0
        """Seconds for which all frames have been identical, bit for bit. No sensor gives the same picture twice."""
        self._last: NDArray[np.uint8] | None = None
        self._since = 0.0

    def see(self, frame: NDArray[np.uint8], time: float) -> None:
        """Check a model frame (H, W, 3) uint8 taken at `time`, in seconds. It is kept until the next one."""
        if self._last is None or not np.array_equal(frame, self._last):
            self._since = time
        self._last = frame
        self.lit = np.count_nonzero(frame > BLACK) / frame.size
        self.unchanged = time - self._since
