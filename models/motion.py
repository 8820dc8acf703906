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
    """How a frame differs from the one before it, and where each spot of it came from.

    Two frames (N, 2, H, W, C) uint8 -> (N, H, W, 7) float32, H and W multiples of 4: three times the difference of the
    grey levels (0 to 1), then for each of SCALES the flow u, v in pixels of that scale, through tanh(x / 2).
    Source: Lucas and Kanade 1981, "An iterative image registration technique", one step at each scale, without warping;
    flow as the input that generalises from few clips: Simonyan and Zisserman 2014, "Two-stream convolutional networks".
    """

    def call(self, pair: Any) -> Any:
        grey = ops.moveaxis(ops.mean(ops.cast(pair, "float32"), axis=-1) / 255, 1, -1)
        smooth = _box(grey, 3)
        seen = [3 * (grey[..., 1:] - grey[..., :1])]
        for scale in SCALES:
            coarse = ops.average_pool(smooth, scale, strides=scale, data_format="channels_last")
            flow = _lucas_kanade(coarse[..., :1], coarse[..., 1:])
            seen.append(_enlarged(flow, scale))
        return ops.concatenate(seen, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        N, _, H, W, _ = input_shape
        if (H or 0) % SCALES[-1] or (W or 0) % SCALES[-1]:
            raise ValueError(f"optical flow needs sides that are multiples of {SCALES[-1]} pixels, got {W}x{H}")
        return (N, H, W, 1 + 2 * len(SCALES))

    def compute_output_spec(self, pair: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(pair.shape), dtype="float32")


def _lucas_kanade(before: Any, after: Any) -> Any:
    """Grey levels (N, H, W, 1) twice -> tanh of half the flow (N, H, W, 2)."""
    middle = (before + after) / 2
    wide = ops.concatenate([middle[:, :, :1], middle, middle[:, :, -1:]], axis=2)
    high = ops.concatenate([middle[:, :1], middle, middle[:, -1:]], axis=1)
    along_x, along_y = (wide[:, :, 2:] - wide[:, :, :-2]) / 2, (high[:, 2:] - high[:, :-2]) / 2
    along_t = after - before
    products = (along_x**2, along_x * along_y, along_y**2, along_x * along_t, along_y * along_t)
    xx, xy, yy, xt, yt = ops.split(_box(ops.concatenate(products, axis=-1), WINDOW), 5, axis=-1)
    xx, yy = xx + NOISE, yy + NOISE
    twice_determinant = 2 * (xx * yy - xy * xy)
    return ops.tanh(
        ops.concatenate([(xy * yt - yy * xt) / twice_determinant, (xy * xt - xx * yt) / twice_determinant], axis=-1)
    )


def _enlarged(flow: Any, times: int) -> Any:
    """Each vector `times` times along both sides: (N, h, w, 2) -> (N, H, W, 2). A tile and not a resize, whose export
    carries an attribute that ONNX has deprecated."""
    _, h, w, C = flow.shape
    return ops.reshape(ops.tile(flow[:, :, None, :, None], (1, 1, times, 1, times, 1)), (-1, h * times, w * times, C))


def _box(pictures: Any, side: int) -> Any:
    """The mean over a square (side, side), with zeros around the picture (N, H, W, C)."""
    kernel = np.full((side, side, pictures.shape[-1], 1), 1 / side**2, dtype=np.float32)
    return ops.depthwise_conv(pictures, kernel, strides=1, padding="same", data_format="channels_last")
