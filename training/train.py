"""Trains a model of any architecture."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from harstream.clips.listing import Clip
from harstream.models.catalogue import NOT_VALIDATED
from harstream.models.contract import ModelContract
from harstream.models.layers.sum_of_classes import with_label_scores
from harstream.training.augmentation.presets import AUGMENTATIONS
from harstream.training.cache import DecodedClip
from harstream.training.calibration import calibrate
from harstream.training.checkpoints import (
    EpochCheckpoint,
    ResumableEarlyStopping,
    ResumablePlateau,
    SeededEpochs,
    resume,
)
from harstream.training.divergence_guard import Diverged, DivergenceGuard
from harstream.training.errors import TrainingError
from harstream.training.learned_classes import LearnedClasses
from harstream.training.recipes import Recipe
from harstream.training.run_folder import RunFolder, Validated
from harstream.training.windows import TrainingWindows, stacked

VALIDATION_WINDOWS = 2
"""Fixed windows per validation clip."""
KEPT_WINDOWS = 64
"""Windows of each part in the run folder. `export` verifies on those of `val` and quantizes with those of `train`."""
Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Windows (N, T, H, W, 3), and the targets (N, classes) from 0 to 1."""


@dataclass(frozen=True)
class Outcome:
    """The result of a training. Epochs are counted from 0."""

    best_epoch: int
    loss: float
    """The validation loss of the best epoch, or the training loss of the last epoch of a run without validation."""
    diverged: Diverged | None
    """The divergence that stopped the training after its best epoch; None if the training ran to its end."""


def require_training_clips(clips: Sequence[Clip], targets: LearnedClasses) -> None:
    """Check that each class has a training clip. Raises TrainingError."""
    if missing := targets.missing_in(clips, "train"):
        raise TrainingError(f"no training clip is left for {', '.join(missing)}: add clips, or remove the class")


def classes_without_validation(clips: Sequence[Clip], targets: LearnedClasses) -> list[str]:
    """Return the names of the classes without a validation clip. Raises TrainingError if no class has one."""
    missing = targets.missing_in(clips, "val")
    if len(missing) == len(targets.classes):
        raise TrainingError("no clip is left for validation: the split must put some clips into part `val`")
    return missing


def train(
    recipe: Recipe,
    contract: ModelContract,
    targets: LearnedClasses,
    model: keras.Model,
    clips: Sequence[DecodedClip],
    run: RunFolder,
) -> Outcome:
    """Train `model` on the clips of part `train`, choose the best weights on part `val`, and write run.model.

    Without clips in `val`, the last weights are kept, and temperature and threshold are those of `contract`; see
    training.refit. `model` learns the classes of `targets`; the written model outputs the labels of `contract`.
    A killed run resumes after its last whole epoch. Raises TrainingError.
    """
    learned = [clip for clip in clips if clip.clip.part == "train"]
    validated = [clip for clip in clips if clip.clip.part == "val"]
    validation = stacked(validated, contract, targets, VALIDATION_WINDOWS) if validated else None
    windows = TrainingWindows(
        learned, contract, targets, batch=recipe.batch, windows_per_clip=recipe.windows_per_clip,
        augmentation=AUGMENTATIONS[recipe.augmentation], seed=recipe.seed,
    )  # fmt: skip
    _compile(model, recipe, steps=recipe.epochs * len(windows))
    diverged = _fit(recipe, model, windows, validation, run)
    model.load_weights(run.best_weights)
    outcome = _outcome(_losses(run), diverged, has_validation=validation is not None)
    kept = stacked([learned[index] for index in _sample(len(learned), recipe.seed)], contract, targets, 1)[0]
    if validation is None:
        run.finish(with_label_scores(model, targets.label_of), contract, validated=None, validation=kept, training=kept)
    else:
        _finish_validated(recipe, contract, targets, model, validation, kept, run)
    return outcome


def _outcome(losses: Sequence[float], diverged: Diverged | None, *, has_validation: bool) -> Outcome:
    if has_validation:
        return Outcome(int(np.nanargmin(losses)), float(np.nanmin(losses)), diverged)
    return Outcome(len(losses) - 1, losses[-1], diverged)


