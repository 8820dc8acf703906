"""Changes how certain scores are, without changing which one is the largest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FLOOR = 1e-12
"""The smallest score of which the logarithm is taken."""


def at_temperature(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return softmax(log(scores) / temperature) over the last axis."""
    logits = np.log(np.maximum(scores, FLOOR)) / temperature
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)
