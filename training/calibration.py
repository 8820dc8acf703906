"""Chooses a temperature and a threshold on validation windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from harstream.models.contract import ModelContract
from harstream.models.layers.sum_of_classes import sum_matrix
from harstream.models.temperature import at_temperature

WANTED_PRECISION = 0.8
"""Share of the validation windows at or above the threshold that must be right, if any threshold reaches it."""
THRESHOLDS = np.arange(0.5, 0.96, 0.05)


def calibrate(
    contract: ModelContract, scores: NDArray[np.float32], truth: NDArray[np.intp], label_of: Sequence[int]
) -> ModelContract:
    """Return the contract with temperature and unknown threshold for these scores (N, F) and true classes (N,).

    Class f has label `label_of[f]`.
    """
    labels, sums = np.asarray(label_of)[truth], sum_matrix(label_of)
    temperature = fit_temperature(scores, labels, sums)
    probabilities = at_temperature(scores, temperature) @ sums
    return replace(
        contract, temperature=round(temperature, 4), unknown_threshold=choose_threshold(contract, probabilities, labels)
    )


def fit_temperature(scores: NDArray[np.float32], labels: NDArray[np.intp], sums: NDArray[np.float32]) -> float:
    """Return the temperature for scores of classes (N, F) with the lowest negative log likelihood of the labels (N,).

    `sums` comes from models.layers.sum_of_classes.sum_matrix. Source: Guo et al. 2017, section 4.2.
    """

    def loss(log_temperature: float) -> float:
        probabilities = at_temperature(scores, float(np.exp(log_temperature))) @ sums
        return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def choose_threshold(contract: ModelContract, scores: NDArray[np.float32], truth: NDArray[np.intp]) -> float:
    """Return the lowest threshold with WANTED_PRECISION for recognized activities, or else the highest threshold."""
    is_activity = np.array([label not in contract.background for label in contract.labels])
    best, top = scores.argmax(axis=1), scores.max(axis=1)
    for threshold in THRESHOLDS:
        recognized = is_activity[best] & (top >= threshold)
        if recognized.any() and (best == truth)[recognized].mean() >= WANTED_PRECISION:
            return round(float(threshold), 2)
    return round(float(THRESHOLDS[-1]), 2)