def _finish_validated(
    recipe: Recipe,
    contract: ModelContract,
    targets: LearnedClasses,
    model: keras.Model,
    validation: Batch,
    training_windows: NDArray[np.uint8],
    run: RunFolder,
) -> None:
    """Calibrate the model on the validation windows, and write it with a sample of the windows of both parts."""
    windows, truth = validation[0], validation[1].argmax(axis=1)
    scores = np.asarray(model.predict(windows, batch_size=64, verbose=0))
    run.finish(
        with_label_scores(model, targets.label_of),
        calibrate(contract, scores, truth, targets.label_of),
        validated=Validated(scores, truth),
        validation=windows[_sample(len(windows), recipe.seed)],
        training=training_windows,
    )


def _compile(model: keras.Model, recipe: Recipe, *, steps: int) -> None:
    model.compile(
        _optimizer(recipe, steps=steps),
        keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
        # On a CPU, XLA makes the steps of every architecture slower. JAX compiles nothing without it.
        jit_compile=keras.backend.backend() == "jax",
    )


def _fit(
    recipe: Recipe,
    model: keras.Model,
    windows: TrainingWindows,
    validation: Batch | None,
    run: RunFolder,
) -> Diverged | None:
    """Fit, and return the divergence that stopped it, if any. Raises TrainingError if no epoch before it is usable."""
    done = resume(model, run)
    try:
        model.fit(
            windows,
            initial_epoch=done,
            epochs=recipe.epochs,
            shuffle=False,  # TrainingWindows shuffles, in the same order for a repeated epoch
            validation_data=validation,
            validation_batch_size=64,
            callbacks=_callbacks(recipe, windows, run, is_averaged=model.optimizer.use_ema),
            verbose=2,
        )
    except Diverged as diverged:
        if not any(map(math.isfinite, _losses(run))):
            raise TrainingError(
                f"{diverged}, and no earlier epoch is usable: lower --learning-rate from {recipe.learning_rate:g}, "
                "with another --out"
            ) from diverged
        return diverged
    return None


def _sample(count: int, seed: int) -> NDArray[np.intp]:
    """Return KEPT_WINDOWS random indices below `count`, or all of them, in increasing order."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:KEPT_WINDOWS])


def _optimizer(recipe: Recipe, *, steps: int) -> keras.optimizers.Optimizer:
    horizon = recipe.averaged * steps
    return keras.optimizers.AdamW(
        recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        use_ema=horizon > 1,
        ema_momentum=1 - 1 / max(horizon, 1),
    )


def _callbacks(
    recipe: Recipe, windows: TrainingWindows, run: RunFolder, *, is_averaged: bool
) -> list[keras.callbacks.Callback]:
    def begin(epoch: int, _: object = None) -> None:
        windows.epoch = epoch

    losses = _losses(run)
    callbacks = [
        keras.callbacks.LambdaCallback(on_epoch_begin=begin),
        SeededEpochs(recipe.seed),
        DivergenceGuard(),
        keras.callbacks.CSVLogger(run.history, append=True),
        *_schedule(recipe, losses),
    ]
    if keras.backend.backend() == "tensorflow":  # only TensorFlow writes files for TensorBoard
        callbacks.append(keras.callbacks.TensorBoard(run.tensorboard, write_graph=False))
    if recipe.patience is not None:
        callbacks.append(ResumableEarlyStopping(losses, patience=recipe.patience))
    if not is_averaged:
        return [*callbacks, EpochCheckpoint(run, losses)]
    averaged = keras.callbacks.SwapEMAWeights()
    return [*callbacks, averaged, EpochCheckpoint(run, losses, averaged)]


def _schedule(recipe: Recipe, losses: Sequence[float]) -> list[keras.callbacks.Callback]:
    if recipe.schedule == "constant":
        return []
    if recipe.schedule == "plateau":
        return [ResumablePlateau(losses, factor=0.2, patience=max((recipe.patience or 5) // 2, 2))]

    def cosine(epoch: int, _: float) -> float:
        warm = min((epoch + 1) / 3, 1.0)
        return recipe.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * epoch / recipe.epochs))

    return [keras.callbacks.LearningRateScheduler(cosine)]


def _losses(run: RunFolder) -> list[float]:
    """Return the validation loss of each epoch, or the training loss of epochs without validation."""
    if not run.history.exists():
        return []
    with run.history.open(newline="") as lines:
        rows = [*csv.DictReader(lines)]
    return [float(row["loss"] if row["val_loss"] == NOT_VALIDATED else row["val_loss"]) for row in rows]
