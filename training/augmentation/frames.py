"""Changes windows at random, as if another camera had filmed the same activity."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Range = tuple[float, float]


@dataclass(frozen=True)
class Augmentation:
    """How much a window may change: ranges for uniform draws, and probabilities between 0 and 1."""

    zoom: Range
    aspect: Range
    """Factor on the ratio of width to height."""
    tilt: float
    """Largest rotation, in degrees, to either side."""
    shift: float
    """Largest shift to either side, as a share of the picture."""
    light: Range
    """Factor on the contrast, and on the brightness."""
    grey: float
    """Probability that the window becomes grey."""
    recoloured: float = 0.0
    """Probability that the colour channels swap places."""
    hidden: float = 0.0
    """Probability that a grey box covers a part of the picture; see hide_a_part."""
    noisy: float = 0.0
    """Probability of noise."""
    other_place: float = 0.0
    """Probability that a picture of another clip is laid over the window; see overlay_place."""


def augment(window: NDArray[np.uint8], how: Augmentation, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return the window (T, H, W, 3), changed at random within `how`. Half of all windows are mirrored.

    All frames of the window change in the same way. Only the noise differs from frame to frame.
    """
    T, H, W, C = window.shape
    warp = _warp(H, W, how, random)
    frames = np.empty_like(window)
    for t in range(T):
        cv2.warpAffine(window[t], warp, (W, H), frames[t], cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101)
    if random.random() < how.recoloured:
        frames = frames[..., random.permutation(C)]
    if random.random() < how.grey:
        frames[:] = frames[..., 1:2]  # green stands for luminance
    if random.random() < how.hidden:
        hide_a_part(frames, random)
    frames = with_other_light(frames, how.light, random)
    return _with_noise(frames, random) if random.random() < how.noisy else frames


def overlay_place(
    window: NDArray[np.uint8], place: NDArray[np.uint8], random: np.random.Generator
) -> NDArray[np.uint8]:
    """Lay one still picture (H, W, 3) of another clip over all frames (T, H, W, 3) of a window.

    The motion stays, but the place no longer reveals the class. Without this, models of whole frames learn scenes: they
    recognized Diving by its pool, but no jumping jacks of an unseen person.
    Source: Wang et al. 2021, "Removing the background by adding the background", eq. 1.
    """
    share = random.uniform(0, 0.6)
    laid = [cv2.addWeighted(frame, 1 - share, place, share, 0) for frame in window]
    return np.asarray(laid, dtype=np.uint8)


def _warp(height: int, width: int, how: Augmentation, random: np.random.Generator) -> NDArray[np.float64]:
    zoom, aspect = random.uniform(*how.zoom), random.uniform(*how.aspect)
    warp = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-how.tilt, how.tilt), zoom)
    warp[0] *= aspect
    warp[0, 2] += width / 2 * (1 - aspect) + random.uniform(-how.shift, how.shift) * width
    warp[1, 2] += random.uniform(-how.shift, how.shift) * height
    if random.random() < 0.5:
        warp[0] = -warp[0] + [0, 0, width - 1]
    return np.asarray(warp, dtype=np.float64)


def with_other_light(frames: NDArray[np.uint8], light: Range, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return the frames with another contrast, brightness and tint: one lookup table per channel."""
    contrast, mean = random.uniform(*light), float(frames.mean())
    gain = random.uniform(*light) * random.uniform(0.9, 1.1, size=frames.shape[-1])
    levels = ((np.arange(256) - mean) * contrast + mean)[:, None] * gain
    table = np.clip(levels, 0, 255).astype(np.uint8)
    return np.stack([table[frames[..., channel], channel] for channel in range(frames.shape[-1])], axis=-1)


def _with_noise(frames: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    strength = int(
        random.integers(2, 14)
    )  # uniform between -strength and +strength grey levels: a standard deviation of 1 to 7
    noise = random.integers(-strength, strength + 1, size=frames.shape, dtype=np.int8)
    return np.asarray(np.clip(frames.astype(np.int16) + noise, 0, 255), dtype=np.uint8)


def hide_a_part(frames: NDArray[np.uint8], random: np.random.Generator) -> None:
    """Draw one grey box into all frames, so that no single spot reveals the class.

    Changes `frames`. Source: Zhong et al. 2020, "Random erasing", with one box per window.
    """
    _, H, W, _ = frames.shape
    height, width = random.integers(H // 8, H // 2), random.integers(W // 8, W // 2)
    top, left = random.integers(0, H - height), random.integers(0, W - width)
    frames[:, top : top + height, left : left + width] = random.integers(0, 256)
