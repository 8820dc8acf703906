"""The seam between recognition and the library that runs a model."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harstream.models.catalogue import ModelFiles
from harstream.models.contract import ModelContract


class Recognizer(Protocol):
    """A model that runs. `encode` is paid once a frame, `score` once a recognition."""

    contract: ModelContract
    lookback: int
    """Frames before the newest that `encode` needs for a row, 0 or 1; a window has contract.frames - lookback rows."""
    row_shape: tuple[int, ...]
    row_dtype: np.dtype[np.generic]

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Model frames (N, H, W, 3) RGB to rows (N, *row_shape); with lookback (N, 2, H, W, 3), the earlier first."""
        ...

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        """Windows of rows (N, contract.frames - lookback, *row_shape) to scores (N, K) that sum to 1."""
        ...


class Engine(Recognizer, Protocol):
    """A recognizer that was loaded from files."""

    files: ModelFiles

    @property
    def provider(self) -> str:
        """What really runs it, for a person to read."""
        ...
