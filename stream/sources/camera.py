"""A webcam through OpenCV."""

from __future__ import annotations

import cv2
import numpy as np

from models.transform import BgrPicture
from stream.clock import Clock
from stream.errors import SourceError, Trouble
from stream.sources.reconnecting import Pictures


def webcam_pictures(index: int, clock: Clock) -> Pictures:
    """Yield (seconds by the clock, picture) of webcam `index`. Raises SourceError if there is none, or it goes."""
    capture = cv2.VideoCapture(index)
    try:
        if not capture.isOpened():
            raise SourceError(
                f"expected a webcam at index {index}, found none that opens: plug it in, close what else uses it, or "
                "choose another --source (an index, rtsp://..., a file, or scene)",
                Trouble.NO_DEVICE,
            )
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        while True:
            ok, picture = capture.read()
            if not ok:
                raise SourceError(f"webcam {index} stopped giving pictures", Trouble.ENDED)
            yield clock.now(), BgrPicture(np.asarray(picture, dtype=np.uint8))
    finally:
        capture.release()
