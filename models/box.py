"""A rectangle of a picture, such as the one around a person, which the model sees instead of the whole picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOVES = 6.0
"""The smallest change of a spot from picture to picture that is movement, in grey levels, 0 to 255."""
EDGES = 0.03, 0.97
"""The box around movement leaves out these shares of it on each side, such as a shadow."""


@dataclass(frozen=True)
class Box:
    """A rectangle whose sides are shares of the picture's width and height: 0 is left or top, 1 is right or bottom."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """The shares from the left and from the top."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def sized(self, width: float, height: float) -> Box:
        """Return a box of that size around the same centre."""
        x, y = self.centre
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def shifted(self, right: float, down: float) -> Box:
        return Box(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def moved_into(self, outer: Box) -> Box:
        """Return the box shifted into `outer`. A side that is longer than that of `outer` is cut to it."""
        box = self.sized(min(self.width, outer.width), min(self.height, outer.height))
        right = max(outer.left - box.left, 0.0) + min(outer.right - box.right, 0.0)
        down = max(outer.top - box.top, 0.0) + min(outer.bottom - box.bottom, 0.0)
        return box.shifted(right, down)

    def in_picture(self, outer: Box) -> Box:
        """Return a box of `outer` as a box of the picture that contains `outer`."""
        return Box(
            outer.left + self.left * outer.width,
            outer.top + self.top * outer.height,
            outer.left + self.right * outer.width,
            outer.top + self.bottom * outer.height,
        )

    def overlap(self, other: Box) -> Box:
        """Return the part that both contain. Its sides are negative if there is none."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def pixels(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and the columns of a picture of that size, at least one pixel of each."""
        return _pixels(self.top, self.bottom, height), _pixels(self.left, self.right, width)


WHOLE = Box(0.0, 0.0, 1.0, 1.0)
"""The whole picture."""


def box_around_movement(counts: NDArray[np.integer]) -> Box:
    """Return the box around what moved. `counts` (H, W): how often each spot moved. At least one must have."""
    left, right = _span(counts.sum(axis=0))
    top, bottom = _span(counts.sum(axis=1))
    return Box(left, top, right, bottom)


def _span(counts: NDArray[np.integer]) -> tuple[float, float]:
    """Return where the movement along a side begins and ends, in shares of the side."""
    reached = np.cumsum(counts) / counts.sum()
    first, last = (int(np.searchsorted(reached, edge)) for edge in EDGES)
    return first / len(counts), (last + 1) / len(counts)


def _pixels(start: float, end: float, length: int) -> slice:
    first = min(max(round(start * length), 0), length - 1)
    return slice(first, min(max(round(end * length), first + 1), length))
