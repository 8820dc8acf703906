"""Makes a frame source from pictures in a program's memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from harstream.models.picture import Pixels
from harstream.models.transform import BgrPicture
from harstream.wire.values import CameraChange, CameraState, Frame

TimedArrays = Iterable[tuple[float, Pixels]]
"""Pairs of seconds and BGR picture (H, W, 3) uint8. The seconds increase."""


class ArraySource:
    """A FrameSource over pairs of seconds and picture. The iterable may be a live one that blocks."""

    is_live = False

    def __init__(self, camera: str, arrays: TimedArrays) -> None:
        self.camera = camera
        self._arrays = arrays

    def frames(self) -> Iterator[Frame | CameraChange]:
        """Yield every frame and the changes of the camera. Raises ValueError for an item that is not such a pair."""
        last: float | None = None
        for item in self._arrays:
            time, pixels = _checked(item)
            if not math.isfinite(time) or (last is not None and time < last):
                after = "" if last is None else f" after {last}"
                raise ValueError(f"expected pairs whose seconds increase, got {time}{after}")
            if last is None:
                yield CameraChange(self.camera, time, CameraState.LIVE)
            last = time
            yield Frame(self.camera, time, BgrPicture(pixels))
        if last is not None:
            yield CameraChange(self.camera, last, CameraState.OFFLINE, "the pictures ended")


def _checked(item: object) -> tuple[float, Pixels]:
    match item:
        case (int() | float() | np.floating() | np.integer() as time, np.ndarray() as pixels) if (
            pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8 and pixels.size
        ):
            return float(time), pixels
        case (time, np.ndarray() as pixels):
            got = f"({type(time).__name__}, {pixels.shape} {pixels.dtype})"
        case _:
            got = type(item).__name__
    raise ValueError(f"expected pairs of seconds and a BGR picture (H, W, 3) uint8, got {got}")
