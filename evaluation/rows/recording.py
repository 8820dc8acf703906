"""Shows clips to the pipeline of `run`, and keeps the rows of their windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harstream.clips.listing import Clip, ListingError
from harstream.clips.video import VideoError, pictures
from harstream.models.contract import DefaultView, RowPart
from harstream.models.recorded_rows import RecordedRows
from harstream.stream.app.pipeline_from_config import new_pipeline
from harstream.stream.config.model import Config
from harstream.stream.recognition.protocols import PartEncoder, Recognizer
from harstream.teaching.recording_recognizer import RecordingRecognizer
from harstream.wire.values import Frame

Windows = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Rows (T, F) and scores (K,) of each window."""


class WithPart:
    """A Recognizer with one more part than another one, whose head does not see it."""

    def __init__(self, recognizer: Recognizer, part: RowPart, encoder: PartEncoder) -> None:
        self.contract = replace(recognizer.contract, parts=(*recognizer.contract.parts, part))
        self.parts = [*recognizer.parts, encoder]
        self.lookback = recognizer.lookback
        (self._before,) = recognizer.row_shape
        self.row_shape: tuple[int, ...] = (self._before + len(encoder.blank),)
        self.row_dtype = recognizer.row_dtype
        self._recognizer = recognizer

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return self._recognizer.encode(frames)

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        return self._recognizer.score(np.ascontiguousarray(windows[..., : self._before]))


@dataclass(frozen=True, eq=False)
class _Sequence:
    clip: Clip
    rows: NDArray[np.float32]
    scores: NDArray[np.float32]


def record(clips: Iterable[Clip], recognizer: WithPart, view: DefaultView, most: int) -> tuple[RecordedRows, list[str]]:
    """Return the rows of all windows in which something moves, and the clips that have none, with the reason.

    `most`: the largest number of windows of a clip that are kept; the first ones. Raises ListingError if no clip has
    one.
    """
    found, skipped = list[_Sequence](), list[str]()
    for clip in clips:
        try:
            windows = list(islice(_windows(clip, recognizer, view), most))
        except VideoError as error:
            skipped.append(str(error))
            continue
        if not windows:
            skipped.append(f"{clip.path} has no window in which something moves")
        found += _sequences(clip, windows)
    if not found:
        raise ListingError(f"no clip has a window: {next(iter(skipped), 'there is no clip outside of part test')}")
    return _joined(found, view, recognizer.contract.parts[-1].name), skipped


def _windows(clip: Clip, recognizer: WithPart, view: DefaultView) -> Iterator[tuple[NDArray[Any], NDArray[np.float32]]]:
    """Yield rows and scores of each window that the model scores. Raises VideoError."""
    recording = RecordingRecognizer(recognizer)
    frames = ([Frame("clip", time, picture)] for time, picture in pictures(clip.path))
    for step in new_pipeline(Config(view=view), recording).steps(frames):
        scores = step.notice.scores
        if step.frame is not None and scores is not None and (rows := recording.rows_of(scores.values)) is not None:
            yield rows, scores.values
        recording.forget()


def _sequences(clip: Clip, scored: Windows) -> Iterator[_Sequence]:
    """Yield each run of windows of which the next one begins one row later."""
    begin = 0
    for end in range(1, len(scored) + 1):
        if end == len(scored) or not np.array_equal(scored[end - 1][0][1:], scored[end][0][:-1]):
            run = scored[begin:end]
            rows = np.concatenate([run[0][0], *(window[-1:] for window, _ in run[1:])])
            yield _Sequence(clip, rows, np.array([scores for _, scores in run]))
            begin = end


def _joined(sequences: Sequence[_Sequence], view: DefaultView, network: str) -> RecordedRows:
    clips = [each.clip for each in sequences]
    return RecordedRows(
        rows=np.concatenate([each.rows for each in sequences]),
        lengths=np.array([len(each.rows) for each in sequences]),
        scores=np.concatenate([each.scores for each in sequences]),
        labels=tuple(clip.label for clip in clips),
        classes=tuple(clip.class_name for clip in clips),
        parts=tuple(clip.part for clip in clips),
        clips=tuple(str(clip.path) for clip in clips),
        view=view,
        network=network,
    )
