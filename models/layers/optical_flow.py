"""Computes the motion between two frames, in layers without weights.

Still parts vanish, such as the place, which a model must not learn. Means, slopes and shifts of pictures are matrix
products. On pictures of 64 pixels they are faster than convolutions of a few channels, in training and in exports.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

WINDOW = 5
"""Pixels along a side of the square over which one flow vector is fitted."""
NOISE = 1e-4
"""A term on the diagonal of the structure tensor, which pulls the flow to 0 where edges are weak."""
SCALES = (1, 2, 4)
"""The flow is fitted at full, half and quarter size. At quarter size, 4 pixels become 1 pixel."""

STEPS = (1, 2, 3)
"""Number of steps of the fit of the camera's motion, at each of SCALES."""
MAX_STEP = 2.0
"""The longest step of that fit, in pixels of its scale."""
QUARTER_WEIGHT_AT = 0.1
"""A spot that differs by this grey level (0 to 1) has a quarter of the weight in that fit."""
CAMERA_NOISE = 1e-5
"""The term NOISE of that fit."""

OF_SLOPES = (0, 0, 1, 0, 1), (0, 1, 1, 2, 2)
"""Rows and columns of xx, xy, yy, xt and yt in the matrix of products of the slopes x, y and t."""


@keras.saving.register_keras_serializable(package="harstream")
class FrameDifference(keras.layers.Layer):  # type: ignore[misc]
    """Subtracts the previous frame from each frame: (N, T, H, W, C) uint8 -> (N, T - 1, H, W, C) float32, -1 to 1."""

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
    """Computes difference and optical flow from the previous frame, without the camera's motion, and that motion.

    Two frames (N, 2, H, W, C) uint8 -> (N, H, W, 9) float32, where H and W are multiples of 4. The nine channels are:

    - three times the difference of the grey levels (0 to 1);
    - for each of SCALES, the flow u, v in pixels of that scale, through tanh(x / 2);
    - the motion of the picture by the camera, u and v in pixels, through tanh(x / 4).

    Difference and flow are 0 where only one of the frames sees the spot.
    Source: Lucas and Kanade 1981, "An iterative image registration technique", one step at each scale, without warping;
    flow as an input that generalises from few clips: Simonyan and Zisserman 2014, "Two-stream convolutional networks";
    removal of the camera's motion: Wang and Schmid 2013, "Action recognition with improved trajectories".
    """

    def call(self, pair: Any) -> Any:
        _, _, H, W, _ = pair.shape
        grey = ops.mean(ops.cast(pair, "float32"), axis=-1) / 255  # from here on, pictures are (N, C, H, W)
        smooth = _filtered(grey, _blur(H), _blur(W))
        motion = _camera_motion(smooth)
        (grey_before, grey_after), (smooth_before, smooth_after) = _split(grey, 2), _split(smooth, 2)
        steady, is_seen = _shifted(ops.concatenate([grey_after, smooth_after], axis=1), motion)
        grey_steady, smooth_steady = _split(steady, 2)
        both = ops.concatenate([smooth_before, smooth_steady], axis=1)
        flows = [_enlarged(_lucas_kanade(_pooled(both, scale)), scale) for scale in SCALES]
        seen = ops.concatenate([3 * (grey_steady - grey_before), *flows], axis=1) * is_seen
        of_camera = ops.tanh(motion / 4) * ops.ones_like(is_seen)
        return ops.transpose(ops.concatenate([seen, of_camera], axis=1), (0, 2, 3, 1))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        N, _, H, W, _ = input_shape
        if (H or 0) % SCALES[-1] or (W or 0) % SCALES[-1]:
            raise ValueError(f"optical flow needs sides that are multiples of {SCALES[-1]} pixels, got {W}x{H}")
        return (N, H, W, 1 + 2 * len(SCALES) + 2)

    def compute_output_spec(self, pair: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(pair.shape), dtype="float32")


def half_slopes(length: int) -> NDArray[np.float32]:
    """Return the matrix (length, length) that turns a line into half its slopes.

    It turns the sum of two lines into the slopes of their mean.
    """
    return np.asarray((_neighbour(length, 1) - _neighbour(length, -1)) / 4, np.float32)


