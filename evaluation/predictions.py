"""What a model said about labelled clips, before anything is counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model said about windows whose activity is known: one row a window, several windows a clip.

    Raises ValueError when the parts do not fit each other.
    """

    labels: tuple[str, ...]
    """In the order of the scores."""
    background: tuple[str, ...]
    """Those of `labels` that mean "none of the activities"."""
    clips: tuple[str, ...]
    """The clip of each row; all rows of a clip have one truth and one group."""
    groups: tuple[str, ...]
    """The group of each row: clips that show the same person or scene."""
    truth: NDArray[np.integer]
    """(N,) indices into `labels`."""
    scores: NDArray[np.float32]
    """(N, K), each row sums to 1."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def recognized(self) -> NDArray[np.intp]:
        """(N,) index of the top score; the first of equals."""
        recognized: NDArray[np.intp] = self.scores.argmax(axis=1)
        return recognized

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(N,) the top score."""
        top: NDArray[np.float32] = self.scores.max(axis=1)
        return top

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """(N,)"""
        right: NDArray[np.bool_] = self.recognized == self.truth
        return right


def average_over_clips(predictions: Predictions) -> Predictions:
    """One row a clip, in the order of their names: the mean of its windows' scores."""
    clips, first, clip_of_row = np.unique(predictions.clips, return_index=True, return_inverse=True)
    total = np.zeros((len(clips), len(predictions.labels)))
    np.add.at(total, clip_of_row, predictions.scores)
    return Predictions(
        labels=predictions.labels,
        background=predictions.background,
        clips=tuple(str(clip) for clip in clips),
        groups=tuple(predictions.groups[row] for row in first),
        truth=predictions.truth[first],
        scores=(total / np.bincount(clip_of_row)[:, np.newaxis]).astype(np.float32),
    )


def _check(predictions: Predictions) -> None:
    N, K = len(predictions.clips), len(predictions.labels)
    if not N or len(predictions.groups) != N or predictions.truth.shape != (N,) or predictions.scores.shape != (N, K):
        raise ValueError(
            f"predictions must have at least one row, and for {N} clips {N} groups, truth of shape ({N},) and scores "
            f"of shape ({N}, {K}); got {len(predictions.groups)}, {predictions.truth.shape}, {predictions.scores.shape}"
        )
    if K < 2 or len(set(predictions.labels)) != K or not set(predictions.background) <= set(predictions.labels):
        raise ValueError(
            f"labels must be two or more, none twice, and hold the background {predictions.background}; "
            f"got {predictions.labels}"
        )
    if predictions.truth.min() < 0 or predictions.truth.max() >= K:
        raise ValueError(f"truth must be between 0 and {K - 1}, got {np.unique(predictions.truth).tolist()}")
    if not (predictions.scores.min() >= 0 and np.allclose(predictions.scores.sum(axis=1), 1, atol=1e-3)):
        raise ValueError("every row of scores must be positive and sum to 1")
    _check_clips(predictions)


def _check_clips(predictions: Predictions) -> None:
    first: dict[str, tuple[int, str]] = {}
    for clip, truth, group in zip(predictions.clips, predictions.truth, predictions.groups, strict=True):
        if first.setdefault(clip, (int(truth), group)) != (int(truth), group):
            raise ValueError(
                f"all windows of a clip must have one truth and one group; {clip} has {first[clip]} and "
                f"{(int(truth), group)}"
            )
