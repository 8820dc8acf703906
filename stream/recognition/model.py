"""The model of the public API: a program calls it with one window of pictures."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harstream.models.catalogue import ModelNotFound, find_model
from harstream.models.contract import ModelContract
from harstream.stream.recognition.onnx_runtime import open_model
from harstream.stream.recognition.onnx_session import Device
from harstream.stream.recognition.protocols import Detector, Engine
from harstream.stream.recognition.row_parts import window_rows
from harstream.stream.recognition.views.person_detector import load_person_detector
from harstream.wire.errors import ModelError


class Model:
    """A loaded model. It is not thread-safe."""

    def __init__(self, recognizer: Engine, device: Device = "auto") -> None:
        self.recognizer = recognizer
        self._device = device

    @property
    def contract(self) -> ModelContract:
        """The model's contract: labels, number and rate of the frames, picture size, threshold."""
        return self.recognizer.contract

    @property
    def provider(self) -> str:
        """The device that runs the model, as text: `CPU`, `CUDA` or `CPU, LiteRT`."""
        return self.recognizer.provider

    @cached_property
    def person_detector(self) -> Detector:
        """What finds people for `view="person"`. It is loaded at its first use. Raises ModelError."""
        return load_person_detector(self._device)

    def __call__(self, frames: NDArray[np.uint8]) -> dict[str, float]:
        """Return the probability of each label, background labels included. They sum to 1.

        `frames`: (contract.frames, H, W, 3) uint8 BGR, as OpenCV reads them, oldest first, at contract.rate hertz.
        They may have any size and are not modified. Raises ValueError for another shape or type.
        """
        contract = self.contract
        if np.ndim(frames) != 4 or len(frames) != contract.frames:
            raise ValueError(f"expected frames of shape ({contract.frames}, H, W, 3), got {np.shape(frames)}")
        scores = self.recognizer.score(window_rows(self.recognizer, list(frames))[np.newaxis])[0]
        return dict(zip(contract.labels, map(float, scores), strict=True))


def load(model: str | Path = "flow_tcn", *, device: Device = "auto") -> Model:
    """Load a shipped model by its name, or an exported one by the path of its folder or file.

    `device`: `auto` uses the GPU if there is one that works. Raises ModelError if the model is missing or broken,
    does not fit its contract, or cannot run on the device.
    """
    try:
        return Model(open_model(find_model(str(model)), device), device)
    except ModelNotFound as error:
        raise ModelError(str(error)) from error
