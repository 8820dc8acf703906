"""Shows video files to the pipeline of `run`, and keeps what a model's head sees of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harstream.clips.video import pictures
from harstream.stream.app.pipeline_from_config import new_detector, new_pipeline
from harstream.stream.config.activities import ActivitiesConfig
from harstream.stream.config.model import Config
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.row_parts import black_window
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.teaching.recording_recognizer import RecordingRecognizer
from harstream.wire.values import Frame, Scores

Features = Callable[[NDArray[np.generic]], NDArray[np.float32]]
"""Turns windows of rows (N, T, *row_shape) into features (N, D)."""


@dataclass(frozen=True, eq=False)
class ClipWindows:
    """The windows of one video, in order. With several people, those of the one whose activity the camera shows."""

    path: Path
    seconds: float
    """The time of the last picture, in seconds since the first one."""
    features: NDArray[np.float32]
    """(N, D)"""
    scores: tuple[Scores, ...]
    """What the shipped head says of each window."""
    moves: NDArray[np.bool_]
    """(N,), False for a window in which nothing moves."""
    rows: NDArray[np.generic] | None
    """(T, *row_shape), those of the last window in which something moves."""


class WindowReader:
    """Reads the windows of videos, with the settings of `run`. It is not thread-safe."""

    def __init__(self, recognizer: Recognizer, config: Config, features: Features, view: ViewSettings) -> None:
        self._recording = RecordingRecognizer(recognizer)
        self._features = features
        self._view = view
        # The activities of the configuration may be taught ones, which this model does not know yet.
        settings = config.model_copy(update={"activities": ActivitiesConfig(), "stride": 1})
        self._new_pipeline = partial(new_pipeline, settings, self._recording, detector=new_detector(config))
        self._still: NDArray[np.float32] | None = None

    def still(self) -> NDArray[np.float32]:
        """Return the features (D,) of a window of black pictures, in which nothing moves."""
        if self._still is None:
            self._still = self._features(black_window(self._recording)[np.newaxis])[0]
        return self._still

    def read(self, path: Path) -> ClipWindows:
        """Return the windows of a video. Raises VideoError, and ModelError if the model fails."""
        last, sample = 0.0, None
        found: list[tuple[Scores, bool, NDArray[np.float32]]] = []
        for time, scores, rows in self._windows(path):
            last, sample = time, sample if rows is None else rows
            if scores is not None:
                features = self.still() if rows is None else self._features(rows[np.newaxis])[0]
                found.append((scores, rows is not None, features))
        return ClipWindows(
            path,
            last,
            np.array([features for *_, features in found], np.float32).reshape(len(found), len(self.still())),
            tuple(scores for scores, *_ in found),
            np.array([moves for _, moves, _ in found], dtype=bool),
            sample,
        )

    def _windows(self, path: Path) -> Iterator[tuple[float, Scores | None, NDArray[np.generic] | None]]:
        """Yield for each picture its time, the scores if a window was due, and its rows; None if nothing moves."""
        frames = ([Frame("example", time, picture)] for time, picture in pictures(path))
        pipeline = self._new_pipeline()
        pipeline.set_view("example", self._view)
        for step in pipeline.steps(frames):
            if step.frame is not None:
                scores = step.notice.scores
                yield step.notice.time, scores, None if scores is None else self._recording.rows_of(scores.values)
            self._recording.forget()
