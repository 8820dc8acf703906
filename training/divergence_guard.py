"""Stops a training whose loss diverges, before any of its weights are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping

import keras

HIGHEST_LOSS = 1000.0
"""Highest training loss in nats. A guess among 100 labels costs 4.6. A diverged loss may stay finite for ever."""


class Diverged(Exception):
    """A loss was not finite, or the training loss was above HIGHEST_LOSS. `epoch` is counted from 0."""

    def __init__(self, epoch: int, loss: float) -> None:
        super().__init__(f"the training diverged in epoch {epoch + 1}: its loss is {loss:g}")
        self.epoch = epoch


class DivergenceGuard(keras.callbacks.Callback):  # type: ignore[misc]
    """Raises Diverged, which ends `fit`.

    Keras's TerminateOnNaN ends the epoch normally. The callbacks after it would keep the diverged weights, and a
    resumed run would continue from them.
    """

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float]) -> None:
        self._check(logs["loss"])

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        self._check(logs["loss"])
        validated = logs.get("val_loss", 0.0)
        if not math.isfinite(validated):  # it may be high while the batch statistics settle
            raise Diverged(epoch, validated)

    def _check(self, loss: float) -> None:
        if not loss <= HIGHEST_LOSS:  # also true for nan
            raise Diverged(self._epoch, loss)
