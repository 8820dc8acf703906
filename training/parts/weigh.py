"""Weighs the scores of two models against each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from harstream.models.score_fusion import TINY, Fusion, Scores

OF_BASE = np.arange(0.7, 1.41, 0.05)
OF_OTHER = np.arange(0.0, 1.21, 0.05)


def weighed(
    fusion: Fusion, base: Scores, other: Scores, truth: NDArray[np.intp], counts: NDArray[np.float64]
) -> Fusion:
    """Return the fusion with the weights that give the lowest negative log likelihood of the true labels (N,).

    `counts`: (N,), how much each window counts.
    """

    def loss(weights: tuple[float, float]) -> float:
        scores = replace(fusion, weights=weights)(base, other)[np.arange(len(truth)), truth]
        return float(-(counts * np.log(scores + TINY)).sum() / counts.sum())

    a, b = min(product(OF_BASE, OF_OTHER), key=loss)
    return replace(fusion, weights=(round(float(a), 2), round(float(b), 2)))
