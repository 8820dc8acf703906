"""What moves between two frames, as layers without weights.

What stands still vanishes, and with it the place that a model must not learn.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

WINDOW = 5
"""Pixels along a side of the square over which one flow vector is fitted."""
NOISE = 1e-4
"""Added to the diagonal of the structure tensor: flow is drawn to 0 where edges are weak."""
SCALES = (1, 2, 4)
"""Flow is fitted at full, half and quarter size: a step of 4 pixels is one of 1 pixel there."""

STEPS = (1, 2, 3)
"""Of the fit of the camera's motion, at each of SCALES."""
FARTHEST = 2.0
"""Pixels of its scale that such a step goes at most."""
DOUBT = 0.1
"""Grey levels (0 to 1) by which a spot differs that weighs a quarter in that fit."""
CAMERA_NOISE = 1e-5
"""As NOISE, in that fit."""


@keras.saving.register_keras_serializable(package="harstream")
class FrameDifference(keras.layers.Layer):  # type: ignore[misc]
    """Each frame minus the one before: (N, T, H, W, C) uint8 -> (N, T - 1, H, W, C) float32 in -1 to 1."""

    def call(self, frames: Any) -> Any:
        levels = ops.cast(frames, "float32") / 255
        return levels[:, 1:] - levels[:, :-1]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        N, T, *frame = input_shape
        return (N, T and T - 1, *frame)

    def compute_output_spec(self, frames: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(frames.shape), dtype="float32")


