"""Run an exported model over labelled clips, through the stream's own transform, time grid and engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from harstream.clips.listing import Clip
from harstream.clips.video import VideoError, pictures
from harstream.evaluation.predictions import Predictions
from harstream.models.contract import ModelContract
from harstream.stream.recognition.onnx_runtime import with_lookback
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.window import TimeGrid


@dataclass(frozen=True)
class Skipped:
    """A clip that gave no window, and why."""

    clip: Clip
    reason: str


def predictions(clips: Sequence[Clip], recognizer: Recognizer) -> tuple[Predictions, list[Skipped]]:
    """The scores of every window that a stream of each clip would have seen; clips in order, windows in theirs."""
    skipped: list[Skipped] = []
    kept: list[Clip] = []
    scores: list[NDArray[np.float32]] = []
    with ThreadPoolExecutor(1) as decoder:  # decodes the next clip while this one is recognized
        frames = decoder.map(lambda clip: _frames(clip, recognizer.contract), clips)
        for clip, found in track(
            zip(clips, frames, strict=True), description="recognizing", total=len(clips), transient=True
        ):
            if isinstance(found, Skipped):
                skipped.append(found)
                continue
            kept.append(clip)
            scores.append(_scores(found, recognizer))
    return _predictions(kept, scores, recognizer.contract), skipped


def _frames(clip: Clip, contract: ModelContract) -> NDArray[np.uint8] | Skipped:
    """Model frames (n, H, W, 3) on the live time grid, or all of them for a model that was trained evenly."""
    grid = TimeGrid(contract.rate) if contract.rate else None
    frames = []
    try:
        for time, picture in pictures(clip.path):
            if grid is None or grid.takes(time):
                frames.append(picture.model_frame(contract.height, contract.width))
    except VideoError as error:
        return Skipped(clip, str(error))
    if len(frames) < contract.frames:
        return Skipped(clip, f"too short: {len(frames)} frames at the model's rate, a window needs {contract.frames}")
    stack = np.stack(frames)
    return stack if grid else stack[np.arange(contract.frames) * max(len(stack) // contract.frames, 1)]


def _scores(frames: NDArray[np.uint8], recognizer: Recognizer) -> NDArray[np.float32]:
    length = recognizer.contract.frames - recognizer.lookback
    rows = recognizer.encode(with_lookback(frames, recognizer.lookback))
    return np.concatenate([recognizer.score(rows[None, end - length : end]) for end in range(length, len(rows) + 1)])


def _predictions(clips: Sequence[Clip], scores: Sequence[NDArray[np.float32]], contract: ModelContract) -> Predictions:
    counts = [len(values) for values in scores]
    truth = [contract.labels.index(clip.label) for clip in clips]
    return Predictions(
        labels=contract.labels,
        background=contract.background,
        clips=_repeated([str(clip.path) for clip in clips], counts),
        groups=_repeated([f"{clip.label} {clip.group}" for clip in clips], counts),
        truth=np.repeat(truth, counts),
        scores=np.concatenate(scores),
    )


def _repeated(names: Sequence[str], counts: Sequence[int]) -> tuple[str, ...]:
    return tuple(name for name, count in zip(names, counts, strict=True) for _ in range(count))
