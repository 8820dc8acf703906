"""Draws training windows of what a part saw from recorded rows, each somewhat changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]
Change = Callable[[Numbers, NDArray[np.bool_], np.random.Generator], Numbers]
"""Changes windows (N, P, D), of which some are of background (N,), as another camera might see them."""
SPEED = 0.8, 1.25
SMOOTHING = 0.05
"""Share of each target that is spread over all classes."""


class PartWindows(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of windows (N, P, D) and targets (N, F). Each epoch has one window of each sequence."""

    def __init__(
        self,
        sequences: Sequence[Numbers],
        classes: NDArray[np.intp],
        is_background: NDArray[np.bool_],
        length: int,
        change: Change,
        *,
        batch: int,
        seed: int,
    ) -> None:
        """`sequences`: the numbers (n, D) of each, one picture a row. `classes`, `is_background`: (S,). `length`: P."""
        super().__init__()
        self._sequences = sequences
        self._is_background = is_background
        self._targets = np.eye(classes.max() + 1)[classes] * (1 - SMOOTHING) + SMOOTHING / (classes.max() + 1)
        self._length = length
        self._change = change
        self._batch = batch
        self._random = np.random.default_rng(seed)
        self._order = self._random.permutation(len(sequences))

    def __len__(self) -> int:
        return math.ceil(len(self._sequences) / self._batch)

    def __getitem__(self, index: int) -> tuple[Numbers, NDArray[np.float64]]:
        chosen = self._order[index * self._batch : (index + 1) * self._batch]
        windows = np.stack([self._window(self._sequences[number]) for number in chosen])
        return self._change(windows, self._is_background[chosen], self._random), self._targets[chosen]

    def on_epoch_end(self) -> None:
        self._order = self._random.permutation(len(self._sequences))

    def _window(self, numbers: Numbers) -> Numbers:
        """Return a window (P, D) from somewhere, at a somewhat changed speed."""
        span = (self._length - 1) * self._random.uniform(*SPEED)
        begin = self._random.uniform(0, max(0.0, len(numbers) - 1 - span))
        at = np.minimum(begin + np.linspace(0, span, self._length), len(numbers) - 1)
        before = np.floor(at).astype(int)
        share = (at - before)[:, None]
        if self._random.random() < 0.5:
            share = np.round(share)  # a stream has nothing between two pictures
        after = np.minimum(before + 1, len(numbers) - 1)
        return np.asarray(numbers[before] * (1 - share) + numbers[after] * share, np.float32)
