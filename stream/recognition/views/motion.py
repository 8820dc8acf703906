"""Finds what moves in front of one camera: where in the picture, and how far the camera itself shook."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from harstream.models.box import MOVES, Box, box_around_movement

CERTAIN, LIKELY = 6.0, 4.0
"""Multiples of the standard deviation of the camera's noise. Where a few spots certainly moved, those that likely did
count, too.

Source of the two thresholds: Canny 1986, "A computational approach to edge detection", section VIII.
"""
CONTRAST, LEAST_SHARE = 40.0, 1 / 3
"""The standard deviation of the grey levels of an ordinary picture. With less contrast, less change is movement, down
to this share of MOVES.
"""
MOST_NOISE = 10.0
"""The highest standard deviation, in grey levels, that counts as noise. More is movement in most of the picture."""
SLOWLY, QUICKLY = 0.05, 0.2
"""Shares of a new measurement in that of the noise. Somebody near the camera must not pass for noise."""
LEAST_SPOTS = 5
"""Fewer spots of a picture of 64 x 64 that change at once are noise."""
QUARTILE_OF_NOISE = 0.3186
"""The lower quartile of the absolute value of a normal variable with the standard deviation 1."""
LONGEST_SHAKE = 0.15
"""The longest shift of the camera between two frames, as a share of the picture. A longer one is another picture."""
SHAKEN = 1.0
"""If the camera shook, at least half of the picture changed by more than this grey level."""
BETTER_BY = 0.8
"""A shift is believed if it brings the median change to this share of what it was, or lower."""

Picture = NDArray[np.float32]


class Motion:
    """Follows the movement in a camera's overviews: small pictures of all that the camera watches.

    The camera's noise is measured where nothing moves. A change of the light changes all spots alike, and counts as no
    movement.
    """

    def __init__(self, frames: int) -> None:
        """`frames`: number of frames over which movement is remembered."""
        self.shift = (0.0, 0.0)
        """How far the picture moved since the frame before, to the right and down, as shares of its sides."""
        self._earlier: Picture | None = None
        self._noise: float | None = None
        """The standard deviation of the noise, in grey levels."""
        self._moved: deque[NDArray[np.uint8]] = deque(maxlen=frames)
        self._heat: NDArray[np.int32] | None = None
        """Number of remembered frames in which each spot moved."""

    def update(self, overview: NDArray[np.uint8]) -> None:
        """Add an overview (H, W, 3) uint8 RGB. All overviews have the same size."""
        levels = cv2.cvtColor(overview, cv2.COLOR_RGB2GRAY).astype(np.float32)
        grey = np.asarray(cv2.blur(levels, (3, 3)), np.float32)
        earlier, self._earlier = self._earlier, grey
        if earlier is None:
            return
        change, self.shift = _change(earlier, grey)
        self._remember(self._moved_spots(change, float(np.clip(grey.std() / CONTRAST, LEAST_SHARE, 1))))

    def clear(self) -> None:
        """Forget all but the noise, after a gap."""
        self._earlier, self._heat, self.shift = None, None, (0.0, 0.0)
        self._moved.clear()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing moved in any of the remembered frames."""
        return self._heat is None or not self._heat.any()

    @property
    def box(self) -> Box | None:
        """The box around the remembered movement, None if there is none."""
        if self._heat is None or self.is_quiet:
            return None
        return box_around_movement(self._heat)

    def _moved_spots(self, change: Picture, contrast: float) -> NDArray[np.uint8]:
        """Return 1 where a spot moved. `change`: grey levels, NaN where only one of both frames sees the spot.

        `contrast`: that of the picture, as a share of that of an ordinary one.
        """
        some = _some(change)
        light = np.median(some)
        lower_quartile = np.partition(np.abs(some - light), len(some) // 4)[len(some) // 4]
        noise = min(float(lower_quartile) / QUARTILE_OF_NOISE, MOST_NOISE)
        before = noise if self._noise is None else self._noise
        self._noise = before + (SLOWLY if noise > before else QUICKLY) * (noise - before)
        size, least = np.abs(change - light), MOVES * contrast
        certain = size > max(least, CERTAIN * self._noise)
        if np.count_nonzero(certain) < LEAST_SPOTS * certain.size / 64**2:
            return np.zeros(certain.shape, np.uint8)
        return np.asarray(size > max(least, LIKELY * self._noise), np.uint8)

    def _remember(self, moved: NDArray[np.uint8]) -> None:
        heat = np.zeros(moved.shape, np.int32) if self._heat is None else self._heat
        if len(self._moved) == self._moved.maxlen:
            heat = heat - self._moved[0]
        self._moved.append(moved)
        self._heat = heat + moved


def _change(earlier: Picture, later: Picture) -> tuple[Picture, tuple[float, float]]:
    """Return the change (H, W) between two grey pictures without the camera's shift, and that shift in shares.

    Source: Kuglin and Hines 1975, "The phase correlation image alignment method".
    """
    H, W = later.shape
    still = later - earlier
    typical = np.median(np.abs(_some(still)))
    if typical <= SHAKEN:
        return still, (0.0, 0.0)
    hanning = cv2.createHanningWindow((W, H), cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(earlier.copy(), later.copy(), hanning)  # OpenCV 4 writes into both pictures
    if not 0.1 < max(abs(right) / (LONGEST_SHAKE * W), abs(down) / (LONGEST_SHAKE * H)) <= 1:
        return still, (0.0, 0.0)
    back = np.array([[1, 0, right], [0, 1, down]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    steady = cv2.warpAffine(later, back, (W, H), None, flags, cv2.BORDER_CONSTANT, float("nan")) - earlier
    if np.median(np.abs(_some(steady))) >= BETTER_BY * typical:
        return still, (0.0, 0.0)
    return np.asarray(steady, np.float32), (right / W, down / H)


def _some(change: Picture) -> Picture:
    """Return every second spot of every second row, for statistics, without those that only one of both frames sees."""
    some = change[::2, ::2].ravel()
    return some[~np.isnan(some)]
