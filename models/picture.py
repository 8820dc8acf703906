"""A picture as those who look at it see it, whatever it came from."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class Picture(Protocol):
    """One picture of a camera or a file. What nobody asks for is not computed; every method from any thread."""

    def bgr(self) -> Pixels:
        """(H, W, 3), not to be modified."""
        ...

    def model_frame(self, height: int, width: int) -> Pixels:
        """RGB (height, width, 3); the aspect ratio is squashed."""
        ...
