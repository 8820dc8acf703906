"""The network from joints to classes of activities."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from harstream.models.layers.pose_features import PoseFeatures

WIDTH = 96
DILATIONS = {True: (1, 2, 4), False: (1, 1, 2)}
"""Of the three convolutions over time, for more than five poses, and for fewer."""


def build(poses: int, numbers: int, classes: int) -> keras.Model:
    """Return the network joints (N, P, D) -> scores of classes (N, F). `poses`: P, `numbers`: D, three a joint."""
    joints = keras.Input((poses, numbers))
    x = layers.BatchNormalization()(PoseFeatures()(joints))
    x = layers.Dense(WIDTH, activation="relu")(layers.Dropout(0.3)(x))
    for dilation in DILATIONS[poses > 5]:
        x = layers.add([x, _changed(x, dilation)])
    x = layers.concatenate([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    scores = layers.Dense(classes, activation="softmax", name="scores")(layers.Dropout(0.5)(x))
    return keras.Model(joints, scores, name="pose")


def _changed(x: Any, dilation: int) -> Any:
    x = layers.Conv1D(WIDTH, 3, padding="same", dilation_rate=dilation)(x)
    return layers.Dropout(0.3)(layers.ReLU()(layers.BatchNormalization()(x)))
