"""Keeps the windows that a model scores in the pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harstream.stream.recognition.protocols import Recognizer


class RecordingRecognizer:
    """A Recognizer that remembers the windows that it scored last."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.contract = recognizer.contract
        self.lookback = recognizer.lookback
        self.parts = recognizer.parts
        self.row_shape = recognizer.row_shape
        self.row_dtype = recognizer.row_dtype
        self._recognizer = recognizer
        self._scored: list[tuple[NDArray[Any], NDArray[np.float32]]] = []

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return self._recognizer.encode(frames)

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        scores = self._recognizer.score(windows)
        self._scored = list(zip(windows.copy(), scores, strict=True))
        return scores

    def rows_of(self, values: NDArray[np.float32]) -> NDArray[np.generic] | None:
        """Return the rows (T, *row_shape) for which the model last gave these scores (K,), or None."""
        return next((rows for rows, scores in self._scored if np.array_equal(scores, values)), None)

    def forget(self) -> None:
        self._scored = []
