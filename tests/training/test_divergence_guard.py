"""The guard stops a training that diverges."""

from __future__ import annotations

import math

import pytest

pytestmark = pytest.mark.training
pytest.importorskip("tensorflow")

from harstream.training.divergence_guard import HIGHEST_LOSS, Diverged, DivergenceGuard  # noqa: E402


@pytest.fixture
def guard() -> DivergenceGuard:
    guard = DivergenceGuard()
    guard.on_epoch_begin(4)
    return guard


@pytest.mark.parametrize("loss", [math.nan, math.inf, HIGHEST_LOSS * 1.01])
def test_a_training_loss_that_is_not_finite_stops_at_its_batch(guard: DivergenceGuard, loss: float) -> None:
    with pytest.raises(Diverged, match="diverged in epoch 5: its loss is") as stopped:
        guard.on_train_batch_end(0, {"loss": loss})
    assert stopped.value.epoch == 4


def test_a_validation_loss_may_be_high_but_not_infinite(guard: DivergenceGuard) -> None:
    guard.on_epoch_end(4, {"loss": 1.0, "val_loss": 1e6})
    with pytest.raises(Diverged):
        guard.on_epoch_end(4, {"loss": 1.0, "val_loss": math.inf})


def test_an_ordinary_epoch_continues(guard: DivergenceGuard) -> None:
    guard.on_train_batch_end(0, {"loss": HIGHEST_LOSS})
    guard.on_epoch_end(4, {"loss": 0.3})
