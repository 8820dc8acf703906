"""A small CNN on the optical flow to each frame, causal temporal convolutions over its rows.

Batch normalisation and global pooling in place of dropout and flatten: what moves may move anywhere in the picture.
Source for the head: Bai et al. 2018, "An empirical evaluation of generic convolutional and recurrent networks".
"""

from __future__ import annotations

import keras
from keras import layers

from models.folding import ENCODER, HEAD, fold
from models.motion import OpticalFlow

STAGES = ((24, 2), (48, 2), (96, 1), (96, 2), (128, 2))
"""(filters, stride) of the encoder's 3x3 convolutions."""
TEMPORAL = 128


def build(frames: int, height: int, width: int, classes: int) -> keras.Model:
    encoder = _encoder(height, width)
    return fold(encoder, _head(frames - 1, encoder.output_shape[-1], classes), "flow_tcn")


def _encoder(height: int, width: int) -> keras.Model:
    pair = keras.Input((2, height, width, 3), dtype="uint8")
    x = OpticalFlow(dtype="float32")(pair)
    for filters, stride in STAGES:
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    return keras.Model(pair, layers.GlobalAveragePooling2D()(x), name=ENCODER)


def _head(rows: int, features: int, classes: int) -> keras.Model:
    sequence = keras.Input((rows, features))
    x = layers.Dropout(0.2)(sequence)
    for dilation in (1, 2):
        x = layers.Conv1D(TEMPORAL, 3, padding="causal", dilation_rate=dilation, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.concatenate([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    scores = layers.Dense(classes, activation="softmax", name="scores", dtype="float32")(layers.Dropout(0.4)(x))
    return keras.Model(sequence, scores, name=HEAD)
