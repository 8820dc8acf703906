"""Decode a video file into pictures with their times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SUFFIXES = frozenset({".avi", ".mp4", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".m4v"})


class VideoError(Exception):
    """A file is not there, is no video, or holds no picture."""


def pictures(path: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yield (seconds since the first picture, BGR (H, W, 3) uint8); times strictly increase.

    The number of frames in a container is wrong in the wild, so only decoding tells where a file ends.
    Raises VideoError if there is not one picture to yield.
    """
    if not path.is_file():
        raise VideoError(f"expected a video file, found nothing at {path}")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        yield from _decode(capture, path)
    finally:
        capture.release()


def stated_seconds(path: Path) -> float:
    """The length that the container states, which may be wrong; 0 where it states none."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        count, rate = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    finally:
        capture.release()
    return count / rate if count > 0 and 0 < rate < 1000 else 0.0


def _decode(capture: cv2.VideoCapture, path: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    rate = capture.get(cv2.CAP_PROP_FPS)
    period = 1 / rate if 0 < rate < 1000 else 1 / 25
    first, last = 0.0, -period
    ok, picture = capture.read()
    if not ok:
        raise VideoError(f"expected a video, found nothing that can be decoded in {path}")
    while ok:
        stamp = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        first = stamp if last < 0 else first
        # Some containers carry no times, or the same for several pictures: then the nominal rate leads on.
        time = stamp - first if stamp - first > last else last + period
        yield time, np.asarray(picture, dtype=np.uint8)
        last = time
        ok, picture = capture.read()
