"""What moves between two frames, as layers without weights.

What stands still vanishes, and with it the place that a model must not learn. Means, slopes and shifts of pictures are
products with matrices: on pictures of 64 pixels that is faster than convolutions of a few channels, in training and
exported.
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

OF_SLOPES = (0, 0, 1, 0, 1), (0, 1, 1, 2, 2)
"""Lines and columns of xx, xy, yy, xt and yt among the products of slopes x, y and t."""


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
        _, _, H, W, _ = pair.shape
        grey = ops.mean(ops.cast(pair, "float32"), axis=-1) / 255  # from here on (N, C, H, W)
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
    """(length, length): what a line is multiplied by for half its slopes; of the sum of two lines, those of their
    mean."""
    return np.asarray((_neighbour(length, 1) - _neighbour(length, -1)) / 4, np.float32)


def _camera_motion(smooth: Any) -> Any:
    """Two grey pictures (N, 2, H, W) -> the translation (N, 2, 1, 1), u and v in pixels, at which the second shows most
    of the first.

    Lucas and Kanade's step over the whole picture, from coarse to fine; but for the very first, what does not fit yet
    weighs less, as does who walks through the picture. Source of the weights: Geman and McClure 1985, as in Black and
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
    """Of the fit of the camera's motion, in which all weighs alike: two pictures (N, 1, H, W) -> (N, 2, 1, 1)."""
    _, _, H, W = before.shape
    slopes = ops.concatenate(_slopes(before, after), axis=1)
    noise, products = np.zeros((3, 3)), np.zeros((5, 3, 3))
    noise[0, 0] = noise[1, 1] = CAMERA_NOISE * (H * W + 1)
    products[range(5), *OF_SLOPES] = 1
    return _near(_crossed(slopes, slopes), noise, products)


def _step(before: Any, after: Any, is_seen: Any) -> Any:
    """Of that fit: two pictures, and where both look (N, 1, H, W) -> (N, 2, 1, 1)."""
    x, y, t = _slopes(before, after)
    doubt = t * t + DOUBT**2
    weight = is_seen / (doubt * doubt)  # 1 / DOUBT^4 times as much
    slopes = ops.concatenate([x, y, t, is_seen], axis=1)
    noise, products = np.zeros((4, 4)), np.zeros((5, 4, 4))
    noise[3, 3] = 1 / DOUBT**4  # where it is seen, squared, is the sum of the weights, and one more
    products[range(5), *OF_SLOPES] = 1
    products[[0, 2], 3, 3] = CAMERA_NOISE
    return _near(_crossed(slopes, slopes * weight), noise, products)


def _near(sums: Any, noise: NDArray[np.float64], products: NDArray[np.float64]) -> Any:
    """The step for sums (N, C^2, 1), noise (C, C) that is added to them, and how many of each (5, C, C) make xx, xy,
    yy, xt and yt."""
    noisy = sums + ops.convert_to_tensor(noise.reshape(1, -1, 1), "float32")
    flow = _solved(*_split(ops.matmul(products.astype(np.float32).reshape(5, -1), noisy), 5))
    return ops.reshape(ops.clip(flow, -FARTHEST, FARTHEST), (-1, 2, 1, 1))


def _shifted(pictures: Any, motion: Any) -> tuple[Any, Any]:
    """What pictures (N, C, H, W) show at each spot plus motion (N, 2, 1, 1), between pixels in proportion; and 1.0
    where that is in the picture, 0.0 where not (N, 1, H, W)."""
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
    """Two pictures (N, 1, H, W) -> along x and y of their mean, and from the first to the second."""
    _, _, H, W = before.shape
    both = before + after
    return [_across(both, half_slopes(W)), ops.matmul(half_slopes(H), both), after - before]


def _lucas_kanade(pair: Any) -> Any:
    """Grey levels (N, 2, H, W) -> tanh of half the flow (N, 2, H, W)."""
    _, _, H, W = pair.shape
    x, y, t = _slopes(*_split(pair, 2))
    products = ops.concatenate([x * x, x * y, y * y, x * t, y * t], axis=1)
    xx, xy, yy, xt, yt = _split(_filtered(products, _box(H), _box(W)), 5)
    return ops.tanh(0.5 * _solved(xx + NOISE, xy, yy + NOISE, xt, yt))


def _crossed(pictures: Any, others: Any) -> Any:
    """The sums over a picture (N, C, H, W) of each channel times each of the others' -> (N, C^2, 1)."""
    _, C, H, W = pictures.shape
    lines, columns = (ops.reshape(each, (-1, C, H * W)) for each in (pictures, others))
    return ops.reshape(ops.matmul(lines, ops.transpose(columns, (0, 2, 1))), (-1, C * C, 1))


def _solved(xx: Any, xy: Any, yy: Any, xt: Any, yt: Any) -> Any:
    """Means of the products of gradients, each (N, 1, ...) -> the flow (N, 2, ...)."""
    return ops.concatenate([xy * yt - yy * xt, xy * xt - xx * yt], axis=1) / (xx * yy - xy * xy)


def _split(values: Any, parts: int) -> list[Any]:
    return list(ops.split(values, parts, axis=1))


def _filtered(pictures: Any, down: NDArray[np.float32], across: NDArray[np.float32]) -> Any:
    """Each column (N, C, H, W) by down (h, H), each line by across (w, W) -> (N, C, h, w)."""
    return ops.matmul(down, _across(pictures, across))


def _across(pictures: Any, matrix: NDArray[np.float32]) -> Any:
    """Each line of pictures (N, C, H, W) by a matrix (w, W) -> (N, C, H, w): one product of all lines together."""
    w, W = matrix.shape
    _, C, H, _ = pictures.shape
    return ops.reshape(ops.matmul(ops.reshape(pictures, (-1, W)), matrix.T.copy()), (-1, C, H, w))


def _pooled(pictures: Any, scale: int) -> Any:
    """The means of squares beside each other."""
    _, _, H, W = pictures.shape
    return pictures if scale == 1 else _filtered(pictures, _mean(H, scale), _mean(W, scale))


def _enlarged(pictures: Any, times: int) -> Any:
    """Each pixel `times` times along both sides."""
    if times == 1:
        return pictures
    _, _, h, w = pictures.shape
    return _filtered(pictures, *(times * _mean(side * times, times).T for side in (h, w)))


def _mean(length: int, side: int) -> NDArray[np.float32]:
    """(length / side, length): of `side` pixels, and of the next."""
    return np.asarray(np.eye(length // side).repeat(side, axis=1) / side, np.float32)


def _box(length: int) -> NDArray[np.float32]:
    """(length, length): the mean of WINDOW pixels around each, with zeros around the picture."""
    near = np.tri(length, k=WINDOW // 2) - np.tri(length, k=-WINDOW // 2)
    return np.asarray(near / WINDOW, np.float32)


def _neighbour(length: int, step: int) -> NDArray[np.float32]:
    """(length, length): the pixel `step` further on, beyond the last the last."""
    return np.eye(length, dtype=np.float32)[np.clip(np.arange(length) + step, 0, length - 1)]


def _blur(length: int) -> NDArray[np.float32]:
    """(length, length): the mean of three pixels."""
    return np.asarray((_neighbour(length, -1) + _neighbour(length, 0) + _neighbour(length, 1)) / 3, np.float32)
