"""Clips are recognized by the pipeline of `run`, or as a whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.clips.listing import Clip, ListingError
from harstream.evaluation.clip_runner import predictions
from harstream.models.contract import ContractError, ModelContract

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


def test_clips_of_which_none_can_be_read_are_refused_with_the_reason(tmp_path: Path) -> None:
    broken, missing = tmp_path / "Jump" / "a.mp4", tmp_path / "Jump" / "b.mp4"
    broken.parent.mkdir()
    broken.write_bytes(b"no video")
    clips = [Clip(path, "Jump", "g01") for path in (broken, missing)]
    with pytest.raises(ListingError, match="none of 2 clips can be recognized: expected a video, found nothing"):
        predictions(clips, LevelReader(CONTRACT))
