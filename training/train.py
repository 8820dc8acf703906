"""One trainer for every architecture."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from clips.listing import Clip
from models import architectures
from models.contract import ModelContract
from training.cache import DecodedClip
from training.calibration import calibrated_contract
from training.errors import TrainingError
from training.recipes import Recipe
from training.resuming import EpochCheckpoint, resume
from training.run_folder import RunFolder
from training.windows import TrainingWindows, stacked

VALIDATION_WINDOWS = 2
"""Fixed windows of each validation clip."""
KEPT_WINDOWS = 64
"""Windows of each part that are kept in the run folder: of `val` for `export` to verify its files on, of `train` to
quantize with."""


def train(recipe: Recipe, contract: ModelContract, clips: Sequence[DecodedClip], run: RunFolder) -> None:
    """Train on the clips of part `train`, choose the best weights on `val`, and write run.model.

    A run that was killed goes on after its last whole epoch. Raises TrainingError.
    """
    learned = [clip for clip in clips if clip.clip.part == "train"]
    validated = [clip for clip in clips if clip.clip.part == "val"]
    _require_every_label([clip.clip for clip in learned], contract)
    if not validated:
        raise TrainingError("no clip is left for validation: the split must give part `val` some")
    validation_windows, truth = stacked(validated, contract, VALIDATION_WINDOWS)
    keras.utils.set_random_seed(recipe.seed)
    model = architectures.build(
        recipe.arch, frames=contract.frames, height=contract.height, width=contract.width, classes=len(contract.labels)
    )
    fresh_windows = TrainingWindows(
        learned,
        contract,
        batch=recipe.batch,
        windows_per_clip=recipe.windows_per_clip,
        augmented=recipe.augmented,
        seed=recipe.seed,
    )
    model.compile(
        keras.optimizers.Adam(recipe.learning_rate),
        keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
        jit_compile=False,  # XLA on a CPU made the steps of every architecture slower
    )
    done = resume(model, run)
    model.fit(
        fresh_windows,
        initial_epoch=done,
        epochs=recipe.epochs,
        validation_data=(validation_windows, truth),
        validation_batch_size=64,
        callbacks=_callbacks(recipe, fresh_windows, run),
        verbose=2,
    )
    if not run.best_weights.exists():
        raise TrainingError(f"no epoch of {run.path} gave a loss that is a number: lower the learning rate")
    model.load_weights(run.best_weights)
    scores = np.asarray(model.predict(validation_windows, batch_size=64, verbose=0))
    run.finish(
        model,
        calibrated_contract(contract, scores, truth.argmax(axis=1)),
        validation=validation_windows[_some(len(validation_windows), recipe.seed)],
        training=stacked([learned[index] for index in _some(len(learned), recipe.seed)], contract, 1)[0],
    )


def best_epoch(run: RunFolder) -> tuple[int, float]:
    """The epoch (from 0) with the lowest validation loss, and that loss. Raises TrainingError without a history."""
    losses = _validation_losses(run)
    if not losses:
        raise TrainingError(f"{run.path} has no history yet")
    return min(enumerate(losses), key=lambda entry: entry[1])


def _some(count: int, seed: int) -> NDArray[np.intp]:
    """Indices of KEPT_WINDOWS of `count`, or of all of them; increasing."""
    return np.sort(np.random.default_rng(seed).permutation(count)[:KEPT_WINDOWS])


def _callbacks(recipe: Recipe, windows: TrainingWindows, run: RunFolder) -> list[keras.callbacks.Callback]:
    def begin(epoch: int, _: object = None) -> None:
        windows.epoch = epoch

    losses = _validation_losses(run)
    callbacks = [
        keras.callbacks.LambdaCallback(on_epoch_begin=begin),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.CSVLogger(run.history, append=True),
        keras.callbacks.TensorBoard(run.tensorboard, write_graph=False),
        _schedule(recipe),
    ]
    if recipe.patience is not None:
        callbacks.append(ResumableEarlyStopping(losses, patience=recipe.patience))
    return [*callbacks, EpochCheckpoint(run, losses)]


def _schedule(recipe: Recipe) -> keras.callbacks.Callback:
    if not recipe.cosine:
        return keras.callbacks.ReduceLROnPlateau(
            monitor="val_loss", factor=0.2, patience=max((recipe.patience or 5) // 2, 2)
        )

    def cosine(epoch: int, _: float) -> float:
        warm = min((epoch + 1) / 3, 1.0)
        return recipe.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * epoch / recipe.epochs))

    return keras.callbacks.LearningRateScheduler(cosine)


class ResumableEarlyStopping(keras.callbacks.EarlyStopping):  # type: ignore[misc]
    """Early stopping that counts the epochs of a killed run too: its state follows from their losses."""

    def __init__(self, losses: Sequence[float], *, patience: int) -> None:
        super().__init__(monitor="val_loss", patience=patience, mode="min")
        self._losses = list(losses)

    def on_train_begin(self, logs: object = None) -> None:
        super().on_train_begin(logs)
        if self._losses:
            best = int(np.argmin(self._losses))
            self.best, self.best_epoch = self._losses[best], best
            self.wait = len(self._losses) - 1 - best


def _validation_losses(run: RunFolder) -> list[float]:
    if not run.history.exists():
        return []
    with run.history.open(newline="") as lines:
        return [float(row["val_loss"]) for row in csv.DictReader(lines)]


def _require_every_label(clips: Sequence[Clip], contract: ModelContract) -> None:
    missing = sorted(set(contract.labels) - {clip.label for clip in clips})
    if missing:
        raise TrainingError(f"no training clip is left for {', '.join(missing)}: add clips, or take the class away")