def _camera_motion(smooth: Any) -> Any:
    """Return the translation (N, 2, 1, 1), u and v in pixels, between two grey pictures (N, 2, H, W).

    It repeats Lucas and Kanade's step over the whole picture, from coarse to fine. After the first step, spots that do
    not fit weigh less, such as a person who walks by. Source of the weights: Geman and McClure 1985, as in Black and
    Anandan 1996, "The robust estimation of multiple motions".
    """
    motion: Any = None
    its_scale = SCALES[-1]
    for scale, steps in zip(reversed(SCALES), reversed(STEPS), strict=True):
        before, after = _split(_pooled(smooth, scale), 2)
        if scale != its_scale:
            motion, its_scale = motion * (its_scale / scale), scale
        for _ in range(steps):
            if motion is None:
                motion = _first_step(before, after)
                continue
            shifted, is_seen = _shifted(after, motion)
            motion = motion + _step(before, shifted, is_seen)
    return motion


def _first_step(before: Any, after: Any) -> Any:
    """Return the first step of the fit, with equal weights: two pictures (N, 1, H, W) -> (N, 2, 1, 1)."""
    _, _, H, W = before.shape
    slopes = ops.concatenate(_slopes(before, after), axis=1)
    noise, products = np.zeros((3, 3)), np.zeros((5, 3, 3))
    noise[0, 0] = noise[1, 1] = CAMERA_NOISE * (H * W + 1)
    products[range(5), *OF_SLOPES] = 1
    return _near(_crossed(slopes, slopes), noise, products)


def _step(before: Any, after: Any, is_seen: Any) -> Any:
    """Return a later step of the fit: two pictures and the area that both see, (N, 1, H, W) each -> (N, 2, 1, 1)."""
    x, y, t = _slopes(before, after)
    doubt = t * t + QUARTER_WEIGHT_AT**2
    weight = is_seen / (doubt * doubt)  # in units of QUARTER_WEIGHT_AT**4
    slopes = ops.concatenate([x, y, t, is_seen], axis=1)
    noise, products = np.zeros((4, 4)), np.zeros((5, 4, 4))
    # The sum of is_seen * is_seen * weight is the sum of all weights. One weight is added, so that it is never 0.
    noise[3, 3] = 1 / QUARTER_WEIGHT_AT**4
    products[range(5), *OF_SLOPES] = 1
    products[[0, 2], 3, 3] = CAMERA_NOISE
    return _near(_crossed(slopes, slopes * weight), noise, products)


def _near(sums: Any, noise: NDArray[np.float64], products: NDArray[np.float64]) -> Any:
    """Return the step (N, 2, 1, 1) for sums (N, C^2, 1), at most MAX_STEP.

    `noise` (C, C) is added to the sums. `products` (5, C, C) says how much of each sum is in xx, xy, yy, xt and yt.
    """
    noisy = sums + ops.convert_to_tensor(noise.reshape(1, -1, 1), "float32")
    flow = _solved(*_split(ops.matmul(products.astype(np.float32).reshape(5, -1), noisy), 5))
    return ops.reshape(ops.clip(flow, -MAX_STEP, MAX_STEP), (-1, 2, 1, 1))


def _shifted(pictures: Any, motion: Any) -> tuple[Any, Any]:
    """Shift pictures (N, C, H, W) by a motion (N, 2, 1, 1), with linear interpolation.

    Also return 1.0 where the shifted spot is inside the picture, and 0.0 elsewhere (N, 1, H, W).
    """
    _, _, H, W = pictures.shape
    spots = ops.arange(max(H, W), dtype="float32")
    wanted = motion + spots[None, None, :, None]
    inside = ops.minimum(ops.maximum(wanted, 0.0), np.array([W - 1, H - 1], np.float32).reshape(1, 2, 1, 1))
    across, down = _split(ops.relu(1 - ops.abs(inside - spots[None, None, None])), 2)
    sees_across, sees_down = _split(ops.cast(ops.abs(wanted - inside) < 0.5, "float32"), 2)
    across, sees_across = (ops.transpose(each, (0, 1, 3, 2)) for each in (across, sees_across))
    if H != W:
        across, sees_across = across[:, :, :W, :W], sees_across[..., :W]
        down, sees_down = down[:, :, :H, :H], sees_down[:, :, :H]
    return ops.matmul(ops.matmul(down, pictures), across), ops.matmul(sees_down, sees_across)


