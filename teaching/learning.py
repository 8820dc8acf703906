"""Fits a taught part: a regularised multinomial logistic regression on standardised features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from harstream.teaching.head_graph import TaughtPart
from harstream.teaching.training_windows import FOLDS, TrainingWindows

STRENGTHS = (0.01, 0.1, 1.0)
"""The inverse strengths of regularisation from which cross-validation chooses, for a total weight of TOTAL."""
TOTAL = 1000.0
ALIKE = 0.5
"""A kind of background is like a new activity if more than this share of its windows is taken for it."""
LOWEST = 1e-6
"""A smaller probability counts as this in the logarithmic loss."""


@dataclass(frozen=True, eq=False)
class Learned:
    part: TaughtPart
    """Learned from all windows."""
    held_out: tuple[TaughtPart, ...]
    """One for each fold, learned without that fold."""
    strength: float


def learn(windows: TrainingWindows) -> Learned:
    """Learn a part from all windows, and one without each fold. Cross-validation chooses the regularisation."""
    with threadpool_limits(1):  # more threads only wait for each other, on matrices as small as these
        tried = {strength: _held_out(windows, strength) for strength in STRENGTHS}
        best = min(STRENGTHS, key=lambda strength: _loss(windows, tried[strength]))
        return Learned(fit_part(windows, best), tried[best], best)


def fit_part(windows: TrainingWindows, strength: float) -> TaughtPart:
    """Fit scaler and regression. Each class must have a window."""
    weights = windows.weights * (TOTAL / windows.weights.sum())
    scaler = StandardScaler().fit(windows.features)
    regression = LogisticRegression(C=strength, max_iter=2000, tol=1e-3)
    regression.fit(scaler.transform(windows.features), windows.classes, sample_weight=weights)
    return part_of(scaler, regression)


def part_of(scaler: StandardScaler, regression: LogisticRegression) -> TaughtPart:
    """Return the numbers of a fitted scaler and regression.

    With two classes, scikit-learn has coefficients for the second one alone.
    """
    weights, bias = regression.coef_.T, regression.intercept_
    if weights.shape[1] == 1:
        weights, bias = np.hstack([np.zeros_like(weights), weights]), np.array([0.0, bias[0]])
    return TaughtPart(*(np.asarray(value, np.float32) for value in (scaler.mean_, scaler.scale_, weights, bias)))


def _held_out(windows: TrainingWindows, strength: float) -> tuple[TaughtPart, ...]:
    return tuple(fit_part(windows.without(fold), strength) for fold in range(FOLDS))


def _loss(windows: TrainingWindows, parts: tuple[TaughtPart, ...]) -> float:
    """Return the weighted logarithmic loss on windows that are held out."""
    total = weight = 0.0
    for fold, part in enumerate(parts):
        held = windows.folds == fold
        if held.any():
            right = part.probabilities(windows.features[held])[np.arange(held.sum()), windows.classes[held]]
            total -= float((windows.weights[held] * np.log(np.maximum(right, LOWEST))).sum())
            weight += float(windows.weights[held].sum())
    return total / weight


def held_out_probabilities(
    parts: tuple[TaughtPart, ...], features: NDArray[np.float32], folds: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the probabilities (N, 1 + L) of windows, each by the part that has not learned it.

    Those of fold -1, which all parts have learned, are 0.
    """
    found = np.zeros((len(features), len(parts[0].bias)), np.float32)
    for fold, part in enumerate(parts):
        if (held := folds == fold).any():
            found[held] = part.probabilities(features[held])
    return found


def classes_alike(
    classes: Sequence[str], probabilities: NDArray[np.float32], activities: Sequence[str]
) -> dict[str, str]:
    """Return the classes of background of which most windows are taken for one new activity, and that activity.

    `probabilities`: (N, 1 + L), of parts that have not learned the class.
    """
    best, names = probabilities.argmax(axis=1), np.array(classes)
    found = {}
    for name in sorted(set(classes)):
        counts = np.bincount(best[names == name], minlength=1 + len(activities))[1:]
        if counts.max() > ALIKE * (names == name).sum():
            found[name] = activities[int(counts.argmax())]
    return found
