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


def of_home(cameras: tuple[str, ...] = ("hall", "yard")) -> Beliefs:
    beliefs = Beliefs(MATRIX, 0.0, even)
    for camera in cameras:
        beliefs.add(camera, 0.0, "home")
    return beliefs


def test_the_evidence_of_the_cameras_of_a_place_is_multiplied() -> None:
    """Symbol 0 has the probabilities 0.9, 0.1 and 0.5, and so twice 0.81, 0.01 and 0.25."""
    for cameras in (("hall", "yard"), ("yard", "hall")):
        beliefs = of_home(cameras)
        beliefs.correct({"yard": 0, "hall": 0})

        np.testing.assert_allclose(beliefs.of("home").sum(axis=1), np.array([81, 1, 25]) / 107)


def test_a_camera_has_an_emission_of_its_own() -> None:
    beliefs = of_home()
    beliefs.set_emission("yard", np.full((3, 2), 0.5))

    beliefs.correct({"yard": 0})
    np.testing.assert_allclose(beliefs.of("home"), even(0.0))
    beliefs.correct({"hall": 0})
    np.testing.assert_allclose(beliefs.of("home").sum(axis=1), np.array([9, 1, 5]) / 15)


def test_a_replay_that_starts_again_keeps_the_belief_that_other_cameras_share() -> None:
    beliefs = of_home()
    beliefs.correct({"hall": 0})
    before = beliefs.of("home").copy()

    beliefs.restart("hall", 0.0)

    np.testing.assert_array_equal(beliefs.of("home"), before)
