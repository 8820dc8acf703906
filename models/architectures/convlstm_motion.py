"""The layers of convlstm on motion: the difference of each frame from the previous one."""

from __future__ import annotations

import keras
from keras import layers

from harstream.models.architectures.convlstm import blocks
from harstream.models.layers.optical_flow import FrameDifference


def build(frames: int, height: int, width: int, classes: int) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((frames, height, width, 3), dtype="uint8", name="frames"),
            FrameDifference(),
            *blocks(),
            layers.Flatten(),
            layers.Dense(classes, activation="softmax", name="scores"),
        ],
        name="convlstm_motion",
    )
