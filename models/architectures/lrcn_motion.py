"""The layers of lrcn on motion: the difference of each frame from the previous one."""

from __future__ import annotations

import keras
from keras import layers

from harstream.models.architectures.lrcn import cnn, recurrent_head
from harstream.models.encoder_and_head import ENCODER, fold
from harstream.models.layers.optical_flow import FrameDifference


def build(frames: int, height: int, width: int, classes: int) -> keras.Model:
    encoder = keras.Sequential(
        [
            keras.Input((2, height, width, 3), dtype="uint8"),
            FrameDifference(),
            layers.Reshape((height, width, 3)),
            *cnn(),
        ],
        name=ENCODER,
    )
    return fold(encoder, recurrent_head(frames - 1, encoder.output_shape[-1], classes), "lrcn_motion")
