"""The interfaces between recognition and the libraries that run models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from harstream.models.box import Box
from harstream.models.catalogue import ModelFiles
from harstream.models.contract import ModelContract
from harstream.models.picture import Picture

State = Mapping[str, NDArray[np.generic]]
"""What a causal network hands on from one frame to the next, by the names of its tensors. It must not be modified."""


class PartEncoder(Protocol):
    """The network of a part of the rows. It is not thread-safe."""

    every: int
    """It sees every n-th frame."""
    size: tuple[int, int]
    """Height and width of its pictures."""

    @property
    def blank(self) -> NDArray[np.float32]:
        """Its numbers (D,) for a black picture, which a row holds before the first one."""
        ...

    def see(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn pictures (N, *size, 3) RGB uint8 into numbers (N, D), which are a part of a row."""
        ...


class Recognizer(Protocol):
    """A model that is ready to run. It encodes each frame once and scores each window once."""

    contract: ModelContract
    lookback: int
    """Earlier frames that `encode` needs for a row, 0 or 1. A window has contract.frames - lookback rows."""
    row_shape: tuple[int, ...]
    row_dtype: np.dtype[np.generic]

    @property
    def parts(self) -> Sequence[PartEncoder]:
        """What sees larger pictures at a rate of its own. A row is that of the encoder, then the numbers of each."""
        ...

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Turn model frames (N, H, W, 3) RGB uint8 into rows (N, *row_shape) without the numbers of the parts.

        With lookback it takes pairs (N, 2, H, W, 3), the earlier frame first.
        """
        ...

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        """Turn windows of rows (N, contract.frames - lookback, *row_shape) into scores (N, K) that sum to 1."""
        ...


@runtime_checkable
class CausalRecognizer(Recognizer, Protocol):
    """A causal network: the row of a frame is the scores (K,) after it, and depends on the frames that came before.

    `encode` takes each frame for the first one.
    """

    def step(self, frame: NDArray[np.uint8], state: State | None) -> tuple[NDArray[np.float32], State]:
        """Turn a model frame (H, W, 3) RGB uint8 and the state after the one before into scores (K,) and a new state.

        None is the state before the first frame.
        """
        ...


class Engine(Recognizer, Protocol):
    """A recognizer that was loaded from files."""

    files: ModelFiles

    @property
    def provider(self) -> str:
        """The device and library that run the model, as text."""
        ...


@dataclass(frozen=True, eq=False)
class DetectedPerson:
    """A person in one picture."""

    box: Box
    """The person's place in the whole picture."""
    score: float
    """How certain the detector is, from 0 to 1."""
    keypoints: NDArray[np.float32]
    """(17, 3): x and y in shares of the whole picture, and confidence from 0 to 1, in the order of COCO: nose, eyes,
    ears, shoulders, elbows, wrists, hips, knees, ankles, always left before right. It must not be modified."""


class Detector(Protocol):
    """Finds people. It is not thread-safe."""

    def detect(self, picture: Picture, region: Box) -> list[DetectedPerson]:
        """Return the people in that part of the picture, the most certain first."""
        ...
