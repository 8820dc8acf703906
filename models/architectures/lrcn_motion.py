"""LRCN's layers on what moves: each frame minus the one before it, in place of the frame."""

from __future__ import annotations

import keras
from keras import layers

from models.architectures.lrcn import cnn, recurrent_head
from models.folding import ENCODER, fold
from models.motion import FrameDifference


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
