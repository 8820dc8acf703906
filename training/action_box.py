"""Finds where a window moves: the box of the action, from the differences of its frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harstream.models.box import WHOLE, Box

CELL = 4
"""Pixels along a side of the squares whose means are compared, so that noise does not count."""
MOVES = 6.0
"""The smallest difference between two frames that counts, in grey levels."""
SHARES = 0.03, 0.97
"""The box reaches from this share of the motion to that one, along both axes."""
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
    (left, right), (top, bottom) = (_span(moving.sum(axis=axis)) for axis in (0, 1))
    return Box(left, top, right, bottom)


def _span(counts: NDArray[np.intp]) -> tuple[float, float]:
    """Return the first and the last place of the motion along an axis, as shares of the axis."""
    reached = counts.cumsum() / counts.sum()
    first, last = np.searchsorted(reached, SHARES)
    return float(first / len(counts)), float((min(last, len(counts) - 1) + 1) / len(counts))
