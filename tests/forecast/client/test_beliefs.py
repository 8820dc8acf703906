"""Each camera has a belief of its own, also after others have left."""

from __future__ import annotations

import numpy as np

from harstream.forecast.client.beliefs import Beliefs
from harstream.forecast.learning.semi_markov_fit import PHASES
from harstream.forecast.model.semi_markov import Floats

MATRIX = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])


def even(_: float) -> Floats:
    return np.full((3, PHASES), 1 / (3 * PHASES))


def test_a_camera_that_returns_does_not_share_the_belief_of_another() -> None:
    beliefs = Beliefs(MATRIX, 0.9, even)
    for camera in ("hall", "yard", "hall", "yard"):
        beliefs.add(camera, 0.0)

    beliefs.correct({"hall": 0})

    np.testing.assert_allclose(beliefs.of("yard"), even(0.0))
    assert beliefs.of("hall")[0].sum() > 0.5


def test_a_camera_that_returns_starts_from_the_prior() -> None:
    beliefs = Beliefs(MATRIX, 0.9, even)
    beliefs.add("hall", 0.0)
    beliefs.correct({"hall": 0})

    beliefs.add("hall", 0.0)

    np.testing.assert_allclose(beliefs.of("hall"), even(0.0))
