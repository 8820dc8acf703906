"""Measures the cost of a picture on its way from the decoder to the model."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.drawn_video import drawn_video
from benchmarks.interleaved import seconds_in_turns
from benchmarks.tables import Table, milliseconds, ratio
from harstream.clips.video import DecodedPicture, pictures
from harstream.models.transform import to_model_frame

COUNT = 25


def measure(folder: Path, *, short: bool) -> Table:
    cv2.setNumThreads(1)
    sizes = ((320, 240),) if short else ((320, 240), (1920, 1080))
    return Table(
        "pictures",
        "A picture, from the decoder to the model",
        (
            "size", "decode alone", "OpenCV: decode to BGR", "for the model", "BGR", "BGR, then the model",
            "BGR, area average", "for the model / BGR, area average",
        ),
        [_row(folder, *size, rounds=2 if short else 8) for size in sizes],
        "Milliseconds per picture, median, in turns, one thread; H.264 drawn by the scene. Decode alone: the cost of a "
        "picture that is not on the model's time grid. For the model: the additional cost of a picture on the grid, "
        "which is averaged plane by plane before any conversion. BGR: the additional cost of a viewer or a recorder. "
        "The last two are the cost of a service that converts every picture.",
    )  # fmt: skip


def _row(folder: Path, width: int, height: int, rounds: int) -> list[str]:
    file = drawn_video(folder, width, height, seconds=4)
    decoded = [picture for _, picture in zip(range(COUNT), (picture for _, picture in pictures(file)), strict=False)]
    assert all(isinstance(picture, DecodedPicture) for picture in decoded)

    def anew() -> list[DecodedPicture]:
        return [DecodedPicture(picture._frame) for picture in decoded]  # type: ignore[attr-defined]

    took = seconds_in_turns(
        {
            "decode": lambda: sum(1 for _, _ in zip(range(COUNT), pictures(file), strict=False)),
            "opencv": lambda: _read_with_opencv(file),
            "model": lambda: [picture.model_frame(64, 64) for picture in anew()],
            "bgr": lambda: [picture.bgr() for picture in anew()],
            "both": lambda: [to_model_frame(picture.bgr(), 64, 64) for picture in anew()],
            "area": lambda: [_area(picture) for picture in anew()],
        },
        rounds,
    )
    each = {name: seconds / COUNT for name, seconds in took.items()}
    return [f"{width}x{height}", *map(milliseconds, each.values()), ratio(each["model"] / each["area"])]


def _read_with_opencv(file: Path) -> None:
    capture = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    for _ in range(COUNT):
        capture.read()
    capture.release()


def _area(picture: DecodedPicture) -> np.ndarray:
    return cv2.cvtColor(cv2.resize(picture.bgr(), (64, 64), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
