"""What a camera's pictures show at all: with its lens covered, or stuck, it sends frames like any other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLACK = 25
"""Of 255: what is no brighter is black. The noise of a sensor in the dark stays below."""


class PictureCheck:
    """Follows the model frames of one camera."""

    def __init__(self) -> None:
        self.lit = 1.0
        """The share of the last one that is not black, 0 to 1."""
        self.unchanged = 0.0
        """Seconds for which all have been the same, to the last bit: no sensor gives the same picture twice."""
        self._last: NDArray[np.uint8] | None = None
        self._since = 0.0

    def see(self, frame: NDArray[np.uint8], time: float) -> None:
        """A model frame (H, W, 3) uint8, taken at `time` in seconds; it is kept until the next."""
        if self._last is None or not np.array_equal(frame, self._last):
            self._since = time
        self._last = frame
        self.lit = np.count_nonzero(frame > BLACK) / frame.size
        self.unchanged = time - self._since
