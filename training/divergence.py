"""A training whose loss is lost ends there, before anything of it is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping

import keras

LOST = 1000.0
"""Nats. Guessing among a hundred labels costs 4.6; saturated gates can keep a training that is far beyond all that from
ever reaching infinity."""


class Diverged(Exception):
    """In `epoch`, counted from 0, the loss was no number, or that of training above LOST."""

    def __init__(self, epoch: int, loss: float) -> None:
        super().__init__(f"the training diverged in epoch {epoch + 1}: its loss is {loss:g}")
        self.epoch = epoch


class EndWhereItDiverges(keras.callbacks.Callback):  # type: ignore[misc]
    """Raises Diverged out of `fit`.

    Keras's TerminateOnNaN ends the epoch as any other: the callbacks after it would keep the lost weights, and a
    resumed run would go on with them.
    """

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float]) -> None:
        self._require_below_lost(logs["loss"])

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        self._require_below_lost(logs["loss"])
        validated = logs.get("val_loss", 0.0)
        if not math.isfinite(validated):  # high it may be: statistics of normalisation take their time
            raise Diverged(epoch, validated)

    def _require_below_lost(self, loss: float) -> None:
        if not loss <= LOST:  # which holds for nan, too
            raise Diverged(self._epoch, loss)
