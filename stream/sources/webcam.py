"""Reads a webcam with OpenCV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from harstream.models.transform import BgrPicture
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.reconnecting import Pictures
from harstream.wire.errors import SourceError, Trouble


def webcam_pictures(index: int, clock: Clock) -> Pictures:
    """Yield (seconds by the clock, picture) of webcam `index`. Raises SourceError if it is missing or disappears."""
    with open_webcam(index) as capture:
        yield from read_pictures(capture, index, clock)


@contextmanager
def open_webcam(index: int) -> Iterator[cv2.VideoCapture]:
    """Open a webcam and release it afterwards. Raises SourceError if it is missing."""
    capture = cv2.VideoCapture(index)
    try:
        if not capture.isOpened():
            raise SourceError(
                f"expected a webcam at index {index}, found none that opens: plug it in, close other programs that use "
                "it, or choose another --source (an index, rtsp://..., a file, or scene)",
                Trouble.NO_DEVICE,
            )
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        yield capture
    finally:
        capture.release()


def read_pictures(capture: cv2.VideoCapture, index: int, clock: Clock) -> Pictures:
    """Yield (seconds by the clock, picture). Raises SourceError when no more pictures come."""
    while True:
        ok, picture = capture.read()
        if not ok:
            raise SourceError(f"webcam {index} stopped giving pictures", Trouble.ENDED)
        yield clock.now(), BgrPicture(np.asarray(picture, dtype=np.uint8))
