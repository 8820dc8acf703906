"""Models are timed side by side, each on whole windows."""

from __future__ import annotations

from time import sleep

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.evaluation.timing import ROUNDS, milliseconds_per_window
from harstream.models.contract import ModelContract

CONTRACT = ModelContract("x", "1.0.0", ("a", "b"), frames=5, height=8, width=6)


class SleepingRecognizer:
    """A Recognizer that takes a known time per window and keeps the shapes of its inputs."""

    contract = CONTRACT
    row_shape: tuple[int, ...] = (2,)
    row_dtype: np.dtype[np.generic] = np.dtype(np.float32)
    parts = ()

    def __init__(self, name: str, turns: list[str], seconds: float = 0.0, lookback: int = 0) -> None:
        self.lookback = lookback
        self.encoded: set[tuple[int, ...]] = set()
        self.scored: set[tuple[int, ...]] = set()
        self._name = name
        self._turns = turns
        self._seconds = seconds

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        self._turns.append(self._name)
        self.encoded.add(frames.shape)
        sleep(self._seconds)
        return np.zeros((len(frames), 2), np.float32)

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        self.scored.add(windows.shape)
        return np.zeros((len(windows), 2), np.float32)


def test_the_time_of_each_model_is_given_in_milliseconds() -> None:
    slow, fast = milliseconds_per_window([SleepingRecognizer("slow", [], 0.004), SleepingRecognizer("fast", [])])
    assert 4 <= slow < 40
    assert 0 < fast < slow


def test_models_take_turns() -> None:
    turns: list[str] = []
    milliseconds_per_window([SleepingRecognizer("a", turns), SleepingRecognizer("b", turns)])
    assert turns == ["a", "b"] * (ROUNDS + 3)


@pytest.mark.parametrize(("lookback", "encoded"), [(0, (5, 8, 6, 3)), (1, (4, 2, 8, 6, 3))])
def test_every_frame_of_a_window_is_encoded(lookback: int, encoded: tuple[int, ...]) -> None:
    recognizer = SleepingRecognizer("a", [], lookback=lookback)
    milliseconds_per_window([recognizer])
    assert recognizer.encoded == {encoded}
    assert recognizer.scored == {(1, 5 - lookback, 2)}