def _slopes(before: Any, after: Any) -> list[Any]:
    """Return the slopes of the mean of two pictures (N, 1, H, W) along x and y, and from the first to the second."""
    _, _, H, W = before.shape
    both = before + after
    return [_across(both, half_slopes(W)), ops.matmul(half_slopes(H), both), after - before]


def _lucas_kanade(pair: Any) -> Any:
    """Turn grey levels (N, 2, H, W) into tanh of half the flow (N, 2, H, W)."""
    _, _, H, W = pair.shape
    x, y, t = _slopes(*_split(pair, 2))
    products = ops.concatenate([x * x, x * y, y * y, x * t, y * t], axis=1)
    xx, xy, yy, xt, yt = _split(_filtered(products, _box(H), _box(W)), 5)
    return ops.tanh(0.5 * _solved(xx + NOISE, xy, yy + NOISE, xt, yt))


def _crossed(pictures: Any, others: Any) -> Any:
    """Sum each channel times each channel of the others over a picture: twice (N, C, H, W) -> (N, C^2, 1)."""
    _, C, H, W = pictures.shape
    lines, columns = (ops.reshape(each, (-1, C, H * W)) for each in (pictures, others))
    return ops.reshape(ops.matmul(lines, ops.transpose(columns, (0, 2, 1))), (-1, C * C, 1))


def _solved(xx: Any, xy: Any, yy: Any, xt: Any, yt: Any) -> Any:
    """Solve for the flow (N, 2, ...) from means of the products of gradients, each (N, 1, ...)."""
    return ops.concatenate([xy * yt - yy * xt, xy * xt - xx * yt], axis=1) / (xx * yy - xy * xy)


def _split(values: Any, parts: int) -> list[Any]:
    return list(ops.split(values, parts, axis=1))


def _filtered(pictures: Any, down: NDArray[np.float32], across: NDArray[np.float32]) -> Any:
    """Multiply each column of pictures (N, C, H, W) by `down` (h, H) and each line by `across` (w, W): (N, C, h, w)."""
    return ops.matmul(down, _across(pictures, across))


def _across(pictures: Any, matrix: NDArray[np.float32]) -> Any:
    """Multiply each line of pictures (N, C, H, W) by a matrix (w, W) -> (N, C, H, w), all lines in one product."""
    w, W = matrix.shape
    _, C, H, _ = pictures.shape
    return ops.reshape(ops.matmul(ops.reshape(pictures, (-1, W)), matrix.T.copy()), (-1, C, H, w))


def _pooled(pictures: Any, scale: int) -> Any:
    """Return the means of squares side by side."""
    _, _, H, W = pictures.shape
    return pictures if scale == 1 else _filtered(pictures, _mean(H, scale), _mean(W, scale))


def _enlarged(pictures: Any, times: int) -> Any:
    """Repeat each pixel `times` times along both sides."""
    if times == 1:
        return pictures
    _, _, h, w = pictures.shape
    return _filtered(pictures, *(times * _mean(side * times, times).T for side in (h, w)))


def _mean(length: int, side: int) -> NDArray[np.float32]:
    """Return the matrix (length / side, length) of the means of `side` pixels side by side."""
    return np.asarray(np.eye(length // side).repeat(side, axis=1) / side, np.float32)


def _box(length: int) -> NDArray[np.float32]:
    """Return the matrix (length, length) of the means of WINDOW pixels around each, with zeros around the picture."""
    near = np.tri(length, k=WINDOW // 2) - np.tri(length, k=-WINDOW // 2)
    return np.asarray(near / WINDOW, np.float32)


def _neighbour(length: int, step: int) -> NDArray[np.float32]:
    """Return the matrix (length, length) of the pixels `step` further on. The last pixel repeats at the side."""
    return np.eye(length, dtype=np.float32)[np.clip(np.arange(length) + step, 0, length - 1)]


def _blur(length: int) -> NDArray[np.float32]:
    """Return the matrix (length, length) of the means of three pixels."""
    return np.asarray((_neighbour(length, -1) + _neighbour(length, 0) + _neighbour(length, 1)) / 3, np.float32)
