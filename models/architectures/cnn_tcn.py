"""A small CNN on each frame and its difference from the previous one, and causal temporal convolutions over the rows.

It has batch normalisation and global pooling instead of dropout and flatten, so that a person may be anywhere.
Source for the head: Bai et al. 2018, "An empirical evaluation of generic convolutional and recurrent networks".
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from harstream.models.encoder_and_head import ENCODER, HEAD, fold
from harstream.models.layers.batch_normalization import BatchNormalization
from harstream.models.layers.optical_flow import FrameDifference

STAGES = ((24, 2), (48, 2), (96, 1), (96, 2), (128, 2))
"""(filters, stride) of the encoder's 3x3 convolutions."""
TEMPORAL = 128


def build(frames: int, height: int, width: int, classes: int) -> keras.Model:
    pair = keras.Input((2, height, width, 3), dtype="uint8")
    moving = layers.Reshape((height, width, 3))(FrameDifference()(pair))
    still = layers.Rescaling(1 / 255, offset=-0.5)(pair[:, 1])
    encoder = keras.Model(pair, cnn(ops.concatenate([still, moving], axis=-1)), name=ENCODER)
    return fold(encoder, temporal_head(frames - 1, encoder.output_shape[-1], classes), "cnn_tcn")


def cnn(x: Any) -> Any:
    """Encode pictures (N, H, W, C) as rows (N, 128)."""
    for filters, stride in STAGES:
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(BatchNormalization()(x))
    return layers.GlobalAveragePooling2D()(x)


def temporal_head(rows: int, features: int, classes: int) -> keras.Model:
    sequence = keras.Input((rows, features))
    x = layers.Dropout(0.2)(sequence)
    for dilation in (1, 2):
        x = layers.Conv1D(TEMPORAL, 3, padding="causal", dilation_rate=dilation, use_bias=False)(x)
        x = layers.ReLU()(BatchNormalization()(x))
    x = layers.concatenate([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    scores = layers.Dense(classes, activation="softmax", name="scores")(layers.Dropout(0.4)(x))
    return keras.Model(sequence, scores, name=HEAD)
