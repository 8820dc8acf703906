"""Measures what recognition costs a camera, depending on what the model sees of it and on how many people there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import cv2
import numpy as np

from benchmarks.drawn_video import drawn_video
from benchmarks.interleaved import seconds_in_turns
from benchmarks.tables import Table, milliseconds
from harstream.clips.video import pictures
from harstream.models.picture import Pixels
from harstream.models.transform import BgrPicture
from harstream.stream.app.pipeline_from_config import new_detector, new_pipeline
from harstream.stream.config.model import Config
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.stream.recognition.views.settings import ViewKind
from harstream.wire.values import Frame

WAYS: dict[str, tuple[str, ViewKind]] = {
    **{view: ("flow_tcn", view) for view in get_args(ViewKind)},
    "flow_pose, motion": ("flow_pose", "motion"),
    "flow_pose, person": ("flow_pose", "person"),
    "flow_pose_look, motion": ("flow_pose_look", "motion"),
}
"""The model and its view of each column."""
SECONDS, SHORT = 12, 3
"""Length of what a camera sends. The first seconds fill the window and find the people."""


def measure(folder: Path, *, short: bool) -> Table:
    cv2.setNumThreads(1)
    seconds = SHORT if short else SECONDS
    film = _film(drawn_video(folder, 640, 480, seconds), seconds)
    rooms = {
        "a quiet room": [film[0]] * len(film),
        "one person": film,
        "three people": [np.hstack([each, each[:, ::-1], each]) for each in film],
    }
    return Table(
        "views",
        "What the model sees of a camera",
        ("in front of the camera", *WAYS),
        [_row(name, room, seconds, rounds=1 if short else 7) for name, room in rooms.items()],
        "Milliseconds of recognition in one second of a camera, median, in turns, one thread, 640x480, decoding "
        "apart, flow_tcn where nothing else is said. The people are drawn. Three people: the same film three times "
        "beside each other, once mirrored. With `person`, people are looked for once a second. A thousand divided by "
        "a number is the number of such cameras that a core recognizes.",
    )  # fmt: skip


def _row(name: str, room: Sequence[Pixels], seconds: float, rounds: int) -> list[str]:
    took = seconds_in_turns({name: _way(*way, room, seconds) for name, way in WAYS.items()}, rounds)
    return [name, *(milliseconds(each / seconds) for each in took.values())]


def _way(model: str, view: ViewKind, room: Sequence[Pixels], seconds: float) -> Callable[[], None]:
    config, rate = Config(model=model, view=view), len(room) / seconds
    recognizer, detector = load_engine(model, "cpu"), new_detector(config)
    frames = [Frame("camera", number / rate, BgrPicture(pixels)) for number, pixels in enumerate(room)]

    def recognize() -> None:
        for _ in new_pipeline(config, recognizer, detector=detector).steps([frame] for frame in frames):
            pass

    return recognize


def _film(file: Path, seconds: int) -> list[Pixels]:
    """Return the pictures of a film, eight a second, as the model takes them."""
    every = [picture.bgr() for _, picture in pictures(file)]
    return every[:: len(every) // (8 * seconds)]
