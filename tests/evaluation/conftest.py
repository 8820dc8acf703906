from __future__ import annotations

import numpy as np
import pytest

from harstream.evaluation.labelled_scores import LabelledScores


@pytest.fixture
def predictions() -> LabelledScores:
    """Returns six windows of three clips, few enough to work out every figure by hand.

    recognized:   sit  walk | walk | nobody nobody sit
    truth:        sit  sit  | walk | nobody nobody nobody
    """
    return LabelledScores(
        labels=("sit", "walk", "nobody"),
        background=("nobody",),
        clips=("a", "a", "b", "c", "c", "c"),
        groups=("g1", "g1", "g1", "g2", "g2", "g2"),
        truth=np.array([0, 0, 1, 2, 2, 2]),
        scores=np.array(
            [
                [0.8, 0.1, 0.1],
                [0.3, 0.6, 0.1],
                [0.1, 0.9, 0.0],
                [0.2, 0.2, 0.6],
                [0.1, 0.2, 0.7],
                [0.5, 0.3, 0.2],
            ],
            dtype=np.float32,
        ),
    )
