"""ConvLSTM: four small convolutional LSTMs over the frames. Source: Rana 2025, model convlstm."""

from __future__ import annotations

import keras
from keras import layers

from harstream.models.layers.convlstm import ConvLSTM2D


def build(frames: int, height: int, width: int, classes: int) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((frames, height, width, 3), dtype="uint8", name="frames"),
            layers.Rescaling(1 / 255),
            *blocks(),
            layers.Flatten(),
            layers.Dense(classes, activation="softmax", name="scores"),
        ],
        name="convlstm",
    )


def blocks() -> list[layers.Layer]:
    """Return the layers from a window (T, H, W, 3) float32 to its features (T, h, w, 16)."""
    found: list[layers.Layer] = []
    for filters in (4, 8, 14, 16):
        found += [
            ConvLSTM2D(filters, 3, recurrent_dropout=0.2, return_sequences=True),
            layers.MaxPooling3D((1, 2, 2), padding="same"),
            layers.Dropout(0.2),
        ]
    return found[:-1]  # no dropout after the last block
