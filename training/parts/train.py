"""Trains a network on what a part saw in recorded rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np

from harstream.models.contract import ModelContract
from harstream.models.part_networks import LOOK, POSE, PartNetwork
from harstream.models.recorded_rows import RecordedRows
from harstream.training.errors import TrainingError
from harstream.training.parts import look_network, pose_network
from harstream.training.parts.pose_changes import changed_people
from harstream.training.parts.windows import Change, PartWindows

BATCH = 32
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.05
WARM_UP = 0.1
"""Share of the steps over which the learning rate rises."""


@dataclass(frozen=True)
class Recipe:
    """How the network of a part is made."""

    build: Callable[[int, int, int], keras.Model]
    """Takes P pictures in a window, D numbers of each and F classes; returns numbers (N, P, D) -> scores (N, F)."""
    change: Change


RECIPES = {
    POSE.name: Recipe(pose_network.build, changed_people),
    LOOK.name: Recipe(look_network.build, look_network.unchanged),
}


def train_part(
    rows: RecordedRows, network: PartNetwork, contract: ModelContract, epochs: int, seed: int
) -> tuple[keras.Model, tuple[str, ...]]:
    """Return the trained network and its classes. `contract`: that of the base. Raises TrainingError."""
    keras.utils.set_random_seed(seed)
    of_training = [number for number, part in enumerate(rows.parts) if part == "train"]
    if not of_training:
        raise TrainingError("no row is of the part train: record clips with a split")
    classes = tuple(sorted({rows.classes[number] for number in of_training}))
    sequences, recipe = rows.sequences(), RECIPES[network.name]
    length = network.seen_in(np.empty((1, rows.length, network.numbers))).shape[1]
    windows = PartWindows(
        [sequences[number][:: network.part.every, -network.numbers :] for number in of_training],
        np.array([classes.index(rows.classes[number]) for number in of_training]),
        np.array([rows.labels[number] in contract.background for number in of_training]),
        length,
        recipe.change,
        batch=BATCH,
        seed=seed,
    )
    model = recipe.build(length, network.numbers, len(classes))
    model.compile(
        keras.optimizers.AdamW(_rate(epochs * len(windows)), weight_decay=WEIGHT_DECAY),
        keras.losses.CategoricalCrossentropy(),
    )
    model.fit(windows, epochs=epochs, verbose=2)
    return model, classes


def _rate(steps: int) -> keras.optimizers.schedules.CosineDecay:
    warm_up = int(WARM_UP * steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm_up, warmup_target=LEARNING_RATE, warmup_steps=warm_up
    )
