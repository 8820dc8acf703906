"""Trains a network of joints on recorded rows, and weighs it on those of validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.models.layers.pose_features import NUMBERS, poses_of
from harstream.models.layers.sum_of_classes import sum_matrix
from harstream.models.pose_run import PoseRun
from harstream.models.recorded_rows import RecordedRows
from harstream.models.score_fusion import Fusion, Scores
from harstream.training.calibration import at_temperature, fit_temperature
from harstream.training.errors import TrainingError
from harstream.training.pose.fusion import weighed
from harstream.training.pose.network import build
from harstream.training.pose.windows import PoseWindows

BATCH = 32
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.05
WARM_UP = 0.1
"""Share of the steps over which the learning rate rises."""


@dataclass(frozen=True)
class Figures:
    """Shares of validation that are right."""

    windows: float
    clips: float


def train_pose(
    rows: RecordedRows, contract: ModelContract, every: int, epochs: int, seed: int
) -> tuple[keras.Model, tuple[str, ...]]:
    """Return the trained network and its classes. `contract`: that of the model. Raises TrainingError."""
    keras.utils.set_random_seed(seed)
    of_training = [number for number, part in enumerate(rows.parts) if part == "train"]
    if not of_training:
        raise TrainingError("no row is of the part train: record clips with a split")
    classes = tuple(sorted({rows.classes[number] for number in of_training}))
    sequences = rows.sequences()
    windows = PoseWindows(
        [sequences[number][::every, -NUMBERS:] for number in of_training],
        np.array([classes.index(rows.classes[number]) for number in of_training]),
        np.array([rows.labels[number] in contract.background for number in of_training]),
        poses_of(np.empty((1, rows.length, NUMBERS)), every).shape[1],
        BATCH,
        seed,
    )
    network = build(windows.poses, len(classes))
    steps = epochs * len(windows)
    warm_up = int(WARM_UP * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm_up, warmup_target=LEARNING_RATE, warmup_steps=warm_up
    )
    network.compile(keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY), keras.losses.CategoricalCrossentropy())
    network.fit(windows, epochs=epochs, verbose=2)
    return network, classes


def joined(
    network: keras.Model, classes: Sequence[str], rows: RecordedRows, contract: ModelContract, every: int, command: str
) -> tuple[PoseRun, dict[str, Figures]]:
    """Return what joins the network to the model whose scores were recorded, and figures on validation.

    `contract`: that of the model. Temperature and weights are chosen on validation. Raises TrainingError.
    """
    labels = contract.labels
    label_of = _labels_of(classes, rows, labels)
    base, windows, truth, clips = _validation(rows, labels)
    shares = 1 / np.bincount(clips)[clips]
    sums = sum_matrix(label_of)
    scores = np.asarray(network.predict(poses_of(windows, every), batch_size=512, verbose=0))
    temperature = fit_temperature(scores, truth, sums)
    other = at_temperature(scores, temperature) @ sums
    fusion = weighed(Fusion(_prior(rows, labels)), base, other, truth, shares)
    run = PoseRun(tuple(classes), tuple(labels), label_of, rows.view, every, temperature, fusion, command)
    each = {"the model alone": base, "joints alone": other, "joined": fusion(base, other)}
    return run, {name: _figures(found, truth, clips) for name, found in each.items()}


def _labels_of(classes: Sequence[str], rows: RecordedRows, labels: Sequence[str]) -> tuple[int, ...]:
    label_of = dict(zip(rows.classes, rows.labels, strict=True))
    if strange := sorted(set(rows.labels) - set(labels)):
        raise TrainingError(f"the rows have {', '.join(strange)}, but the model knows only {', '.join(labels)}")
    return tuple(labels.index(label_of[each]) for each in classes)


def _validation(
    rows: RecordedRows, labels: Sequence[str]
) -> tuple[Scores, NDArray[np.float32], NDArray[np.intp], NDArray[np.intp]]:
    """Return the model's scores, the windows, their labels and their clips."""
    windows, sequence = rows.windows()
    chosen = np.array(rows.parts)[sequence] == "val"
    if not chosen.any():
        raise TrainingError("no row is of the part val: record clips with a split")
    _, clips = np.unique(np.array(rows.clips)[sequence[chosen]], return_inverse=True)
    truth = np.array([labels.index(rows.labels[number]) for number in sequence[chosen]])
    return rows.scores[chosen], windows[chosen], truth, clips


def _prior(rows: RecordedRows, labels: Sequence[str]) -> tuple[float, ...]:
    learned = [labels.index(label) for label, part in zip(rows.labels, rows.parts, strict=True) if part == "train"]
    counts = np.bincount(learned, minlength=len(labels))
    return tuple(map(float, counts / counts.sum()))


def _figures(scores: Scores, truth: NDArray[np.intp], clips: NDArray[np.intp]) -> Figures:
    total = np.zeros((clips.max() + 1, scores.shape[1]))
    np.add.at(total, clips, scores)
    of_clip = np.zeros(len(total), np.intp)
    of_clip[clips] = truth
    return Figures(float((scores.argmax(axis=1) == truth).mean()), float((total.argmax(axis=1) == of_clip).mean()))
