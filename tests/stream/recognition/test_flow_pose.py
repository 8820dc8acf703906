"""The shipped model with joints finds them where they are, and recognizes what drawn people do."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.catalogue import find_model
from harstream.models.part_networks import POSE
from harstream.models.transform import BgrPicture
from harstream.scene.film import frames
from harstream.scene.script import single
from harstream.stream.app.pipeline_from_config import new_pipeline
from harstream.stream.config.model import Config
from harstream.stream.recognition.onnx_runtime import OnnxPart, load_engine
from harstream.wire.values import Frame

NOSE, SHOULDERS, HIPS, ANKLES = (0,), (5, 6), (11, 12), (15, 16)


@pytest.fixture(scope="module")
def part() -> OnnxPart:
    return OnnxPart(POSE.file, POSE.part, "cpu")


def standing(seed: int) -> NDArray[np.uint8]:
    _, picture = next(islice(frames(single(None, 0, 1.0), seed, rate=2.0), 1, None))
    return BgrPicture(picture).model_frame(POSE.part.height, POSE.part.width)


def test_the_joints_of_who_stands_lie_above_each_other(part: OnnxPart) -> None:
    pictures = np.stack([standing(seed) for seed in range(6)])
    joints = part.see(pictures).reshape(len(pictures), 17, 3)
    assert 0 <= joints.min() <= joints.max() <= 1
    heights = [joints[:, chosen, 0].mean(axis=1) for chosen in (NOSE, SHOULDERS, HIPS, ANKLES)]
    in_order = np.all([upper < lower for upper, lower in pairwise(heights)], axis=0)
    assert in_order.mean() >= 5 / 6, joints[~in_order, :, 0]


def test_several_pictures_at_once_give_what_each_gives_alone(part: OnnxPart) -> None:
    pictures = np.stack([standing(seed) for seed in range(3)])
    alone = np.concatenate([part.see(picture[np.newaxis]) for picture in pictures])
    assert np.allclose(part.see(pictures), alone, atol=1e-5)


def test_a_person_farther_right_has_joints_farther_right(part: OnnxPart) -> None:
    picture = standing(1)
    moved = np.roll(picture, 24, axis=1)
    before, after = (part.see(each[np.newaxis]).reshape(17, 3) for each in (picture, moved))
    sure = (before[:, 2] > 0.4) & (after[:, 2] > 0.4)
    assert sure.sum() >= 6
    assert np.median((after - before)[sure, 1]) == pytest.approx(24 / 192, abs=0.03)


@pytest.mark.parametrize("activity", ["JumpingJack", "PushUps"])
def test_drawn_people_are_recognized(activity: str) -> None:
    pipeline = new_pipeline(Config(model="flow_pose"), load_engine("flow_pose", "cpu"))
    film = frames(single(activity, 0, 6.0), 8, rate=16.0)
    shown = ([Frame("hall", time, BgrPicture(picture))] for time, picture in film)
    scores = [step.notice.scores for step in pipeline.steps(shown) if step.notice.scores]
    best = [each.labels[int(each.values.argmax())] for each in scores]
    assert len(best) > 10
    assert best.count(activity) / len(best) > 0.6, best


def test_it_shares_the_encoder_of_the_default_model() -> None:
    encoders = [find_model(name).encoder for name in ("flow_pose", "flow_tcn")]
    assert all(encoders)
    assert len({encoder.read_bytes() for encoder in encoders if encoder}) == 1
