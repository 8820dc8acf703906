"""The scores of a model for labelled clips: the input of every metric."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LabelledScores:
    """The scores of windows whose activity is known: one row per window, several windows per clip.

    Raises ValueError if the fields do not fit each other.
    """

    labels: tuple[str, ...]
    """The labels, in the order of the scores."""
    background: tuple[str, ...]
    """The labels that mean "none of the activities"."""
    clips: tuple[str, ...]
    """The clip of each row; all rows of a clip have the same truth and the same group."""
    groups: tuple[str, ...]
    """The group of each row: the clips of a group show the same person or scene."""
    truth: NDArray[np.integer]
    """(N,) indices into `labels`."""
    scores: NDArray[np.float32]
    """(N, K), each row sums to 1."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def recognized(self) -> NDArray[np.intp]:
        """(N,), index of the top score; the first one if scores are equal."""
        recognized: NDArray[np.intp] = self.scores.argmax(axis=1)
        return recognized

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(N,), the top score."""
        top: NDArray[np.float32] = self.scores.max(axis=1)
        return top

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """(N,), True where the recognized label is the true one."""
        right: NDArray[np.bool_] = self.recognized == self.truth
        return right

    def reaches(self, threshold: float) -> NDArray[np.bool_]:
        """Return (N,), True where the top score is at least the threshold."""
        # float32, like the scores: a score of 0.7 is 0.699999988 and must reach a threshold of 0.7.
        reached: NDArray[np.bool_] = self.confidence >= np.float32(threshold)
        return reached

    def rows(self, chosen: NDArray[np.intp]) -> LabelledScores:
        """Return the chosen rows (n,), at least one."""
        return replace(
            self,
            clips=tuple(self.clips[row] for row in chosen),
            groups=tuple(self.groups[row] for row in chosen),
            truth=self.truth[chosen],
            scores=self.scores[chosen],
        )


def average_over_clips(predictions: LabelledScores) -> LabelledScores:
    """Return one row per clip, in the order of their names: the mean of the scores of its windows."""
    clips, first, clip_of_row = np.unique(predictions.clips, return_index=True, return_inverse=True)
    total = np.zeros((len(clips), len(predictions.labels)))
    np.add.at(total, clip_of_row, predictions.scores)
    return LabelledScores(
        labels=predictions.labels,
        background=predictions.background,
        clips=tuple(str(clip) for clip in clips),
        groups=tuple(predictions.groups[row] for row in first),
        truth=predictions.truth[first],
        scores=(total / np.bincount(clip_of_row)[:, np.newaxis]).astype(np.float32),
    )


def _check(predictions: LabelledScores) -> None:
    N, K = len(predictions.clips), len(predictions.labels)
    if not N or len(predictions.groups) != N or predictions.truth.shape != (N,) or predictions.scores.shape != (N, K):
        raise ValueError(
            f"predictions must have at least one row, and for {N} clips {N} groups, truth of shape ({N},) and scores "
            f"of shape ({N}, {K}); got {len(predictions.groups)}, {predictions.truth.shape}, {predictions.scores.shape}"
        )
    if K < 2 or len(set(predictions.labels)) != K or not set(predictions.background) <= set(predictions.labels):
        raise ValueError(
            f"labels must be at least two, all different, and contain the background {predictions.background}; "
            f"got {predictions.labels}"
        )
    if predictions.truth.min() < 0 or predictions.truth.max() >= K:
        raise ValueError(f"truth must be between 0 and {K - 1}, got {np.unique(predictions.truth).tolist()}")
    if not (predictions.scores.min() >= 0 and np.allclose(predictions.scores.sum(axis=1), 1, atol=1e-3)):
        raise ValueError("every row of scores must be positive and sum to 1")
    _check_clips(predictions)


def _check_clips(predictions: LabelledScores) -> None:
    first: dict[str, tuple[int, str]] = {}
    for clip, truth, group in zip(predictions.clips, predictions.truth, predictions.groups, strict=True):
        if first.setdefault(clip, (int(truth), group)) != (int(truth), group):
            raise ValueError(
                f"all windows of a clip must have the same truth and group; {clip} has {first[clip]} and "
                f"{(int(truth), group)}"
            )
