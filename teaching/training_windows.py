"""The windows that a taught part learns from, with their classes and weights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harstream.teaching.clip_windows import ClipWindows
from harstream.teaching.known_windows import KnownWindows

EVERY = 4
"""Every n-th window of a clip is learned. Those between differ too little."""
MOST_ORDINARY = 3000
"""The most windows of ordinary footage that are learned, spread evenly over it. More only take time."""
FOLDS = 5


@dataclass(frozen=True, eq=False)
class TrainingWindows:
    """Windows with their classes: 0 is "nothing of these", 1 the first new activity."""

    features: NDArray[np.float32]
    """(N, D)"""
    classes: NDArray[np.intp]
    """(N,)"""
    folds: NDArray[np.intp]
    """(N,), the fold of cross-validation that holds a window out; -1: none, it is always learned."""
    weights: NDArray[np.float64]
    """(N,). Each new activity weighs the same, and "nothing of these" as much as all of them together."""

    def without(self, fold: int) -> TrainingWindows:
        """Return the windows that are learned while `fold` is held out."""
        kept = self.folds != fold
        return TrainingWindows(self.features[kept], self.classes[kept], self.folds[kept], self.weights[kept])


def training_windows(
    examples: Sequence[Sequence[ClipWindows]],
    ordinary: Sequence[ClipWindows],
    known: KnownWindows | None,
    still: NDArray[np.float32],
    activities: Collection[str],
) -> TrainingWindows:
    """Collect the windows of the examples of each activity, ordinary footage, known and still windows.

    `still`: (D,), a window in which nothing moves, which is nothing of these. `activities`: those of the model. All
    other known windows are background. Each fold holds some kinds of it out, to show what is made of them then.
    """
    parts = [_Part(still[np.newaxis], 0, np.array([-1]), 0.01)]
    share = 1 / ((known is not None) + bool(ordinary) or 1)
    if known is not None:
        parts.append(_Part(known.features, 0, folds_of_known(known, activities), share * len(examples)))
    if ordinary:
        footage = np.concatenate([each.features for each in ordinary])
        chosen = np.arange(0, len(footage), max(EVERY, -(-len(footage) // MOST_ORDINARY)))
        parts.append(_Part(footage[chosen], 0, fold_of_ordinary(len(footage))[chosen], share * len(examples)))
    for activity, clips in enumerate(examples, start=1):
        for fold, clip in zip(folds_of(len(clips)), clips, strict=True):
            moving = clip.features[clip.moves][::EVERY]
            parts.append(_Part(moving, activity, np.full(len(moving), fold), 1 / len(clips)))
    return TrainingWindows(
        np.concatenate([part.features for part in parts]),
        np.concatenate([np.full(len(part.features), part.label) for part in parts]),
        np.concatenate([part.folds for part in parts]),
        np.concatenate([np.full(len(part.features), part.weight / len(part.features)) for part in parts]),
    )


def folds_of(clips: int) -> NDArray[np.intp]:
    """Return the fold of each clip of an activity. All windows of a clip are in the same fold."""
    return np.arange(clips) % FOLDS


def folds_of_known(known: KnownWindows, activities: Collection[str]) -> NDArray[np.intp]:
    """Return the fold of each known window, -1 for those of the model's activities."""
    background = sorted(set(known.classes) - set(activities))
    return np.array([background.index(name) % FOLDS if name in background else -1 for name in known.classes])


def fold_of_ordinary(windows: int) -> NDArray[np.intp]:
    """Return the fold of each window of ordinary footage: its five equal parts, one after the other."""
    return np.arange(windows) * FOLDS // max(windows, 1)


@dataclass(frozen=True, eq=False)
class _Part:
    features: NDArray[np.float32]
    label: int
    folds: NDArray[np.intp]
    weight: float
    """The weight of all windows together."""
