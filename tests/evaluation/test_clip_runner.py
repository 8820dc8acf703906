"""Clips are recognized by the pipeline of `run`, or as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.clips.listing import Clip, ListingError
from harstream.evaluation.clip_runner import predictions
from harstream.models.contract import ContractError, DefaultView, ModelContract
from harstream.models.picture import Picture
from harstream.models.transform import BgrPicture
from harstream.stream.recognition.views.settings import ViewKind

CONTRACT = ModelContract("levels", "1", ("Jump", "Idle"), ("Idle",), frames=3, height=4, width=4, rate=10.0)


class LevelReader:
    """A Recognizer without an answer."""

    lookback = 0
    row_shape: tuple[int, ...] = (4, 4, 3)
    row_dtype: np.dtype[np.generic] = np.dtype(np.uint8)
    parts = ()

    def __init__(self, contract: ModelContract) -> None:
        self.contract = contract

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return frames

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        return np.full((len(windows), 2), 0.5, np.float32)


def test_a_view_of_a_model_of_whole_clips_is_refused() -> None:
    clips = [Clip(Path("Jump/a.mp4"), "Jump", "g01")]
    with pytest.raises(ContractError, match="sees whole clips, not streams: leave out --view"):
        predictions(clips, LevelReader(replace(CONTRACT, rate=None)), view="motion")


class ShownReader(LevelReader):
    """A Recognizer that remembers how bright each frame was that it was shown."""

    row_shape: tuple[int, ...] = (64, 64, 3)

    def __init__(self, contract: ModelContract) -> None:
        super().__init__(contract)
        self.shown: list[float] = []

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        self.shown += [float(frame.mean()) for frame in frames]
        return frames


@pytest.mark.parametrize(
    ("made_for", "view", "is_box"),
    [("picture", None, False), ("motion", None, True), ("motion", "picture", False), ("picture", "motion", True)],
)
def test_a_model_is_shown_what_it_was_made_for_unless_a_view_is_asked_for(
    made_for: DefaultView, view: ViewKind | None, is_box: bool
) -> None:
    """A grey square flickers in a black picture, so a box around it is much brighter than the picture."""
    reader = ShownReader(replace(CONTRACT, height=64, width=64, view=made_for))
    predictions([Clip(Path("Jump/a.mp4"), "Jump", "g01")], reader, view=view, open_clip=lambda _: flickering())
    assert (reader.shown[-1] > 60) == is_box


def flickering() -> Iterator[tuple[float, Picture]]:
    """Yields two seconds in which a square of a 16th of the picture changes between two levels."""
    for number in range(20):
        pixels = np.zeros((96, 128, 3), np.uint8)
        pixels[36:60, 48:80] = 250 if number % 2 else 120
        yield number / 10, BgrPicture(pixels)


def test_clips_of_which_none_can_be_read_are_refused_with_the_reason(tmp_path: Path) -> None:
    broken, missing = tmp_path / "Jump" / "a.mp4", tmp_path / "Jump" / "b.mp4"
    broken.parent.mkdir()
    broken.write_bytes(b"no video")
    clips = [Clip(path, "Jump", "g01") for path in (broken, missing)]
    with pytest.raises(ListingError, match="none of 2 clips can be recognized: expected a video, found nothing"):
        predictions(clips, LevelReader(CONTRACT))
