"""Runs an exported model over labelled clips, through the pipeline of `run`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from harstream.clips.listing import Clip, ListingError
from harstream.clips.video import VideoError, pictures
from harstream.evaluation.labelled_scores import LabelledScores
from harstream.evaluation.side_by_side import side_by_side
from harstream.models.contract import ContractError, ModelContract
from harstream.models.picture import Picture
from harstream.models.sampling import even_indices
from harstream.stream.app.pipeline_from_config import new_detector, new_pipeline
from harstream.stream.config.model import Config
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.row_parts import with_lookback
from harstream.stream.recognition.views.settings import ViewKind
from harstream.wire.values import Frame, Notice, Scores

AT_ONCE = 8
"""Number of clips that are shown side by side, so that networks see them in one batch."""
OpenClip = Callable[[Clip], Iterable[tuple[float, Picture]]]
"""Gives the pictures of a clip: (seconds since the first one, picture)."""
Whose = Callable[[Notice], Scores | None]
"""Chooses the scores that count of several people in front of a camera. None if no window of theirs was due."""


@dataclass(frozen=True)
class Skipped:
    """A clip without a window, and the reason."""

    clip: Clip
    reason: str


def open_clip(clip: Clip) -> Iterable[tuple[float, Picture]]:
    return pictures(clip.path)


def most_certain(notice: Notice) -> Scores | None:
    """Return the scores that are the camera's."""
    return notice.scores


def predictions(
    clips: Sequence[Clip],
    recognizer: Recognizer,
    *,
    view: ViewKind | None = None,
    open_clip: OpenClip = open_clip,
    whose: Whose = most_certain,
    at_once: int = AT_ONCE,
) -> tuple[LabelledScores, list[Skipped]]:
    """Return the scores of all windows that streams of the clips have, in order, and the clips that are left out.

    `view`: what the model sees; None for what it was made for. `open_clip` gives the pictures of a clip, which may be
    changed; see evaluation.corruptions. `whose`: of which person a window is, with `person`. `at_once`: how many clips
    are shown side by side. Raises ContractError for another view of a model of whole clips, and ListingError if all
    clips are left out.
    """
    if not recognizer.contract.rate and view not in (None, "picture"):
        raise ContractError(
            f"model {recognizer.contract.name} sees whole clips, not streams: leave out --view, or evaluate a model "
            "with a sample rate"
        )
    recognize = _streamed(recognizer, view, whose) if recognizer.contract.rate else partial(_whole_clips, recognizer)
    found: list[NDArray[np.float32] | Skipped] = []
    for begin in track(range(0, len(clips), at_once), description="recognizing", transient=True):
        found += recognize([_OpenedClip(clip, open_clip) for clip in clips[begin : begin + at_once]])
    scored = [(clip, scores) for clip, scores in zip(clips, found, strict=True) if not isinstance(scores, Skipped)]
    skipped = [each for each in found if isinstance(each, Skipped)]
    if not scored:
        raise ListingError(f"none of {len(clips)} clips can be recognized: {skipped[0].reason}")
    labelled = _predictions([clip for clip, _ in scored], [scores for _, scores in scored], recognizer.contract)
    return labelled, skipped


class _OpenedClip:
    """The pictures of a clip, and why they end early."""

    def __init__(self, clip: Clip, open_clip: OpenClip) -> None:
        self.clip = clip
        self.reason = ""
        """Why not all pictures could be read."""
        self._open_clip = open_clip

    def pictures(self) -> Iterator[tuple[float, Picture]]:
        try:
            yield from self._open_clip(self.clip)
        except VideoError as error:
            self.reason = str(error)

    def frames(self, camera: str) -> Iterator[Frame]:
        for time, picture in self.pictures():
            yield Frame(camera, time, picture)

    def outcome(self, scores: Sequence[NDArray[np.float32]], too_short: str) -> NDArray[np.float32] | Skipped:
        """Return the scores (windows, K), or why the clip is left out."""
        if scores and not self.reason:
            return np.stack(scores)
        return Skipped(self.clip, self.reason or too_short)


def _streamed(
    recognizer: Recognizer, view: ViewKind | None, whose: Whose
) -> Callable[[list[_OpenedClip]], list[NDArray[np.float32] | Skipped]]:
    """Return a function that shows clips side by side to the pipeline of `run`, and returns the scores of each."""
    config = Config(view=view)
    detector = new_detector(config)
    frames = recognizer.contract.frames
    too_short = f"too short: a window needs {frames} frames at {recognizer.contract.live_rate:g} Hz without a gap"

    def recognize(clips: list[_OpenedClip]) -> list[NDArray[np.float32] | Skipped]:
        scores = [list[NDArray[np.float32]]() for _ in clips]
        shown = [clip.frames(str(number)) for number, clip in enumerate(clips)]
        for step in new_pipeline(config, recognizer, detector=detector).steps(side_by_side(shown)):
            if chosen := whose(step.notice):
                scores[int(step.notice.camera)].append(chosen.values)
        return [clip.outcome(found, too_short) for clip, found in zip(clips, scores, strict=True)]

    return recognize


def _whole_clips(recognizer: Recognizer, clips: Sequence[_OpenedClip]) -> list[NDArray[np.float32] | Skipped]:
    """Return the scores of one window of each clip, with frames spread evenly over it, as in training."""
    return [_whole_clip(recognizer, clip) for clip in clips]


def _whole_clip(recognizer: Recognizer, clip: _OpenedClip) -> NDArray[np.float32] | Skipped:
    contract = recognizer.contract
    every = [picture.model_frame(contract.height, contract.width) for _, picture in clip.pictures()]
    too_short = f"too short: {len(every)} frames, but a window needs {contract.frames}"
    if len(every) < contract.frames:
        return clip.outcome([], too_short)
    seen = np.stack([every[index] for index in even_indices(len(every), contract.frames)])
    rows = recognizer.encode(with_lookback(seen, recognizer.lookback))
    return clip.outcome(list(recognizer.score(rows[np.newaxis])), too_short)


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
