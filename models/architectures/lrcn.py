"""LRCN: a small CNN on each frame, and an LSTM over the frames. Source: Rana 2025, model lrcn."""

from __future__ import annotations

import keras
from keras import layers

from harstream.models.encoder_and_head import ENCODER, HEAD, fold


def build(frames: int, height: int, width: int, classes: int) -> keras.Model:
    encoder = keras.Sequential(
        [keras.Input((height, width, 3), dtype="uint8"), layers.Rescaling(1 / 255), *cnn()], name=ENCODER
    )
    return fold(encoder, recurrent_head(frames, encoder.output_shape[-1], classes), "lrcn")


def cnn() -> list[layers.Layer]:
    """Return the layers from a frame (H, W, 3) float32 to its features. A frame of 64x64 has 64 features."""
    return [
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(4),
        layers.Dropout(0.25),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(4),
        layers.Dropout(0.25),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
    ]


def recurrent_head(rows: int, features: int, classes: int) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((rows, features)),
            layers.LSTM(32),
            layers.Dense(classes, activation="softmax", name="scores"),
        ],
        name=HEAD,
    )
