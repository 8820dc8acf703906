"""Runs an exported model over labelled clips, through the transform, the sampler and the engine of a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from harstream.clips.listing import Clip
from harstream.clips.video import VideoError, pictures
from harstream.evaluation.labelled_scores import LabelledScores
from harstream.models.contract import ModelContract
from harstream.models.picture import Picture
from harstream.models.sampling import Taken, even_indices
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.window_scores import GridFrame, grid_frames, window_scores

AT_ONCE = 64
"""Number of frames in one batch of the encoder."""
OpenClip = Callable[[Clip], Iterable[tuple[float, Picture]]]
"""Gives the pictures of a clip: (seconds since the first one, picture)."""


@dataclass(frozen=True)
class Skipped:
    """A clip without a window, and the reason."""

    clip: Clip
    reason: str


def open_clip(clip: Clip) -> Iterable[tuple[float, Picture]]:
    return pictures(clip.path)


def predictions(
    clips: Sequence[Clip], recognizer: Recognizer, *, open_clip: OpenClip = open_clip
) -> tuple[LabelledScores, list[Skipped]]:
    """Return the scores of all windows that streams of the clips have, in order, and the clips that are left out.

    `open_clip` gives the pictures of a clip, which may be changed; see evaluation.corruptions.
    """
    skipped: list[Skipped] = []
    kept: list[Clip] = []
    scores: list[NDArray[np.float32]] = []
    with ThreadPoolExecutor(1) as decoder:  # decode the next clip while this one is recognized
        decoded = decoder.map(lambda clip: _frames(clip, recognizer.contract, open_clip), clips)
        for clip, frames in track(
            zip(clips, decoded, strict=True), description="recognizing", total=len(clips), transient=True
        ):
            found = frames if isinstance(frames, Skipped) else _scores(clip, frames, recognizer)
            if isinstance(found, Skipped):
                skipped.append(found)
                continue
            kept.append(clip)
            scores.append(found)
    return _predictions(kept, scores, recognizer.contract), skipped


def _frames(clip: Clip, contract: ModelContract, open_clip: OpenClip) -> list[GridFrame] | Skipped:
    """Return the model frames that a stream of the clip takes, or the one window of a model for whole clips."""
    try:
        opened = open_clip(clip)
        return list(grid_frames(opened, contract)) if contract.rate else _even_frames(opened, contract)
    except VideoError as error:
        return Skipped(clip, str(error))


def _even_frames(opened: Iterable[tuple[float, Picture]], contract: ModelContract) -> list[GridFrame]:
    """Return frames that are spread evenly over the whole clip, as in training, or none if it has too few."""
    every = [
        GridFrame(time, picture.model_frame(contract.height, contract.width), Taken.NEXT) for time, picture in opened
    ]
    chosen = even_indices(len(every), contract.frames)
    return [every[index] for index in chosen] if len(every) >= contract.frames else []


def _scores(clip: Clip, frames: Sequence[GridFrame], recognizer: Recognizer) -> NDArray[np.float32] | Skipped:
    """Return the scores (windows, K) of all windows of a clip, in order."""
    found = [scores.values for scores in window_scores(frames, recognizer, at_once=AT_ONCE)]
    if found:
        return np.stack(found)
    needed = recognizer.contract.frames
    return Skipped(
        clip, f"too short: {len(frames)} frames at the model's rate, but a window needs {needed} without a gap"
    )


def _predictions(
    clips: Sequence[Clip], scores: Sequence[NDArray[np.float32]], contract: ModelContract
) -> LabelledScores:
    counts = [len(values) for values in scores]
    truth = [contract.labels.index(clip.label) for clip in clips]
    return LabelledScores(
        labels=contract.labels,
        background=contract.background,
        clips=_repeated([str(clip.path) for clip in clips], counts),
        groups=_repeated([f"{clip.label} {clip.group}" for clip in clips], counts),
        truth=np.repeat(truth, counts),
        scores=np.concatenate(scores),
    )


def _repeated(names: Sequence[str], counts: Sequence[int]) -> tuple[str, ...]:
    return tuple(name for name, count in zip(names, counts, strict=True) for _ in range(count))
