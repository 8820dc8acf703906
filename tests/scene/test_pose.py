"""Poses are mixed, and motions start and end softly."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from harstream.scene.pose import Pose, blended, eased, points

LOW = Pose(hips=points((0, 0.2, 0)))
HIGH = Pose(hips=points((0, 0.6, 0)), yaw=1.0, across=-2.0)


def test_half_way_between_two_poses_is_their_middle() -> None:
    middle = blended(LOW, HIGH, 0.5)
    assert middle.hips == pytest.approx([0, 0.4, 0])
    assert (middle.yaw, middle.across) == (0.5, -1.0)


@pytest.mark.parametrize(("weight", "expected"), [(-0.1, LOW), (0.0, LOW), (1.0, HIGH), (1.1, HIGH)])
def test_outside_the_mix_a_pose_is_one_of_the_two(weight: float, expected: Pose) -> None:
    assert blended(LOW, HIGH, weight) is expected


def test_every_part_of_a_pose_is_mixed() -> None:
    whole = Pose()
    doubled = replace(whole, **{item.name: getattr(whole, item.name) + 1.0 for item in fields(Pose)})
    mixed = blended(whole, doubled, 0.25)
    for item in fields(Pose):
        assert np.asarray(getattr(mixed, item.name)) == pytest.approx(getattr(whole, item.name) + 0.25)


def test_easing_rises_softly_from_0_to_1_and_stays_there() -> None:
    """3 f^2 - 2 f^3: at a quarter 3/16 - 2/64 = 0.15625."""
    assert [eased(value) for value in (-1.0, 0.0, 0.25, 0.5, 0.75, 1.0, 2.0)] == [0, 0, 0.15625, 0.5, 0.84375, 1, 1]
