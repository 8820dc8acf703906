"""Runs an exported model over labelled clips, through the transform, the sampler and the engine of a stream."""

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
from harstream.models.sampling import Taken, TimeGrid, even_indices
from harstream.stream.recognition.onnx_runtime import with_lookback
from harstream.stream.recognition.protocols import Recognizer


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
        decoded = decoder.map(lambda clip: _stretches(clip, recognizer.contract), clips)
        for clip, found in track(
            zip(clips, decoded, strict=True), description="recognizing", total=len(clips), transient=True
        ):
            if isinstance(found, Skipped):
                skipped.append(found)
                continue
            kept.append(clip)
            scores.append(_scores(found, recognizer))
    return _predictions(kept, scores, recognizer.contract), skipped


def _stretches(clip: Clip, contract: ModelContract) -> list[NDArray[np.uint8]] | Skipped:
    """Model frames (n, H, W, 3) of each stretch of the clip that holds a window, as a stream takes them.

    Of a model that was trained evenly over clips one stretch: the frames of its one window.
    """
    try:
        found = _sampled(clip, contract) if contract.rate else [_all_frames(clip, contract)]
    except VideoError as error:
        return Skipped(clip, str(error))
    longest = max(map(len, found))
    if longest < contract.frames:
        return Skipped(clip, f"too short: {longest} frames at the model's rate, a window needs {contract.frames}")
    if contract.rate is None:
        return [found[0][even_indices(longest, contract.frames)]]
    return [stretch for stretch in found if len(stretch) >= contract.frames]


def _sampled(clip: Clip, contract: ModelContract) -> list[NDArray[np.uint8]]:
    grid, found = TimeGrid(contract.live_rate), list[list[NDArray[np.uint8]]]()
    for time, picture in pictures(clip.path):
        if (taken := grid.take(time)) is None:
            continue
        if taken is Taken.FIRST:
            found.append([])
        found[-1].append(picture.model_frame(contract.height, contract.width))
    return [np.stack(frames) for frames in found]


def _all_frames(clip: Clip, contract: ModelContract) -> NDArray[np.uint8]:
    return np.stack([picture.model_frame(contract.height, contract.width) for _, picture in pictures(clip.path)])


def _scores(stretches: Sequence[NDArray[np.uint8]], recognizer: Recognizer) -> NDArray[np.float32]:
    """(windows, K) of all whole windows of the stretches, in order."""
    length = recognizer.contract.frames - recognizer.lookback
    encoded = [recognizer.encode(with_lookback(frames, recognizer.lookback)) for frames in stretches]
    windows = [rows[end - length : end] for rows in encoded for end in range(length, len(rows) + 1)]
    return np.concatenate([recognizer.score(window[None]) for window in windows])


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
