"""While nothing but noise moves, nothing is encoded, and the model's own answer to stillness counts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.models.transform import BgrPicture
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.stillness import stillness
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.wire.values import Frame, Notice

SIZE = (48, 64)


class ChangeRecognizer:
    """A Recognizer that sees how much changes from picture to picture, and calls any change a jump."""

    lookback = 1
    row_shape: tuple[int, ...] = (1,)
    row_dtype: np.dtype[np.generic] = np.dtype(np.float32)
    parts = ()
    contract = ModelContract("change", "1", ("Jump", "Idle"), ("Idle",), frames=4, height=16, width=16, rate=10.0)

    def __init__(self) -> None:
        self.encoded = self.scored = 0

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        self.encoded += len(frames)
        change = np.abs(np.diff(frames.astype(np.float32), axis=1))
        return change.max(axis=(1, 2, 3, 4))[:, None]

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        self.scored += len(windows)
        return np.array([[0.9, 0.1] if window.max() > 0 else [0.25, 0.75] for window in windows], np.float32)


class PictureRecognizer(ChangeRecognizer):
    """A Recognizer whose rows depend on what a still picture shows."""

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return frames[:, 1].mean(axis=(1, 2, 3))[:, None].astype(np.float32)


def notices(recognizer: Recognizer, pictures: Iterator[NDArray[np.uint8]]) -> list[Notice]:
    settings = TrackerSettings(0.8, 0.5)
    pipeline = Pipeline(recognizer, lambda name: Tracker(name, recognizer.contract, settings), ExponentialMean)
    frames = (Frame("hall", number / 10, BgrPicture(picture)) for number, picture in enumerate(pictures))
    return [step.notice for step in pipeline.steps([frame] for frame in frames)]


def noisy_room(count: int, deviation: float, size: tuple[int, int] = SIZE) -> Iterator[NDArray[np.uint8]]:
    """Yields pictures of a grey room with the noise of a sensor in the dark."""
    random = np.random.default_rng(3)
    for _ in range(count):
        yield np.clip(90 + random.normal(0, deviation, (*size, 3)), 0, 255).astype(np.uint8)


def test_while_nothing_moves_nothing_is_encoded_and_the_answer_to_stillness_counts() -> None:
    recognizer = ChangeRecognizer()
    found = notices(recognizer, noisy_room(30, 5))
    assert (recognizer.encoded, recognizer.scored) == (2, 1)  # when the pipeline asked what it makes of stillness
    scores = [notice.scores for notice in found if notice.scores]
    assert len(scores) == 27
    assert all(each.by_label() == {"Jump": 0.25, "Idle": 0.75} for each in scores)
    assert [notice.warming for notice in found[:5]] == [(1, 4), (2, 4), (3, 4), (4, 4), (4, 4)]


def test_movement_is_seen_at_once_and_until_it_has_left_the_window() -> None:
    def pictures() -> Iterator[NDArray[np.uint8]]:
        for number in range(30):
            picture = np.full((*SIZE, 3), 90, np.uint8)
            picture[10:30, 20:40] += 60 if number == 12 else 0
            yield picture

    likeliest = [
        notice.scores.by_label()["Jump"] > 0.5 for notice in notices(ChangeRecognizer(), pictures()) if notice.scores
    ]
    # The first score is that of picture 3. Pictures 12 and 13 differ from those before; the window holds three rows.
    assert likeliest == [False] * 9 + [True] * 4 + [False] * 14


@pytest.mark.parametrize("recognizer", [PictureRecognizer()])
def test_a_model_that_sees_still_pictures_is_asked_each_time(recognizer: PictureRecognizer) -> None:
    assert stillness(recognizer) is None
    before = recognizer.scored
    notices(recognizer, noisy_room(10, 0))
    assert recognizer.scored - before == 7


@pytest.mark.parametrize("model", ["flow_tcn", "lrcn", "flow_pose"])
def test_shipped_models_call_stillness_background(model: str) -> None:
    recognizer = load_engine(model, "cpu")
    still = stillness(recognizer)
    assert still is not None
    assert recognizer.contract.labels[int(still.scores.argmax())] in recognizer.contract.background
