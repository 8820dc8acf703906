"""Finds where a window moves: the box of the action, from the differences of its frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harstream.models.box import MOVES, WHOLE, Box, box_around_movement

CELL = 4
"""Pixels along a side of the squares whose means are compared, so that noise does not count."""
FEWEST = 12
"""Fewer moving squares than this in a window are no action. Then the box is the whole picture."""


def squared(box: Box, factor: float, aspect: float = 1.0, *, sides: tuple[float, float]) -> Box:
    """Return a box around the same centre with the shape of the whole picture, `factor` times as large.

    `aspect` is a factor on the ratio of width to height. No side is outside of `sides`, which may be more than 1.
    """
    side, root = max(box.width, box.height) * factor, aspect**0.5
    shortest, longest = sides
    return box.sized(*(min(max(length, shortest), longest) for length in (side * root, side / root)))


def action_box(window: NDArray[np.uint8]) -> Box:
    """Return the box of what moves in a window (T, H, W, 3). H and W are at least CELL."""
    T, H, W, _ = window.shape
    rows, columns = H // CELL, W // CELL
    green = window[:, : rows * CELL, : columns * CELL, 1].reshape(T, rows, CELL, columns, CELL)
    cells = green.mean(axis=(2, 4), dtype=np.float32)
    moving = (np.abs(np.diff(cells, axis=0)) > MOVES).sum(axis=0)
    if moving.sum() < FEWEST:
        return WHOLE
    return box_around_movement(moving)
