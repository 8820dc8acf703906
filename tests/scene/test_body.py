from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harstream.scene.people.acting import PARTS
from harstream.scene.people.poses import Style
from harstream.scene.people.skeleton import FOREARM, SHIN, THIGH, UPPER_ARM, skeleton
from harstream.scene.pose import Pose

STYLE = Style(tempo=1.0, reach=1.0, yaw=0.4, variant=3, seconds=6.0, dice=(0.2, 0.8, 0.5, 0.6, 0.9, 0.3, 0.7))


@pytest.mark.parametrize("name", PARTS)
def test_bones_keep_their_length_in_every_motion(name: str) -> None:
    for time in np.arange(0.0, 6.0, 0.13):
        body = skeleton(PARTS[name].motion(float(time), STYLE))
        for start, end, length in (
            (body.shoulders, body.elbows, UPPER_ARM),
            (body.elbows, body.wrists, FOREARM),
            (body.sockets, body.knees, THIGH),
            (body.knees, body.ankles, SHIN),
        ):
            assert np.linalg.norm(end - start, axis=1) == pytest.approx([length, length], abs=1e-3)


@pytest.mark.parametrize("name", PARTS)
def test_no_joint_is_below_the_floor(name: str) -> None:
    for time in np.arange(0.0, 6.0, 0.13):
        body = skeleton(PARTS[name].motion(float(time), STYLE))
        joints = np.concatenate((body.ankles, body.knees, body.elbows, body.wrists, body.hips[None], body.head[None]))
        assert joints[:, 1].min() > -0.005


@pytest.mark.parametrize("name", PARTS)
def test_a_motion_has_no_jumps(name: str) -> None:
    times = np.arange(0.0, 6.0, 0.01)
    hands = np.stack([skeleton(PARTS[name].motion(float(time), STYLE)).wrists for time in times])
    assert np.abs(np.diff(hands, axis=0)).max() < 0.08


def test_jumping_jack_hands_go_from_the_thighs_to_over_the_head() -> None:
    rows = [skeleton(PARTS["JumpingJack"].motion(time, STYLE)).wrists[0, 1] for time in (0.0, 0.5)]
    assert rows[0] < 0.6
    assert rows[1] > 1.0


def test_a_turn_by_a_right_angle_faces_the_right_edge() -> None:
    body = skeleton(replace(Pose(), yaw=np.pi / 2))
    assert body.front == pytest.approx([1, 0, 0], abs=1e-9)
    assert body.left == pytest.approx([0, 0, -1], abs=1e-9)
