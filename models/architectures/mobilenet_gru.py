"""MobileNetV3 small on each frame, and a GRU over the rows. It can start with pretrained weights.

Source: Howard et al. 2019, "Searching for MobileNetV3".
"""

from __future__ import annotations

import keras
from keras import layers, ops

from harstream.models.backbones import backbone
from harstream.models.encoder_and_head import ENCODER, HEAD, fold


def build(frames: int, height: int, width: int, classes: int, weights: str | None = None) -> keras.Model:
    encoder = _encoder(height, width, weights)
    return fold(encoder, _head(frames, encoder.output_shape[-1], classes), "mobilenet_gru")


def _encoder(height: int, width: int, weights: str | None) -> keras.Model:
    frame = keras.Input((height, width, 3), dtype="uint8")
    mobilenet = backbone(keras.applications.MobileNetV3Small, weights, height, width)  # it scales the levels itself
    # The statistics of batch normalisation are weights, too. A frozen backbone uses them unchanged.
    rows = mobilenet(ops.cast(frame, "float32"), training=None if mobilenet.trainable else False)
    return keras.Model(frame, rows, name=ENCODER)


def _head(rows: int, features: int, classes: int) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((rows, features)),
            layers.Dropout(0.3),
            layers.GRU(96),
            layers.Dropout(0.3),
            layers.Dense(classes, activation="softmax", name="scores"),
        ],
        name=HEAD,
    )
