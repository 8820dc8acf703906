"""Turns the joints of a person into what a network learns activities from, wherever the person is and how large."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

JOINTS = 17
TRUNK = (5, 6, 11, 12)
"""Shoulders and hips, in the order of COCO."""
FEATURES = 5 * JOINTS + 3
SEEN, CERTAIN = 0.1, 0.15
"""Confidences above which a joint has a place at all, and above which its place tells how large the person is."""
SMALLEST = 0.03
"""Added to the size of a person, in shares of the picture, so that nobody has none."""


@keras.saving.register_keras_serializable(package="harstream")
class PoseFeatures(keras.layers.Layer):  # type: ignore[misc]
    """Joints (N, T, 51) -> features (N, T, 88).

    Of each joint there are y, x and confidence, in shares of a square. The features are each joint's place relative to
    the trunk, its movement since the time before, and its confidence; then where the trunk is relative to its mean
    place, and the person's size. Lengths are in units of that size, the spread of the joints over the window.
    """

    def call(self, joints: Any) -> Any:
        T = joints.shape[1]
        each = ops.reshape(joints, (-1, T, JOINTS, 3))
        places, confidence = each[..., 1::-1], ops.clip(each[..., 2:], 0, 1)
        weights = ops.where(confidence > CERTAIN, confidence, 0.0) + 1e-3
        trunk = sum(places[:, :, joint] for joint in TRUNK) / len(TRUNK)
        centre = _weighted_mean(trunk, sum(weights[:, :, joint] for joint in TRUNK), axis=1)
        size = _size(places, weights) + SMALLEST
        seen = ops.cast(confidence > SEEN, "float32")
        local = ops.clip((places - trunk[:, :, None]) / size[..., None], -4, 4) * seen
        moved = ops.concatenate([ops.zeros_like(places[:, :1]), places[:, 1:] - places[:, :-1]], axis=1)
        speed = ops.clip(moved / size[..., None], -2, 2) * seen * 2
        of_joints = ops.reshape(ops.concatenate([local, speed, confidence], axis=-1), (-1, T, 5 * JOINTS))
        offset = ops.clip((trunk - centre) / size, -4, 4)
        return ops.concatenate([of_joints, offset, ops.zeros_like(offset[..., :1]) + 3 * size], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, int, int]) -> tuple[int | None, int, int]:
        return (*input_shape[:2], FEATURES)


def _weighted_mean(values: Any, weights: Any, axis: int) -> Any:
    return ops.sum(weights * values, axis, keepdims=True) / ops.sum(weights, axis, keepdims=True)


def _size(places: Any, weights: Any) -> Any:
    """Return the spread (N, 1, 1) of the joints around their middle, the root of its mean square over the window."""
    squares = weights * (places - _weighted_mean(places, weights, axis=2)) ** 2
    return ops.sqrt(ops.sum(squares, (1, 2, 3)) / ops.sum(weights, (1, 2, 3)))[:, None, None]
