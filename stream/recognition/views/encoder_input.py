"""Cuts the input of an encoder from the pictures of one camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harstream.models.box import WHOLE, Box
from harstream.models.contract import ModelContract
from harstream.models.picture import Picture

Cut = NDArray[np.uint8]


class EncoderInput:
    """Holds the last two pictures on the grid. An encoder that looks back gets both, cut by the same box.

    After `release` it holds only the last one.
    If each picture had a box of its own, the encoder would see the box move: then 20 % of windows were right, not 54.
    """

    def __init__(self, contract: ModelContract, lookback: int) -> None:
        """`lookback`: 1 if the encoder needs the picture before, else 0."""
        self._size = contract.height, contract.width
        self._lookback = lookback
        self._picture: Picture | None = None
        self._cuts: dict[Box, Cut] = {}
        """What was cut from the picture. The next picture often needs the same box of it."""
        self._earlier: Picture | None = None
        self._earlier_cuts: dict[Box, Cut] = {}

    def advance(self, picture: Picture) -> None:
        """Take the next picture on the grid."""
        self._earlier, self._earlier_cuts = (self._picture, self._cuts) if self._lookback else (None, {})
        self._picture, self._cuts = picture, {}

    def release(self) -> None:
        """Let go of the picture before the last one, because one of 1920 x 1080 takes 3 MB a camera."""
        self._earlier, self._earlier_cuts = None, {}

    def clear(self) -> None:
        """Forget the pictures, after a gap."""
        self._picture, self._cuts, self._earlier, self._earlier_cuts = None, {}, None, {}

    @property
    def held(self) -> int:
        """Number of pictures that the next row looks back to."""
        return self._lookback if self._picture is not None else 0

    @property
    def is_ready(self) -> bool:
        """Whether there are as many pictures as the encoder needs."""
        return self._picture is not None and (self._earlier is not None or not self._lookback)

    def frame(self, box: Box) -> Cut:
        """Return what is inside the box of the last picture, RGB (H, W, 3) uint8. There must be a picture."""
        assert self._picture is not None
        return _cut(self._picture, self._cuts, box, self._size)

    def larger(self, box: Box, size: tuple[int, int]) -> Cut:
        """Return what is inside the box of the last picture, RGB (*size, 3) uint8. There must be a picture."""
        assert self._picture is not None
        return self._picture.model_frame(*size, box)

    def cut(self, box: Box, shift: tuple[float, float] = (0.0, 0.0)) -> Cut:
        """Return the encoder's input for the last picture, (H, W, 3) or (2, H, W, 3) uint8 RGB.

        `shift`: how far the picture moved since the one before, to the right and down, in shares. Both are cut to what
        both show. Only if it is ready.
        """
        if not self._lookback:
            return self.frame(box)
        assert self._earlier is not None
        before, after = _both(box, shift)
        return np.stack([_cut(self._earlier, self._earlier_cuts, before, self._size), self.frame(after)])


def _both(box: Box, shift: tuple[float, float]) -> tuple[Box, Box]:
    """Return the box in the earlier and in the later picture, cut to what both pictures show."""
    right, down = shift
    if not (right or down):
        return box, box
    after = box.overlap(WHOLE.shifted(right, down)).overlap(WHOLE)
    return after.shifted(-right, -down), after


def _cut(picture: Picture, cuts: dict[Box, Cut], box: Box, size: tuple[int, int]) -> Cut:
    if box not in cuts:
        cuts[box] = picture.model_frame(*size, box)
    return cuts[box]
