"""Resumes a killed run after its last whole epoch, with the same result as a run that was not killed.

Keras's BackupAndRestore overwrites its only file in place. If a run is killed during that write, it cannot resume.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from harstream.resilience.whole_file import atomic_path
from harstream.training.run_folder import RunFolder


class EpochCheckpoint(keras.callbacks.Callback):  # type: ignore[misc]
    """Saves two things after each epoch.

    Weights and optimizer go to a file named after the epoch. Then the file of the previous epoch is deleted. The
    validated weights go to run.best_weights if their loss is the lowest so far. Without validation, the weights of
    each epoch go there.
    """

    def __init__(
        self, run: RunFolder, losses: Sequence[float], averaged: keras.callbacks.SwapEMAWeights | None = None
    ) -> None:
        """Take the losses of the finished epochs. `averaged` swaps the mean weights in for each validation."""
        super().__init__()
        self._run = run
        self._best = min(losses, default=math.inf)
        self._averaged = averaged

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        if "val_loss" not in logs:
            self._save_validated()
        elif logs["val_loss"] < self._best:
            self._best = logs["val_loss"]
            self._save_validated()
        self._save(self._run.backup / f"{epoch + 1}.weights.h5")
        (self._run.backup / f"{epoch}.weights.h5").unlink(missing_ok=True)

    def _save_validated(self) -> None:
        if self._averaged:
            self._averaged.on_test_begin()
        self._save(self._run.best_weights)
        if self._averaged:
            self._averaged.on_test_end()

    def _save(self, file: Path) -> None:
        self._run.backup.mkdir(exist_ok=True)
        with atomic_path(file) as unfinished:
            self.model.save_weights(unfinished, overwrite=True)


def resume(model: keras.Model, run: RunFolder) -> int:
    """Load weights and optimizer of the last whole epoch into a compiled model, and delete later rows of the history.

    Return the number of finished epochs, 0 for a new run.
    """
    done = max((int(file.name.split(".")[0]) for file in run.backup.glob("[0-9]*.weights.h5")), default=0)
    if done:
        model.optimizer.build(model.trainable_variables)
        model.load_weights(run.backup / f"{done}.weights.h5")
    _keep_rows(run.history, done)
    return done


class SeededEpochs(keras.callbacks.Callback):  # type: ignore[misc]
    """Gives each epoch its own random state for dropout, because Keras does not save that state with the weights."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        random = np.random.default_rng([self._seed, epoch])
        keras.utils.set_random_seed(int(random.integers(2**31)))  # PyTorch has its own random state
        for variable in self.model.variables:
            if variable.name == "seed_generator_state":
                variable.assign([int(random.integers(2**31)), 0])


class ResumableEarlyStopping(keras.callbacks.EarlyStopping):  # type: ignore[misc]
    """Early stopping that also counts the epochs before a kill. It computes its state from their losses."""

    def __init__(self, losses: Sequence[float], *, patience: int) -> None:
        super().__init__(monitor="val_loss", patience=patience, mode="min")
        self._losses = list(losses)

    def on_train_begin(self, logs: object = None) -> None:
        super().on_train_begin(logs)
        if self._losses:
            best = int(np.argmin(self._losses))
            self.best, self.best_epoch = self._losses[best], best
            self.wait = len(self._losses) - 1 - best


class ResumablePlateau(keras.callbacks.ReduceLROnPlateau):  # type: ignore[misc]
    """ReduceLROnPlateau that also counts the epochs before a kill. The optimizer's file holds the learning rate."""

    def __init__(self, losses: Sequence[float], *, factor: float, patience: int) -> None:
        super().__init__(monitor="val_loss", mode="min", factor=factor, patience=patience)
        self._losses = list(losses)

    def on_train_begin(self, logs: object = None) -> None:
        super().on_train_begin(logs)
        best, wait = math.inf, 0
        for loss in self._losses:
            is_lower = loss < best - abs(self.min_delta)
            best, wait = (loss, 0) if is_lower else (best, (wait + 1) % self.patience)
        if self._losses:
            self.best, self.wait = best, wait


def _keep_rows(history: Path, count: int) -> None:
    """Keep the first `count` epochs of the history file, if there is one."""
    if not history.exists():
        return
    with history.open(newline="") as lines:
        rows = list(csv.reader(lines))
    if count == 0:
        history.unlink()
        return
    with atomic_path(history) as unfinished, unfinished.open("w", newline="") as lines:
        csv.writer(lines).writerows(rows[: count + 1])