@keras.saving.register_keras_serializable(package="harstream")
class OpticalFlow(keras.layers.Layer):  # type: ignore[misc]
    """How a frame differs from the one before it and where each spot of it came from, had the camera not moved; and how
    it did.

    Two frames (N, 2, H, W, C) uint8 -> (N, H, W, 9) float32, H and W multiples of 4: three times the difference of the
    grey levels (0 to 1), then for each of SCALES the flow u, v in pixels of that scale, through tanh(x / 2), all 0
    where only one of both frames looks; then how the camera moved the picture, in pixels, through tanh(x / 4).
    Source: Lucas and Kanade 1981, "An iterative image registration technique", one step at each scale, without warping;
    flow as the input that generalises from few clips: Simonyan and Zisserman 2014, "Two-stream convolutional networks";
    the camera's motion taken away first: Wang and Schmid 2013, "Action recognition with improved trajectories".
    """

    def call(self, pair: Any) -> Any:
        grey = ops.moveaxis(ops.mean(ops.cast(pair, "float32"), axis=-1) / 255, 1, -1)
        smooth = _box(_edged(grey), 3)[:, 1:-1, 1:-1]
        motion = _camera_motion(smooth)
        steady, is_seen = _shifted(ops.concatenate([grey[..., 1:], smooth[..., 1:]], axis=-1), motion)
        before, after = smooth[..., :1], steady[..., 1:]
        flows = [_enlarged(_lucas_kanade(_pooled(before, scale), _pooled(after, scale)), scale) for scale in SCALES]
        seen = ops.concatenate([3 * (steady[..., :1] - grey[..., :1]), *flows], axis=-1)
        of_camera = ops.tanh(motion / 4)[:, None, None, :] * ops.ones_like(is_seen)
        return ops.concatenate([seen * is_seen, of_camera], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        N, _, H, W, _ = input_shape
        if (H or 0) % SCALES[-1] or (W or 0) % SCALES[-1]:
            raise ValueError(f"optical flow needs sides that are multiples of {SCALES[-1]} pixels, got {W}x{H}")
        return (N, H, W, 1 + 2 * len(SCALES) + 2)

    def compute_output_spec(self, pair: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(pair.shape), dtype="float32")


def _camera_motion(smooth: Any) -> Any:
    """Two grey pictures (N, H, W, 2) -> the translation (N, 2), u and v in pixels, at which the second shows most of
    the first.

    Lucas and Kanade's step over the whole picture, from coarse to fine; but for the very first, what does not fit yet
    weighs less, as does who walks through the picture. Source of the weights: Geman and McClure 1985, as in Black and
    Anandan 1996, "The robust estimation of multiple motions".
    """
    motion = ops.zeros_like(smooth[:, 0, 0, :])
    for scale, steps in zip(reversed(SCALES), reversed(STEPS), strict=True):
        both = _pooled(smooth, scale)
        for step in range(steps):
            after, is_seen = _shifted(both[..., 1:], motion / scale)
            x, y, t = _gradients(both[..., :1], after)
            is_first = scale == SCALES[-1] and step == 0
            weight = is_seen if is_first else is_seen / (1 + (t / DOUBT) ** 2) ** 2
            products = ops.concatenate([x**2, x * y, y**2, x * t, y * t], axis=-1)
            means = ops.sum(products * weight, axis=(1, 2)) / (ops.sum(weight, axis=(1, 2)) + 1)
            motion = motion + scale * ops.clip(_solved(means, CAMERA_NOISE), -FARTHEST, FARTHEST)
    return motion


def _shifted(pictures: Any, motion: Any) -> tuple[Any, Any]:
    """What pictures (N, H, W, C) show at each spot plus motion (N, 2), between pixels in proportion; and 1.0 where that
    is in the picture, 0.0 where not (N, H, W, 1). Products with matrices, for want of an operator that all have."""
    _, H, W, _ = pictures.shape
    down, sees_down = _sampling(motion[:, 1], H)
    across, sees_across = _sampling(motion[:, 0], W)
    planes = ops.transpose(pictures, (0, 3, 1, 2))
    moved = ops.matmul(ops.matmul(down[:, None], planes), ops.transpose(across, (0, 2, 1))[:, None])
    return ops.transpose(moved, (0, 2, 3, 1)), (sees_down[:, :, None] * sees_across[:, None, :])[..., None]


def _sampling(shift: Any, length: int) -> tuple[Any, Any]:
    """For each spot of a line, the weight of each of its pixels (N, length, length), and whether it is in it
    (N, length)."""
    spots = np.arange(length, dtype=np.float32)
    wanted = spots[None] + shift[:, None]
    inside = ops.clip(wanted, 0.0, length - 1.0)
    weights = ops.relu(1 - ops.abs(inside[:, :, None] - spots[None, None]))
    return weights, ops.cast(ops.abs(wanted - inside) < 0.5, "float32")


def _gradients(before: Any, after: Any) -> tuple[Any, Any, Any]:
    """Of grey levels (N, H, W, 1) twice: along x, y and time."""
    middle = (before + after) / 2
    edged = _edged(middle)
    return (
        (edged[:, 1:-1, 2:] - edged[:, 1:-1, :-2]) / 2,
        (edged[:, 2:, 1:-1] - edged[:, :-2, 1:-1]) / 2,
        after - before,
    )


def _edged(pictures: Any) -> Any:
    """With one more pixel at each side, as the last one: (N, H, W, C) -> (N, H + 2, W + 2, C)."""
    wide = ops.concatenate([pictures[:, :, :1], pictures, pictures[:, :, -1:]], axis=2)
    return ops.concatenate([wide[:, :1], wide, wide[:, -1:]], axis=1)


def _lucas_kanade(before: Any, after: Any) -> Any:
    """Grey levels (N, H, W, 1) twice -> tanh of half the flow (N, H, W, 2)."""
    x, y, t = _gradients(before, after)
    products = ops.concatenate([x**2, x * y, y**2, x * t, y * t], axis=-1)
    return ops.tanh(_solved(_box(products, WINDOW), NOISE) / 2)


def _solved(products: Any, noise: float) -> Any:
    """Means (..., 5) of the products of gradients xx, xy, yy, xt and yt -> the flow (..., 2)."""
    xx, xy, yy, xt, yt = ops.split(products, 5, axis=-1)
    xx, yy = xx + noise, yy + noise
    return ops.concatenate([xy * yt - yy * xt, xy * xt - xx * yt], axis=-1) / (xx * yy - xy * xy)


def _pooled(pictures: Any, scale: int) -> Any:
    return ops.average_pool(pictures, scale, strides=scale, data_format="channels_last")


def _enlarged(flow: Any, times: int) -> Any:
    """Each vector `times` times along both sides: (N, h, w, 2) -> (N, H, W, 2). A tile and not a resize, whose export
    carries an attribute that ONNX has deprecated."""
    _, h, w, C = flow.shape
    return ops.reshape(ops.tile(flow[:, :, None, :, None], (1, 1, times, 1, times, 1)), (-1, h * times, w * times, C))


def _box(pictures: Any, side: int) -> Any:
    """The mean over a square (side, side), with zeros around the picture (N, H, W, C)."""
    kernel = np.full((side, side, pictures.shape[-1], 1), 1 / side**2, dtype=np.float32)
    return ops.depthwise_conv(pictures, kernel, strides=1, padding="same", data_format="channels_last")
