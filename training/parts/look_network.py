"""The network from the look of a place and a person to classes of activities."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

WIDTH = 128
NOISE = 0.3
"""Standard deviation of what is added to each number, in shares of its own."""


def build(pictures: int, numbers: int, classes: int) -> keras.Model:
    """Return the network looks (N, P, D) -> scores of classes (N, F). `pictures`: P, `numbers`: D."""
    looks = keras.Input((pictures, numbers))
    x = layers.GaussianNoise(NOISE)(layers.BatchNormalization()(looks))
    x = layers.Dense(WIDTH, activation="relu")(layers.Dropout(0.3)(x))
    x = layers.GlobalAveragePooling1D()(x)
    scores = layers.Dense(classes, activation="softmax", name="scores")(layers.Dropout(0.5)(x))
    return keras.Model(looks, scores, name="look")


def unchanged(looks: NDArray[np.float32], _: NDArray[np.bool_], __: np.random.Generator) -> NDArray[np.float32]:
    """Return looks (N, P, D) as they are: the network itself adds noise while it learns."""
    return looks
