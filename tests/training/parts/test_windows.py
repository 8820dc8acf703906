"""Training windows of joints are people as a camera may see them: mirrored, turned, near or far, and fallen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harstream.models.layers.pose_features import JOINTS
from harstream.models.part_networks import LOOK, POSE
from harstream.training.parts.pose_changes import MIRRORED, changed, changed_people, fallen
from harstream.training.parts.windows import PartWindows

T = 10
HEAD, HIP, ANKLE = 0, 11, 15


def standing(count: int = 1) -> NDArray[np.float32]:
    """Return joints (N, T, 51) of people who stand upright and still."""
    joints = np.zeros((count, T, JOINTS, 3), np.float32)
    joints[..., 0] = np.linspace(0.3, 0.7, JOINTS)
    joints[..., 1] = 0.5 + 0.05 * (np.arange(JOINTS) % 2 - 0.5)
    joints[..., 2] = 0.8
    return joints.reshape(count, T, -1)


def lying(joints: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (N, T), how much wider than high each body is, as a ratio."""
    each = joints.reshape(len(joints), T, JOINTS, 3)
    height, width = np.ptp(each[..., 0], axis=2), np.ptp(each[..., 1], axis=2)
    return np.asarray(width / (height + 1e-6))


def test_who_falls_lies_at_the_end_and_is_as_long_as_before() -> None:
    found = fallen(standing(200), np.random.default_rng(1))
    ratio = lying(found)
    assert (ratio[:, -1] > 1).mean() > 0.6, "a few fall in the last moment"
    assert 0.2 < (ratio[:, 0] > 1).mean() < 0.45, "a third lies from the beginning"
    each = found.reshape(200, T, JOINTS, 3)
    lengths = np.linalg.norm(each[:, :, HEAD, :2] - each[:, :, ANKLE, :2], axis=-1)
    before = standing().reshape(1, T, JOINTS, 3)
    assert np.allclose(lengths, np.linalg.norm(before[0, 0, HEAD, :2] - before[0, 0, ANKLE, :2]), atol=1e-4)


def test_changes_keep_a_person_a_person() -> None:
    joints = standing(500)
    found = changed(joints.copy(), np.random.default_rng(2)).reshape(500, T, JOINTS, 3)
    assert np.isfinite(found).all()
    assert (lying(found.reshape(500, T, -1)) < 1).mean() > 0.95, "nobody who stands is made to lie"
    assert 0.02 < (found[..., 2] < 0.3).mean() < 0.12, "some joints are lost"
    assert (found[:, 0, HEAD, 0] < found[:, 0, ANKLE, 0]).all(), "nobody stands on the head"


def test_the_mirror_changes_left_and_right() -> None:
    joints = standing(300).reshape(300, T, JOINTS, 3)
    joints[:, :, 9, 1] = 0.9  # the left wrist, far to the right in the picture
    found = changed(joints.reshape(300, T, -1), np.random.default_rng(3)).reshape(300, T, JOINTS, 3)
    is_left = np.abs(found[:, 0, 9, 1] - 0.5) > np.abs(found[:, 0, 10, 1] - 0.5)
    assert 0.35 < is_left.mean() < 0.65
    far = np.where(is_left, found[:, 0, 9, 1], found[:, 0, 10, 1])
    assert ((far > 0.5) == is_left).all(), "the left wrist is on the right, the right one on the left"
    assert [MIRRORED[number] for number in MIRRORED] == list(range(JOINTS))


def test_a_part_of_a_window_is_what_its_rows_held() -> None:
    for network, count in ((POSE, 10), (LOOK, 3)):
        held = np.repeat(np.arange(30), network.part.every)  # of a pose: 0 0 1 1 2 2 ...
        rows = np.tile(held[None, :, None], 1 + network.numbers)
        for phase in range(network.part.every):
            found = network.seen_in(rows[:, phase : phase + 19])[0, :, 0]
            assert len(found) == count
            assert (np.diff(found) == 1).all(), "each picture once, at any phase"


def test_an_epoch_has_a_window_of_each_sequence() -> None:
    sequences = [np.full((length, 3 * JOINTS), 0.5, np.float32) for length in (3, 10, 40)]
    is_background = np.array([False, False, True])
    windows = PartWindows(sequences, np.array([0, 1, 2]), is_background, T, changed_people, batch=2, seed=1)
    assert len(windows) == 2
    shapes = [(joints.shape, targets.shape) for joints, targets in (windows[0], windows[1])]
    assert shapes == [((2, T, 3 * JOINTS), (2, 3)), ((1, T, 3 * JOINTS), (1, 3))]
    targets = np.concatenate([windows[0][1], windows[1][1]])
    assert sorted(targets.argmax(axis=1).tolist()) == [0, 1, 2]
    assert np.allclose(targets.sum(axis=1), 1)


def test_people_fall_only_where_they_may() -> None:
    joints = standing()[0]
    classes = np.zeros(200, np.intp)
    for may_fall, least, most in ((True, 0.3, 0.6), (False, 0.0, 0.02)):
        windows = PartWindows([joints] * 200, classes, np.full(200, may_fall), T, changed_people, batch=200, seed=4)
        share = (lying(windows[0][0])[:, -1] > 1).mean()
        assert least <= share <= most
