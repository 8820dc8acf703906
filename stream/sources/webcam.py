"""Reads a webcam with OpenCV."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from harstream.models.transform import BgrPicture
from harstream.stream.sources.address import Webcam
from harstream.stream.sources.attached_webcams import index_or_path
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.reconnecting import Pictures
from harstream.wire.errors import SourceError, Trouble

log = logging.getLogger(__name__)


def webcam_pictures(webcam: Webcam, clock: Clock) -> Pictures:
    """Yield (seconds by the clock, picture) of a webcam. Raises SourceError if it is missing or disappears."""
    with open_webcam(webcam) as capture:
        yield from read_pictures(capture, webcam, clock)


@contextmanager
def open_webcam(webcam: Webcam) -> Iterator[cv2.VideoCapture]:
    """Open a webcam and release it afterwards. Raises SourceError if it is missing."""
    capture = cv2.VideoCapture(index_or_path(webcam))
    try:
        if not capture.isOpened():
            where = "at index " if isinstance(webcam.device, int) else ""
            raise SourceError(
                f"expected a webcam {where}{webcam.device}, found none that opens: plug it in, close other "
                "programs that use it, or choose another --source (an index, rtsp://..., http://..., a file, or scene)",
                Trouble.NO_DEVICE,
            )
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        _ask_for(webcam, capture)
        yield capture
    finally:
        capture.release()


def read_pictures(capture: cv2.VideoCapture, webcam: Webcam, clock: Clock) -> Pictures:
    """Yield (seconds by the clock, picture). Raises SourceError when no more pictures come."""
    while True:
        ok, picture = capture.read()
        if not ok:
            raise SourceError(f"{webcam} stopped giving pictures", Trouble.ENDED)
        yield clock.now(), BgrPicture(np.asarray(picture, dtype=np.uint8))


def _ask_for(webcam: Webcam, capture: cv2.VideoCapture) -> None:
    """Ask for the configured format, the letters first because sizes depend on them. Log what the webcam refuses."""
    wanted = webcam.capture
    for setting, name, value in (
        (cv2.CAP_PROP_FOURCC, "fourcc", None if wanted.fourcc is None else cv2.VideoWriter.fourcc(*wanted.fourcc)),
        (cv2.CAP_PROP_FRAME_WIDTH, "width", wanted.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, "height", wanted.height),
        (cv2.CAP_PROP_FPS, "fps", wanted.fps),
    ):
        if value is not None:
            capture.set(setting, value)
            if abs(capture.get(setting) - value) > 0.5:
                log.warning("%s does not offer %s %s and uses its own", webcam, name, getattr(wanted, name))
