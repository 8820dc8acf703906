"""Makes windows in which nobody moves: one frame of a clip, with rain, flicker, a curtain or a fan at most.

A quiet room is background. Models that never saw one take its noise for an activity.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
"""(T, H, W, 3)."""

DROPS = 5, 60
"""Drops of rain in a frame."""
FLICKER = 0.02, 0.35
"""How far the light changes, as a share of it."""
SWAY = 0.01, 0.06
"""How far a curtain moves, as a share of the picture."""
FAN = 0.06, 0.22
"""The radius of a fan, as a share of the picture."""


def still_window(frame: NDArray[np.uint8], count: int, random: np.random.Generator) -> Frames:
    """Return `count` times the frame (H, W, 3). In four of five windows something moves that is no person."""
    frames = np.repeat(frame[np.newaxis], count, axis=0)
    move = MOTIONS[int(random.integers(len(MOTIONS)))]
    return move(frames, random)


def _nothing(frames: Frames, random: np.random.Generator) -> Frames:
    return frames


def _rain(frames: Frames, random: np.random.Generator) -> Frames:
    """Draw bright streaks that fall, at new places in each frame."""
    _, H, W, _ = frames.shape
    slant, length, drops = random.uniform(-0.3, 0.3), random.uniform(0.03, 0.15) * H, int(random.integers(*DROPS))
    for frame in frames:
        for x, y in random.random((drops, 2)) * (W, H):
            end = int(x + slant * length), int(y + length)
            cv2.line(frame, (int(x), int(y)), end, (200, 200, 200), 1, cv2.LINE_AA)
    return frames


def _flicker(frames: Frames, random: np.random.Generator) -> Frames:
    """Change the light: as a bad lamp, as a television does on a wall, or once, as a switch."""
    depth, count = random.uniform(*FLICKER), len(frames)
    kind = random.integers(3)
    if kind == 0:
        light = 1 + depth * random.uniform(-1, 1, count)
    elif kind == 1:
        light = 1 + depth * np.sin(2 * np.pi * (random.uniform(0.02, 0.4) * np.arange(count) + random.random()))
    else:
        light = np.where(np.arange(count) < random.integers(1, count), 1 - depth, 1 + depth)
    tables = np.clip(np.arange(256) * light[:, None], 0, 255).astype(np.uint8)
    return np.stack([np.asarray(cv2.LUT(*pair), np.uint8) for pair in zip(frames, tables, strict=True)])


def _curtain(frames: Frames, random: np.random.Generator) -> Frames:
    """Let a strip of the picture sway, more at its foot than at its rail."""
    _, H, W, _ = frames.shape
    width = int(random.uniform(0.15, 0.5) * W)
    left = int(random.integers(0, W - width))
    sway, pace = random.uniform(*SWAY) * W, random.uniform(0.02, 0.15)
    down, across = np.mgrid[0:H, 0:width].astype(np.float32)
    edge = np.sin(np.pi * across / width)  # still at both sides
    for index, frame in enumerate(frames):
        wave = np.sin(2 * np.pi * (pace * index + across / width))
        moved = np.float32(left) + across + np.float32(sway) * edge * wave * down / H
        frame[:, left : left + width] = cv2.remap(
            frame.copy(), moved.astype(np.float32), down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return frames


def _fan(frames: Frames, random: np.random.Generator) -> Frames:
    """Turn a small round part of the picture."""
    _, H, W, _ = frames.shape
    radius = max(int(random.uniform(*FAN) * min(H, W)), 2)
    x, y = (int(random.integers(radius, side - radius)) for side in (W, H))
    part = np.s_[y - radius : y + radius, x - radius : x + radius]
    disc = np.hypot(*(np.mgrid[-radius:radius, -radius:radius] + 0.5)) < radius
    turned, by = frames[0][part].copy(), random.uniform(15, 170)
    for index, frame in enumerate(frames):
        turn = cv2.getRotationMatrix2D((radius - 0.5, radius - 0.5), by * index, 1)
        frame[part][disc] = cv2.warpAffine(turned, turn, turned.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101)[disc]
    return frames


MOTIONS: tuple[Callable[[Frames, np.random.Generator], Frames], ...] = (_nothing, _rain, _flicker, _curtain, _fan)
