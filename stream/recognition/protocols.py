"""The interface between recognition and the library that runs a model."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harstream.models.catalogue import ModelFiles
from harstream.models.contract import ModelContract


class Recognizer(Protocol):
    """A model that is ready to run. It encodes each frame once and scores each window once."""

    contract: ModelContract
    lookback: int
    """Earlier frames that `encode` needs for a row, 0 or 1. A window has contract.frames - lookback rows."""
    row_shape: tuple[int, ...]
    row_dtype: np.dtype[np.generic]

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Turn model frames (N, H, W, 3) RGB uint8 into rows (N, *row_shape).

        With lookback it takes pairs (N, 2, H, W, 3), the earlier frame first.
        """
        ...

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        """Turn windows of rows (N, contract.frames - lookback, *row_shape) into scores (N, K) that sum to 1."""
        ...


class Engine(Recognizer, Protocol):
    """A recognizer that was loaded from files."""

    files: ModelFiles

    @property
    def provider(self) -> str:
        """The device and library that run the model, as text."""
        ...
