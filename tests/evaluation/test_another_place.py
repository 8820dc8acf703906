"""What a model that sees the place makes of clips as if their people had moved to the place of another clip."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.clips.listing import Clip, ListingError
from harstream.evaluation.another_place import predictions_elsewhere, sees_place
from harstream.evaluation.clip_runner import predictions
from harstream.models.contract import ModelContract, RowPart
from harstream.stream.recognition.protocols import PartEncoder

CONTRACT = ModelContract(
    "m", "1", ("dark", "light", "nobody"), background=("nobody",), frames=4, height=8, width=8, rate=10.0,
    parts=(RowPart("person", 6, 8, 2), RowPart("place", 12, 16, 2, sees_place=True)),
)  # fmt: skip
LEVELS = {"dark": 10, "light": 250, "room": 90, "street": 170}


class Level:
    """A PartEncoder whose number is the mean level of a picture."""

    every = 2
    blank = np.zeros(1, np.float32)

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size

    def see(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        return pictures.reshape(len(pictures), -1).mean(axis=1, keepdims=True, dtype=np.float32)


class Levels:
    """A Recognizer of which each row is the level of a frame, of the person's picture and of the place's picture."""

    contract = CONTRACT
    row_shape: tuple[int, ...] = (3,)
    row_dtype: np.dtype[np.generic] = np.dtype(np.float32)
    lookback = 0

    def __init__(self) -> None:
        self.parts: Sequence[PartEncoder] = [Level((6, 8)), Level((12, 16))]
        self.windows = list[NDArray[np.float32]]()

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        return frames.reshape(len(frames), -1).mean(axis=1, keepdims=True, dtype=np.float32)

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        self.windows += [np.asarray(window, np.float32) for window in windows]
        return np.tile(np.array([0.2, 0.5, 0.3], np.float32), (len(windows), 1))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    """Returns films of one grey level each. Of background there are a room and a street."""
    folder, found = tmp_path_factory.mktemp("films"), []
    for name, level in LEVELS.items():
        path = folder / f"{name}.avi"
        film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        for _ in range(8):
            film.write(np.full((48, 64, 3), level, np.uint8))
        film.release()
        label = name if name in CONTRACT.labels else "nobody"
        found.append(Clip(path, label, f"{name}:g1", fine_label=name))
    return found


def test_a_person_stays_and_the_place_is_that_of_another_clip_of_background(clips: list[Clip]) -> None:
    for clip in clips:
        recognizer = Levels()
        predictions_elsewhere([clip, *(each for each in clips if each is not clip)], recognizer, "picture")
        seen = recognizer.windows[: len(recognizer.windows) // len(clips)]
        own = LEVELS[clip.path.stem]
        numbers = np.concatenate(seen)
        assert np.abs(numbers[:, :2] - own).max() < 4, "frames and person are the clip's own"
        others = [LEVELS[name] for name in ("room", "street") if name != clip.path.stem]
        (place,) = np.unique(numbers[:, 2].round())
        assert min(abs(place - other) for other in others) < 4


def test_all_windows_of_clips_are_scored_as_at_home(clips: list[Clip]) -> None:
    home, _ = predictions(clips, Levels(), view="picture")
    elsewhere = predictions_elsewhere(clips, Levels(), "picture")
    assert elsewhere.clips == home.clips
    assert np.array_equal(elsewhere.truth, home.truth)


def test_it_needs_two_clips_of_background(clips: list[Clip]) -> None:
    with pytest.raises(ListingError, match=r"for another place, found none: give --background"):
        predictions_elsewhere([clip for clip in clips if clip.label != "nobody"], Levels(), "picture")


def test_only_a_model_with_such_a_part_sees_the_place() -> None:
    assert sees_place(CONTRACT)
    assert not sees_place(ModelContract("m", "1", ("a", "b"), parts=(RowPart("pose", 8, 8, 2),)))
