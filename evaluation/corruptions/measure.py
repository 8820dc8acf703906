"""Measures what a model loses where the person is small, the camera shakes, or another person stands beside."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harstream.clips.corruptions import JOININGS, KINDS, corrupted
from harstream.clips.listing import Clip
from harstream.clips.video import pictures
from harstream.evaluation.clip_runner import OpenClip, Skipped, most_certain, predictions
from harstream.evaluation.labelled_scores import LabelledScores
from harstream.evaluation.other_clip import SEED, other_clip
from harstream.models.contract import ModelContract
from harstream.models.picture import Picture
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.views.settings import ViewKind
from harstream.wire.values import Notice, Scores

CLEAN = "clean"
DRAWS = 2000
"""Bootstrap samples of an interval."""
INTERVAL = 2.5, 97.5
"""Percentiles of the bootstrap samples. Source: Efron 1979, "Bootstrap methods", over clusters."""


@dataclass(frozen=True)
class Share:
    """A share from 0 to 1, the mean over clips, and its interval of 95 % over clusters."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class KindFigures:
    """The figures of one kind of pictures."""

    kind: str
    """CLEAN, or one of clips.corruptions.KINDS."""
    right: Share | None
    """Windows of activities that are right. None without clips of activities."""
    sure: Share | None
    """Windows of activities that are right and reach the threshold."""
    false: Share | None
    """Windows of background that are taken for an activity and reach the threshold. None without background."""


def measure_corruptions(
    clips: Sequence[Clip], recognizer: Recognizer, view: ViewKind | None = None
) -> tuple[list[KindFigures], list[Skipped]]:
    """Return the figures of every kind, first of the pictures as they are, and the clips that are left out.

    `view`: what the model sees; None for what it was made for.
    Raises ListingError if the clips cannot be put beside each other.
    """
    contract = recognizer.contract
    figures, skipped = [], list[Skipped]()
    for kind in (CLEAN, *KINDS):
        found, skipped = predictions(
            clips,
            recognizer,
            view=view,
            open_clip=_opener(kind, clips, contract),
            whose=on_the_left if kind == "two" else most_certain,
        )
        figures.append(kind_figures(kind, found, contract.unknown_threshold))
    return figures, skipped


def on_the_left(notice: Notice) -> Scores | None:
    """Return the scores of the person who is farthest to the left, where the clip is whose activity is asked for."""
    return min(notice.subjects, key=lambda subject: subject.box.centre[0]).scores


def kind_figures(kind: str, found: LabelledScores, threshold: float) -> KindFigures:
    is_background = np.isin(found.labels, found.background)
    of_background, taken_for_activity = is_background[found.truth], ~is_background[found.recognized]
    reached = found.reaches(threshold)
    return KindFigures(
        kind,
        right=_share(found, found.is_right, ~of_background),
        sure=_share(found, found.is_right & reached, ~of_background),
        false=_share(found, taken_for_activity & reached, of_background),
    )


def _share(found: LabelledScores, counted: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> Share | None:
    """Return the mean over clips of the share of `counted` among the `wanted` windows, None if none is wanted."""
    if not wanted.any():
        return None
    clips, clip_of_row = np.unique(np.array(found.clips)[wanted], return_inverse=True)
    shares = np.bincount(clip_of_row, counted[wanted]) / np.bincount(clip_of_row)
    group_of = dict(zip(found.clips, found.groups, strict=True))
    clusters, cluster_of_clip = np.unique([group_of[str(clip)] for clip in clips], return_inverse=True)
    sums, counts = np.bincount(cluster_of_clip, shares), np.bincount(cluster_of_clip)
    drawn = np.random.default_rng(SEED).integers(0, len(clusters), (DRAWS, len(clusters)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), INTERVAL)
    return Share(float(shares.mean()), float(low), float(high))


def _opener(kind: str, clips: Sequence[Clip], contract: ModelContract) -> OpenClip:
    """Return what opens a clip with its pictures changed."""
    if kind == CLEAN:
        return lambda clip: pictures(clip.path)
    others = {clip.path: _beside(kind, clip, clips, contract) for clip in clips} if kind in JOININGS else {}
    return partial(_opened, kind, others)


def _beside(kind: str, clip: Clip, clips: Sequence[Clip], contract: ModelContract) -> Clip:
    """Return who is beside a clip: of background for a bystander, and where an activity would be the right answer."""
    of_background = kind == "bystander" or clip.label in contract.background
    return other_clip(kind, clip, clips, contract, of_background=of_background)


def _opened(kind: str, others: Mapping[Path, Clip], clip: Clip) -> Iterable[tuple[float, Picture]]:
    other = others.get(clip.path)
    return corrupted(
        _source(clip), kind, seed=random.Random(f"{SEED}:{clip.path.name}").getrandbits(32),
        other=_source(other) if other else None,
    )  # fmt: skip


def _source(clip: Clip) -> Callable[[], Iterable[tuple[float, Picture]]]:
    return lambda: pictures(clip.path)
