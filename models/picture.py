"""The interface of a picture from any kind of source."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harstream.models.box import WHOLE, Box

Pixels = NDArray[np.uint8]


class Picture(Protocol):
    """One picture of a camera or a file. It is converted only on demand. Any thread may call its methods."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        ...

    def bgr(self) -> Pixels:
        """Return the picture as BGR (H, W, 3) uint8, which must not be modified."""
        ...

    def model_frame(self, height: int, width: int, box: Box = WHOLE) -> Pixels:
        """Return what is inside the box as RGB (height, width, 3) uint8. The aspect ratio is not kept."""
        ...
