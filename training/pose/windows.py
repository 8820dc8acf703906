"""Draws training windows of joints from recorded rows, each somewhat changed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from harstream.models.layers.pose_features import JOINTS

Joints = NDArray[np.float32]
MIRRORED = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
"""Each joint's place in the mirror, where left is right."""
SPEED = 0.8, 1.25
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
SMOOTHING = 0.05
"""Share of each target that is spread over all classes."""


class PoseWindows(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of windows (N, T, 51) and targets (N, F). Each epoch has one window of each sequence."""

    def __init__(
        self,
        sequences: Sequence[Joints],
        classes: NDArray[np.intp],
        may_fall: NDArray[np.bool_],
        poses: int,
        batch: int,
        seed: int,
    ) -> None:
        """`sequences`: the joints (n, 51) of each, one pose a row. `classes`: (S,). `poses`: T.

        `may_fall`: (S,), whether a sequence is still of its class if the person falls in it.
        """
        super().__init__()
        self._sequences = sequences
        self._may_fall = may_fall
        self._targets = np.eye(classes.max() + 1)[classes] * (1 - SMOOTHING) + SMOOTHING / (classes.max() + 1)
        self.poses = poses
        self._batch = batch
        self._random = np.random.default_rng(seed)
        self._order = self._random.permutation(len(sequences))

    def __len__(self) -> int:
        return math.ceil(len(self._sequences) / self._batch)

    def __getitem__(self, index: int) -> tuple[Joints, NDArray[np.float64]]:
        chosen = self._order[index * self._batch : (index + 1) * self._batch]
        windows = np.stack([self._window(self._sequences[number]) for number in chosen])
        falls = self._may_fall[chosen] & (self._random.random(len(chosen)) < FALLS)
        windows[falls] = fallen(windows[falls], self._random)
        return changed(windows, self._random), self._targets[chosen]

    def on_epoch_end(self) -> None:
        self._order = self._random.permutation(len(self._sequences))

    def _window(self, joints: Joints) -> Joints:
        """Return poses (T, 51) from somewhere, at a somewhat changed speed."""
        span = (self.poses - 1) * self._random.uniform(*SPEED)
        begin = self._random.uniform(0, max(0.0, len(joints) - 1 - span))
        at = np.minimum(begin + np.linspace(0, span, self.poses), len(joints) - 1)
        before = np.floor(at).astype(int)
        share = (at - before)[:, None]
        if self._random.random() < 0.5:
            share = np.round(share)  # a stream has no pose between two others
        after = np.minimum(before + 1, len(joints) - 1)
        return np.asarray(joints[before] * (1 - share) + joints[after] * share, np.float32)


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
