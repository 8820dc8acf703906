"""Walls, skies and floors: the large surfaces of a backdrop."""

from __future__ import annotations

import cv2
import numpy as np

from harstream.scene.camera import Camera
from harstream.scene.patch import Colour, Picture


def floor_row(camera: Camera, away: float) -> float:
    """Return the row of the floor at `away` body heights behind the person."""
    return float(camera.seen(np.array(((0.0, 0.0, -away),)))[0][0, 1])


def gradient(camera: Camera, top: Colour, bottom: Colour) -> Picture:
    ramp = np.linspace(0, 1, camera.height)[:, None, None]
    picture = np.array(top) * (1 - ramp) + np.array(bottom) * ramp
    return np.broadcast_to(picture, (camera.height, camera.width, 3)).astype(np.uint8).copy()


def roughen(
    random: np.random.Generator, picture: Picture, rows: slice, grain: tuple[int, int], strength: float
) -> None:
    """Add stains of about `grain` (width, height) pixels to some rows of the picture."""
    height, width, _ = picture[rows].shape
    coarse = random.normal(0, strength, (max(2, height // grain[1]), max(2, width // grain[0]))).astype(np.float32)
    stains = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    picture[rows] = np.clip(picture[rows] + stains, 0, 255).astype(np.uint8)
