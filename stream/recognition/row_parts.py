"""The parts of rows that networks beside the encoder give, from larger pictures at a rate of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harstream.models.transform import to_model_frame
from harstream.stream.recognition.causal_memory import CausalMemory
from harstream.stream.recognition.protocols import CausalRecognizer, PartEncoder, Recognizer

Numbers = NDArray[np.float32]


class HeldParts:
    """Holds the last numbers of each part for one subject, and says which part needs a picture.

    every 3rd frame:    seen   ~      ~      seen   ~
    in the row:         1st    1st    1st    2nd    2nd
    """

    def __init__(self, parts: Sequence[PartEncoder]) -> None:
        self._every = [part.every for part in parts]
        self._held = [part.blank for part in parts]
        self._since = list(self._every)
        """Frames since a picture of each part."""

    def due(self) -> list[int]:
        """Return the numbers of the parts that must see the next frame, and count that frame."""
        due = [part for part, since in enumerate(self._since) if since >= self._every[part]]
        self._since = [1 if part in due else since + 1 for part, since in enumerate(self._since)]
        return due

    def hold(self, part: int, numbers: Numbers) -> None:
        """Take the numbers (D,) of the part's last picture."""
        self._held[part] = numbers

    def complete(self, row: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return a row of the encoder with the numbers of all parts after its own."""
        return np.concatenate([row, *self._held]) if self._held else row

    def clear(self) -> None:
        """Let every part see the next frame, after a gap."""
        self._since = list(self._every)


def black_window(recognizer: Recognizer) -> NDArray[np.generic]:
    """Return the rows (T, *row_shape) of a window of black pictures. Only one row is computed."""
    contract, lookback = recognizer.contract, recognizer.lookback
    frames = np.zeros((1 + lookback, contract.height, contract.width, 3), np.uint8)
    return repeated(recognizer, recognizer.encode(with_lookback(frames, lookback))[0])


def repeated(recognizer: Recognizer, row: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return the rows (T, *row_shape) of a window of which each is this row of the encoder, before any part saw one."""
    whole = HeldParts(recognizer.parts).complete(row)
    return np.repeat(whole[np.newaxis], recognizer.contract.frames - recognizer.lookback, axis=0)


def window_rows(recognizer: Recognizer, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.generic]:
    """Return the rows (T, *row_shape) of a window.

    `pictures`: the contract's number of BGR pictures (H, W, 3) uint8 of any size, oldest first, at its rate.
    """
    contract, lookback = recognizer.contract, recognizer.lookback
    frames = np.stack([to_model_frame(picture, contract.height, contract.width) for picture in pictures])
    if isinstance(recognizer, CausalRecognizer):
        memory = CausalMemory(recognizer)
        return np.stack([memory.row(frame) for frame in frames])
    rows = recognizer.encode(with_lookback(frames, lookback))
    numbers = [_part_rows(part, pictures[lookback:]) for part in recognizer.parts]
    return np.concatenate([rows, *numbers], axis=1) if numbers else rows


def with_lookback(frames: NDArray[np.uint8], lookback: int) -> NDArray[np.uint8]:
    """Return the input of `encode` for consecutive frames (n, H, W, 3): the frames, or pairs (n - 1, 2, H, W, 3)."""
    return np.stack([frames[:-1], frames[1:]], axis=1) if lookback else frames


def _part_rows(part: PartEncoder, pictures: Sequence[NDArray[np.uint8]]) -> Numbers:
    """Return the part's numbers (T, D) for each of T pictures, held between those that it sees."""
    seen = part.see(np.stack([to_model_frame(picture, *part.size) for picture in pictures[:: part.every]]))
    return np.repeat(seen, part.every, axis=0)[: len(pictures)]
