"""Networks beside the encoder see larger pictures at a rate of their own, and rows hold their numbers in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.box import Box
from harstream.models.catalogue import ENCODER, find_model
from harstream.models.contract import ContractError, ModelContract, RowPart
from harstream.models.transform import BgrPicture
from harstream.stream.recognition.model import load
from harstream.stream.recognition.onnx_runtime import OnnxRecognizer, load_engine
from harstream.stream.recognition.pipeline import Arrival, Pipeline
from harstream.stream.recognition.row_parts import HeldParts
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.wire.errors import ModelError
from harstream.wire.values import CameraChange, CameraState, Frame, Scores
from tests.support.parts_model import EVERY, RED, SIZE, write_parts_model


class CountingPart:
    """A PartEncoder whose number is the blue of the picture. It keeps the shapes of what it saw."""

    size = SIZE
    blank = np.zeros(1, np.float32)

    def __init__(self, every: int) -> None:
        self.every = every
        self.seen: list[tuple[int, ...]] = []

    def see(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.seen.append(pictures.shape)
        return pictures[:, 0, 0, 2:].astype(np.float32)


class RowRecognizer:
    """A Recognizer that gives every window the same scores, and keeps the windows."""

    contract = ModelContract("rows", "1", ("Jump", "Idle"), ("Idle",), frames=4, height=4, width=4, rate=10.0)
    lookback = 0
    row_shape: tuple[int, ...] = (2,)
    row_dtype: np.dtype[np.generic] = np.dtype(np.float32)

    def __init__(self, every: int) -> None:
        self.parts = [CountingPart(every)]
        self.windows: list[list[list[float]]] = []

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return frames[:, 0, 0, 2:].astype(np.float32)

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        self.windows += windows.astype(float).tolist()
        return np.full((len(windows), 2), 0.5, np.float32)


def level(number: int) -> BgrPicture:
    return BgrPicture(np.full((48, 64, 3), number, np.uint8))


def new_pipeline(recognizer: OnnxRecognizer | RowRecognizer) -> Pipeline:
    settings = TrackerSettings(0.8, 0.5)
    return Pipeline(recognizer, lambda name: Tracker(name, recognizer.contract, settings), ExponentialMean)


def frames(levels: Sequence[int], camera: str = "hall", start: float = 0.0) -> list[Frame]:
    return [Frame(camera, start + number / 10, level(each)) for number, each in enumerate(levels)]


def test_a_part_sees_every_nth_frame_and_its_numbers_are_held() -> None:
    recognizer = RowRecognizer(every=3)
    list(new_pipeline(recognizer).steps([frame] for frame in frames([1, 2, 3, 4, 5])))
    assert recognizer.windows == [[[1, 1], [2, 1], [3, 1], [4, 4]], [[2, 1], [3, 1], [4, 4], [5, 4]]]
    assert recognizer.parts[0].seen == [(1, *SIZE, 3), (1, *SIZE, 3)]


def test_a_part_sees_the_first_frame_after_a_gap() -> None:
    recognizer = RowRecognizer(every=3)
    pipeline = new_pipeline(recognizer)
    gap = CameraChange("hall", 0.5, CameraState.OFFLINE, "timeout")
    shown: list[Arrival] = [*frames([1, 2]), gap, *frames([7, 8, 9, 10], start=5.0)]
    list(pipeline.steps([arrival] for arrival in shown))
    assert recognizer.windows == [[[7, 7], [8, 7], [9, 7], [10, 10]]]


def test_a_part_sees_the_pictures_of_all_cameras_at_once() -> None:
    recognizer = RowRecognizer(every=1)
    shown = [frames([number] * 4, f"camera {number}") for number in (5, 6, 7)]
    list(new_pipeline(recognizer).steps(zip(*shown, strict=True)))
    assert recognizer.windows == [[[number, number]] * 4 for number in (5, 6, 7)]
    assert recognizer.parts[0].seen == [(3, *SIZE, 3)] * 4


def test_a_part_sees_the_same_box_as_the_encoder() -> None:
    recognizer = RowRecognizer(every=1)
    pipeline = new_pipeline(recognizer)
    pipeline.set_view("hall", ViewSettings("picture", Box(0.5, 0.0, 1.0, 1.0)))
    halves = np.full((48, 64, 3), 1, np.uint8)
    halves[:, 32:] = 9
    list(pipeline.steps([Frame("hall", number / 10, BgrPicture(halves))] for number in range(4)))
    assert recognizer.windows == [[[9, 9]] * 4]


def test_parts_are_due_at_rates_of_their_own() -> None:
    held = HeldParts([CountingPart(1), CountingPart(3)])
    assert [held.due() for _ in range(5)] == [[0, 1], [0], [0], [0, 1], [0]]
    held.clear()
    assert held.due() == [0, 1]


def scores_of(recognizer: OnnxRecognizer, levels: Sequence[tuple[int, int, int]]) -> list[Scores]:
    shown = [
        Frame("hall", number / 10, BgrPicture(np.full((48, 64, 3), bgr, np.uint8))) for number, bgr in enumerate(levels)
    ]
    steps = new_pipeline(recognizer).steps([frame] for frame in shown)
    return [step.notice.scores for step in steps if step.notice.scores]


def test_a_model_with_a_part_runs_in_the_pipeline_and_on_a_window(tmp_path: Path) -> None:
    folder = write_parts_model(tmp_path / "red")
    recognizer = OnnxRecognizer(find_model(str(folder)))
    blue, red = (255, 0, 0), (0, 0, 255)
    (of_red,) = scores_of(recognizer, [red] * 5)
    (of_blue,) = scores_of(recognizer, [blue] * 5)
    assert of_red.values[1] > 0.99
    assert of_blue.values[1] < 0.01
    (half,) = scores_of(recognizer, [blue, red, blue, red, blue])
    assert half.values[1] < 0.01, f"of every {EVERY} pictures it sees the first one, which is blue"
    window = np.stack([np.full((48, 64, 3), red, np.uint8)] * 5)
    assert load(folder)(window)["Red"] == pytest.approx(float(of_red.values[1]), abs=1e-6)


def test_the_files_of_a_model_with_a_part(tmp_path: Path) -> None:
    folder = write_parts_model(tmp_path / "red")
    files = find_model(str(folder))
    assert [file.name for file in files.parts] == ["part_red.onnx"]
    before, size = files.sha256(), files.size
    with files.parts[0].open("ab") as file:
        file.write(b"\0")
    assert find_model(str(folder)).sha256() != before
    assert files.size == size + 1


def test_a_missing_part_gives_one_line(tmp_path: Path) -> None:
    folder = write_parts_model(tmp_path / "red")
    (folder / "part_red.onnx").unlink()
    with pytest.raises(ModelError, match=r"names the part red, but there is no file .*part_red.onnx") as refused:
        load_engine(str(folder))
    assert "\n" not in str(refused.value)


def test_a_part_of_another_size_gives_one_line(tmp_path: Path) -> None:
    folder = write_parts_model(tmp_path / "red", part_size=(32, 32))
    with pytest.raises(ModelError, match=r"part_red.onnx does not fit its contract: input must have shape"):
        load_engine(str(folder))


def test_a_part_needs_an_encoder(tmp_path: Path) -> None:
    folder = write_parts_model(tmp_path / "red")
    (folder / "head.onnx").rename(folder / "model.onnx")
    (folder / ENCODER).unlink()
    with pytest.raises(ModelError, match="must have an encoder that outputs vectors"):
        load_engine(str(folder))


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ((RowPart("red", 16, 16, 0),), "at least once in a window"),
        ((RowPart("red", 16, 16, 6),), "at least once in a window of 5 frames"),
        ((RowPart("red", 0, 16, 1),), "at least 1 x 1"),
        ((RowPart("red", 4000, 4000, 1),), "at most 1048576 pixels"),
        ((RowPart("../red", 16, 16, 1),), "names of small letters"),
        ((RowPart("red", 16, 16, 1), RowPart("red", 8, 8, 1)), "different names"),
    ],
)
def test_a_contract_with_wrong_parts_is_refused(parts: tuple[RowPart, ...], problem: str) -> None:
    with pytest.raises(ContractError, match=problem):
        replace(RED, parts=parts)


def test_parts_are_read_back() -> None:
    assert ModelContract.from_json(RED.to_json()) == RED
