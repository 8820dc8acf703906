"""Changes windows as lenses, shaking mounts and sensors in the dark do. Every function draws its own strength."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
"""(T, H, W, 3)."""

RESIDUAL, SHAKING = (0.2, 1.2), (1.2, 4.0)
"""Pixels of the model to either side: what is left after a correction, and a mount that shakes by several percent."""
NOISE = 1.0, 11.0
"""Standard deviations in grey levels. A sensor's 21 levels are 4 to 10 after the average over a frame of 64 pixels."""
DARKNESS = 0.12, 0.5
"""Factor on the grey levels."""
BARREL = 0.08, 0.45
"""How much further from the centre a fisheye's corner looks, as a factor on the squared distance."""
SOFTNESS = 0.4, 1.3
"""Standard deviation of the blur in pixels of the model, as that of a far person who is enlarged."""


def shaken_steps(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return shifts (count, 2) in pixels: from frame to frame without a pattern, swaying, or drifting."""
    size = random.uniform(*(RESIDUAL if random.random() < 0.5 else SHAKING))
    kind = random.random()
    if kind < 0.6:
        return random.uniform(-size, size, (count, 2))
    if kind < 0.85:
        turns = random.uniform(0.05, 0.45, 2) * np.arange(count)[:, None] + random.random(2)
        return np.asarray(size * np.sin(2 * np.pi * turns))
    drift = np.arange(count)[:, None] - count / 2
    return np.asarray(drift * random.uniform(-size, size, 2) / 4)


def noisy(frames: Frames, random: np.random.Generator) -> Frames:
    """Add new noise to each frame. Half of all windows have noise without colour."""
    T, H, W, C = frames.shape
    shape = (T, H, W, 1 if random.random() < 0.5 else C)
    noise = random.standard_normal(shape, dtype=np.float32) * np.float32(random.uniform(*NOISE))
    return np.asarray(np.clip(frames + noise, 0, 255), np.uint8)


def darkened(frames: Frames, random: np.random.Generator) -> Frames:
    levels = np.arange(256) * random.uniform(*DARKNESS) + random.uniform(0, 12)
    return np.asarray(cv2.LUT(frames, levels.clip(0, 255).astype(np.uint8)), np.uint8)


def softened(frames: Frames, random: np.random.Generator) -> Frames:
    deviation = random.uniform(*SOFTNESS)
    return np.stack([np.asarray(cv2.GaussianBlur(frame, (5, 5), deviation), np.uint8) for frame in frames])


def fisheye(frames: Frames, random: np.random.Generator) -> Frames:
    """Bend the picture as a barrel. The corners of the picture leave the view or turn black."""
    _, H, W, _ = frames.shape
    strength = random.uniform(*BARREL)
    y, x = np.mgrid[-1 : 1 : H * 1j, -1 : 1 : W * 1j].astype(np.float32)
    further = (1 + strength * (x * x + y * y)) / random.uniform(1, 1 + strength)
    across, down = (x * further + 1) * (W - 1) / 2, (y * further + 1) * (H - 1) / 2
    maps = across.astype(np.float32), down.astype(np.float32)
    return np.stack([np.asarray(cv2.remap(frame, *maps, cv2.INTER_LINEAR), np.uint8) for frame in frames])
