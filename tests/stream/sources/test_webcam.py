"""A webcam is read until it stops, and released."""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np
import pytest

from harstream.stream.sources.address import Webcam
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.webcam import open_webcam, read_pictures, webcam_pictures
from harstream.wire.errors import SourceError, Trouble
from tests.support.films import WriteFilm

MISSING = 63


def test_a_missing_webcam_is_refused_with_what_to_do() -> None:
    with pytest.raises(SourceError) as caught, open_webcam(Webcam(MISSING)):
        pass
    (line,) = str(caught.value).splitlines()
    assert caught.value.trouble is Trouble.NO_DEVICE
    assert all(
        part in line for part in ("expected a webcam", f"index {MISSING}", "found none", "plug it in", "--source")
    )


def test_a_missing_webcam_is_opened_only_when_its_first_picture_is_wanted() -> None:
    pictures = webcam_pictures(Webcam(MISSING), Clock())
    with pytest.raises(SourceError):
        next(iter(pictures))


def test_each_picture_has_the_time_of_its_arrival_and_the_end_is_an_error(film: WriteFilm) -> None:
    """A capture of a file stands for the device: OpenCV gives pictures of both in the same way."""
    capture = cv2.VideoCapture(str(film("hall.mp4", (0.2, 200))))
    clock = Clock()
    began = clock.now()
    pictures = iter(read_pictures(capture, Webcam(2), clock))
    first, second = islice(pictures, 2)
    assert began <= first[0] <= second[0] <= clock.now()
    assert first[1].bgr().dtype == np.uint8
    assert first[1].bgr().ndim == 3
    assert float(first[1].bgr().mean()) == pytest.approx(200, abs=5)
    with pytest.raises(SourceError) as caught:
        list(pictures)
    assert caught.value.trouble is Trouble.ENDED
    assert "webcam 2" in str(caught.value)
    capture.release()


def test_a_device_that_does_not_exist_is_named_by_its_path() -> None:
    with pytest.raises(SourceError) as caught, open_webcam(Webcam("/dev/v4l/by-id/usb-no-such-camera")):
        pass
    assert "expected a webcam /dev/v4l/by-id/usb-no-such-camera" in str(caught.value)
