"""The best three labels of a recognition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harstream.wire.values import LabelScore


def best_three(scores: NDArray[np.float32], labels: Sequence[str]) -> tuple[LabelScore, ...]:
    """Returns the labels with the highest of the (K,) scores, best first; of equal scores, in label order."""
    order = np.argsort(-scores, kind="stable")[:3]
    return tuple(LabelScore(labels[index], float(scores[index])) for index in order)
