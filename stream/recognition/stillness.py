"""What a model makes of a picture in which nothing moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.row_parts import repeated

SAME = 1e-4
"""Rows that differ by less are equal. Processors round differently."""


@dataclass(frozen=True, eq=False)
class Stillness:
    """The row of two equal pictures, which is the same for all pictures, and the scores of a window of such rows.

    The noise of a camera in the dark looks like movement to a model. While nothing but noise moves, this row takes the
    place of that of the noisy pictures, and nothing needs to be encoded.
    """

    row: NDArray[np.generic]
    """The encoder's row, without the numbers of parts."""
    scores: NDArray[np.float32]
    """(K,)"""


def stillness(recognizer: Recognizer) -> Stillness | None:
    """Return what the model makes of still pictures. None for a model that sees more in them than movement."""
    if not recognizer.lookback:
        return None
    contract = recognizer.contract
    shape = (contract.height, contract.width, 3)
    pictures = np.zeros(shape, np.uint8), np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    black, speckled = recognizer.encode(np.stack([np.stack([picture, picture]) for picture in pictures]))
    if np.abs(black - speckled).max() > SAME:
        return None
    return Stillness(black, recognizer.score(repeated(recognizer, black)[np.newaxis])[0])
