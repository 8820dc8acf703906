"""A killed run goes on after its last whole epoch, as if it had not been killed: nothing half-written is ever read.

Keras's BackupAndRestore overwrites its one file in place; a kill while it writes leaves a run that cannot be resumed.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from harstream.resilience.whole_file import written_whole
from harstream.training.run_folder import RunFolder


class EpochCheckpoint(keras.callbacks.Callback):  # type: ignore[misc]
    """After each epoch, weights and optimizer go to a file of their own, named for it, before the last one's goes; and
    what was validated to run.best_weights where the validation loss is the lowest so far; or, where nothing is
    validated, what would have been."""

    def __init__(
        self, run: RunFolder, losses: Sequence[float], averaged: keras.callbacks.SwapEMAWeights | None = None
    ) -> None:
        """`losses`: of the epochs that are done. `averaged`: puts the mean weights in place for each validation."""
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
        with written_whole(file) as unfinished:
            self.model.save_weights(unfinished, overwrite=True)


def resume(model: keras.Model, run: RunFolder) -> int:
    """Load the last whole epoch's weights and optimizer into a compiled model; forget what was logged after it.

    Returns the epochs that are done, 0 for a new run.
    """
    done = max((int(file.name.split(".")[0]) for file in run.backup.glob("[0-9]*.weights.h5")), default=0)
    if done:
        model.optimizer.build(model.trainable_variables)
        model.load_weights(run.backup / f"{done}.weights.h5")
    _keep_rows(run.history, done)
    return done


class SeededEpochs(keras.callbacks.Callback):  # type: ignore[misc]
    """Each epoch draws its dropout from a state of its own: weight files of Keras do not hold that of the last one."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        random = np.random.default_rng([self._seed, epoch])
        keras.utils.set_random_seed(int(random.integers(2**31)))  # torch draws from a state of its own
        for variable in self.model.variables:
            if variable.name == "seed_generator_state":
                variable.assign([int(random.integers(2**31)), 0])


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


class ResumablePlateau(keras.callbacks.ReduceLROnPlateau):  # type: ignore[misc]
    """A plateau that began before the kill goes on after it; the rate itself is the optimizer's, and comes with it."""

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
    if not history.exists():
        return
    with history.open(newline="") as lines:
        rows = list(csv.reader(lines))
    if count == 0:
        history.unlink()
        return
    with written_whole(history) as unfinished, unfinished.open("w", newline="") as lines:
        csv.writer(lines).writerows(rows[: count + 1])
