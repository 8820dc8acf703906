"""LRCN with batch normalisation and a wider CNN. Source: Jeevakumari 2024, model lrcn-large."""

from __future__ import annotations

import keras
from keras import layers

from harstream.models.encoder_and_head import ENCODER, HEAD, fold
from harstream.models.layers.batch_normalization import BatchNormalization

DROPOUT = 0.25


def build(frames: int, height: int, width: int, classes: int) -> keras.Model:
    encoder = keras.Sequential(
        [keras.Input((height, width, 3), dtype="uint8"), layers.Rescaling(1 / 255)]
        + [layer for filters in (32, 64, 128, 128) for layer in _block(filters)]
        + [layers.Flatten()],
        name=ENCODER,
    )
    head = keras.Sequential(
        [
            keras.Input((frames, encoder.output_shape[-1])),
            layers.LSTM(64),
            layers.Dropout(DROPOUT),
            layers.Dense(classes, activation="softmax", name="scores"),
        ],
        name=HEAD,
    )
    return fold(encoder, head, "lrcn_large")


def _block(filters: int) -> list[layers.Layer]:
    return [
        layers.Conv2D(filters, 3, padding="same", activation="relu"),
        BatchNormalization(),
        layers.MaxPooling2D(2),
        layers.Dropout(DROPOUT),
    ]
