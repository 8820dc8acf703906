"""What a causal network remembers of one subject."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harstream.stream.recognition.protocols import CausalRecognizer, State


class CausalMemory:
    """Shows a causal network the frames of one subject, and keeps its state in between.

    No state sees more frames than the contract says. A second one begins halfway, and gives the scores when the first
    one ends. So the scores always rest on half of the longest stretch or more, and most frames are seen twice.

    longest 4, frame:           0  1  2  3  4  5  6
    seen by what gives scores:  1  2  3  4  3  4  3
    """

    def __init__(self, recognizer: CausalRecognizer) -> None:
        assert recognizer.contract.causal
        self._step = recognizer.step
        self._network = recognizer.contract.causal
        self._states: list[tuple[int, State]] = []
        """The number of frames that each state has seen, and the state. The oldest is the first."""

    def row(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Show the subject's next frame, (H, W, 3) RGB uint8. Return the scores (K,) after it."""
        kept: list[tuple[int, State | None]] = [each for each in self._states if each[0] < self._network.longest]
        if not kept or kept[-1][0] == self._network.overlap:
            kept.append((0, None))
        stepped = [(seen + 1, *self._step(frame, state)) for seen, state in kept]
        self._states = [(seen, state) for seen, _, state in stepped]
        return stepped[0][1]

    def clear(self) -> None:
        """Forget all frames, after a gap."""
        self._states = []
