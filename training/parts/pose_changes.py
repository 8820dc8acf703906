"""Changes the joints of training windows, so that a network knows people whom it has not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harstream.models.layers.pose_features import JOINTS

Joints = NDArray[np.float32]
MIRRORED = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
"""Each joint's place in the mirror, where left is right."""
TURN = 0.12
"""Standard deviation, in radians."""
WIDTH, SIZE = (0.9, 1.1), (0.7, 1.3)
JITTER = 0.006
"""Standard deviation of a joint's place, in shares of the square."""
LOST, OFTEN_LOST = 0.03, 0.08
"""Shares of the joints that are lost: of all at any time, and of those that half of the windows lack throughout."""
FALLS = 0.5
"""The share of windows of background in which the person falls, or lies. Who lies does no push-ups."""
FALLEN = 1.0, 1.9
"""The angle of who lies, in radians."""


def changed_people(windows: Joints, is_background: NDArray[np.bool_], random: np.random.Generator) -> Joints:
    """Change joints (N, T, 51). In background, people may fall."""
    falls = is_background & (random.random(len(windows)) < FALLS)
    windows[falls] = fallen(windows[falls], random)
    return changed(windows, random)


def fallen(windows: Joints, random: np.random.Generator) -> Joints:
    """Turn joints (N, T, 51) until the person lies. A third lies from the beginning."""
    N, T, _ = windows.shape
    each = windows.reshape(N, T, JOINTS, 3).copy()
    begin = np.where(random.random(N) < 1 / 3, -1.0, random.uniform(0, 1, N))
    done = np.clip((np.linspace(0, 1, T) - begin[:, None]) / random.uniform(0.1, 0.4, (N, 1)), 0, 1)
    angle = (done * random.uniform(*FALLEN, (N, 1)) * random.choice([-1, 1], (N, 1)))[..., None]
    middle = each[..., :2].mean(axis=2, keepdims=True)
    y, x = np.moveaxis(each[..., :2] - middle, -1, 0)
    turned = np.stack([np.sin(angle) * x + np.cos(angle) * y, np.cos(angle) * x - np.sin(angle) * y], axis=-1)
    each[..., :2] = middle + turned
    return np.asarray(each.reshape(windows.shape), np.float32)


def changed(windows: Joints, random: np.random.Generator) -> Joints:
    """Mirror, turn, stretch, scale and shake joints (N, T, 51), and lose some of them."""
    N, T, _ = windows.shape
    each = windows.reshape(N, T, JOINTS, 3).copy()
    mirrored = random.random(N) < 0.5
    each[mirrored] = each[mirrored][:, :, MIRRORED]
    each[..., :2] -= 0.5
    each[mirrored, ..., 1] *= -1
    turn, size = random.normal(0, TURN, (N, 1, 1)), random.uniform(*SIZE, (N, 1, 1))
    y, x = each[..., 0], each[..., 1] * random.uniform(*WIDTH, (N, 1, 1))
    each[..., 0], each[..., 1] = (
        size * (np.sin(turn) * x + np.cos(turn) * y) + 0.5,
        size * (np.cos(turn) * x - np.sin(turn) * y) + 0.5,
    )
    each[..., :2] += random.normal(0, JITTER, each[..., :2].shape)
    often = random.random((N, 1, JOINTS)) < OFTEN_LOST * random.integers(0, 2, (N, 1, 1))
    is_lost = often | (random.random((N, T, JOINTS)) < LOST)
    each[..., 2] *= np.where(is_lost, 0.2, random.uniform(0.85, 1.1, (N, 1, 1)))
    return np.asarray(each.reshape(windows.shape), np.float32)
