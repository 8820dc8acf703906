"""The features of joints say how a person moves, and neither where in the picture nor how near."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.layers.pose_features import FEATURES, JOINTS, TRUNK, PoseFeatures

T = 5


def walker(seed: int = 1) -> NDArray[np.float32]:
    """Return joints (1, T, 51) of a body that moves to the right and swings its wrists."""
    random = np.random.default_rng(seed)
    body = random.uniform(-0.15, 0.15, (JOINTS, 2))
    joints = np.empty((1, T, JOINTS, 3), np.float32)
    for time in range(T):
        joints[0, time, :, :2] = 0.4 + body + [0.0, 0.02 * time]
        joints[0, time, 9, 0] += 0.05 * (-1) ** time
    joints[..., 2] = random.uniform(0.5, 1.0, JOINTS)
    return joints.reshape(1, T, -1)


def features(joints: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(PoseFeatures()(joints))


def changed(joints: NDArray[np.float32], size: float, y: float, x: float) -> NDArray[np.float32]:
    each = joints.reshape(1, T, JOINTS, 3).copy()
    each[..., :2] = size * each[..., :2] + [y, x]
    return each.reshape(joints.shape)


def test_they_have_the_promised_shape_and_are_finite() -> None:
    found = features(walker())
    assert found.shape == (1, T, FEATURES)
    assert PoseFeatures().compute_output_shape((None, T, 3 * JOINTS)) == (None, T, FEATURES)
    assert np.isfinite(features(np.zeros((2, T, 3 * JOINTS), np.float32))).all()


def test_the_place_of_the_person_does_not_matter() -> None:
    assert np.allclose(features(walker()), features(changed(walker(), 1.0, 0.2, -0.1)), atol=1e-3)


def test_the_size_of_the_person_matters_only_where_it_is_said() -> None:
    near, far = features(walker()), features(changed(walker(), 0.5, 0.0, 0.0))
    assert near[..., -1].mean() > far[..., -1].mean() + 0.1
    assert np.allclose(np.sign(near[..., :-1]), np.sign(far[..., :-1]), atol=1e-3)
    assert np.corrcoef(near[0, :, :-1].ravel(), far[0, :, :-1].ravel())[0, 1] > 0.95


def test_who_stands_still_has_no_speed() -> None:
    still = np.repeat(walker()[:, :1], T, axis=1)
    of_joints = features(still)[0, :, :-3].reshape(T, JOINTS, 5)
    assert np.abs(of_joints[..., 2:4]).max() == pytest.approx(0.0, abs=1e-6)
    assert np.abs(features(walker())[0, :, :-3].reshape(T, JOINTS, 5)[1:, 9, 2:4]).max() > 0.1


def test_a_joint_that_is_not_seen_has_no_place() -> None:
    joints = walker().reshape(1, T, JOINTS, 3)
    joints[:, :, 0, 2] = 0.05
    assert 0 not in TRUNK
    assert np.abs(features(joints.reshape(1, T, -1))[0, :, :4]).max() == 0
