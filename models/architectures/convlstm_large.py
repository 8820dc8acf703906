"""A wider ConvLSTM with a dense layer. Source: Jeevakumari 2024, model convlstm-large."""

from __future__ import annotations

import keras
from keras import layers

from harstream.models.layers.convlstm import ConvLSTM2D

DROPOUT = 0.2


def build(frames: int, height: int, width: int, classes: int) -> keras.Model:
    blocks: list[layers.Layer] = []
    for filters in (8, 16, 32):
        blocks += [
            ConvLSTM2D(filters, 3, recurrent_dropout=0.2, return_sequences=True),
            layers.MaxPooling3D((1, 2, 2), padding="same"),
            layers.Dropout(DROPOUT),
        ]
    return keras.Sequential(
        [
            keras.Input((frames, height, width, 3), dtype="uint8", name="frames"),
            layers.Rescaling(1 / 255),
            *blocks,
            ConvLSTM2D(64, 3, recurrent_dropout=0.2),
            layers.MaxPooling2D(2, padding="same"),
            layers.Dropout(DROPOUT),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(DROPOUT),
            layers.Dense(classes, activation="softmax", name="scores"),
        ],
        name="convlstm_large",
    )
