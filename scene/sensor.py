"""The defects of a cheap camera: shake, blur, flicker, vignette, colour cast, noise."""

from __future__ import annotations

from dataclasses import dataclass
from math import sin

import cv2
import numpy as np

from harstream.scene.patch import Picture

_SPARE = 64
"""Pixels by which the stored noise is larger than the picture; each frame uses another part of it."""


@dataclass(frozen=True)
class Sensor:
    shade: Picture
    """Vignette and colour cast; 255 leaves a pixel unchanged."""
    grain: Picture
    """Noise around 128, larger than the picture."""
    noise: float
    """Strength of the noise: 0 for a clean sensor, 1 for a sensor in the dark."""
    shake: float
    """Pixels."""
    flicker: float
    blur: float
    """Standard deviation in pixels; 0 is sharp."""
    gain: float
    start: float

    def take(self, picture: Picture, time: float, number: int) -> Picture:
        """Return frame `number` as the camera records it; the caller may reuse `picture`."""
        taken: cv2.typing.MatLike = self._moved(picture, time)
        if self.blur > 0:
            taken = cv2.GaussianBlur(taken, (3, 3), self.blur)
        taken = cv2.multiply(taken, self.shade, scale=1 / 255)
        jump = np.random.default_rng((number, int(self.start * 1e6))).integers(0, _SPARE, 2)
        height, width, _ = picture.shape
        grain = self.grain[jump[0] : jump[0] + height, jump[1] : jump[1] + width]
        gain = self.gain * (1 + self.flicker * (sin(17 * time + self.start) + 0.7 * sin(5.3 * time)))
        return cv2.addWeighted(taken, gain, grain, self.noise, -128 * self.noise).astype(np.uint8, copy=False)

    def _moved(self, picture: Picture, time: float) -> Picture:
        if self.shake <= 0:
            return picture
        t = time + self.start
        across = self.shake * (sin(2.1 * t) + 0.5 * sin(6.7 * t + 1))
        down = self.shake * (sin(1.7 * t + 2) + 0.5 * sin(7.9 * t))
        height, width, _ = picture.shape
        shift = np.array(((1, 0, across), (0, 1, down)), dtype=np.float32)
        return cv2.warpAffine(picture, shift, (width, height), borderMode=cv2.BORDER_REPLICATE).astype(
            np.uint8, copy=False
        )


def sensor(random: np.random.Generator, width: int, height: int) -> Sensor:
    cast = random.uniform(0.86, 1.0, 3) / random.uniform(0.95, 1.0)
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    fall = 1 - random.uniform(0.0, 0.35) * (rows**2 + columns**2)[..., None] / 2
    noise = random.normal(128, 40, (height + _SPARE, width + _SPARE, 3))
    return Sensor(
        shade=np.clip(255 * fall * cast, 0, 255).astype(np.uint8),
        grain=np.clip(cv2.GaussianBlur(noise, (3, 3), 0.5), 0, 255).astype(np.uint8),
        noise=float(random.uniform(0.04, 0.3)),
        shake=float(random.choice((0.0, 0.4, 1.2), p=(0.4, 0.4, 0.2))),
        flicker=float(random.choice((0.0, 0.01, 0.03), p=(0.4, 0.4, 0.2))),
        blur=float(random.choice((0.0, 0.5, 0.9), p=(0.4, 0.4, 0.2))),
        gain=float(random.uniform(0.85, 1.2)),
        start=float(random.uniform(0, 100)),
    )
