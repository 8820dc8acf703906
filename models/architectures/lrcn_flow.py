"""The layers of lrcn on optical flow instead of frames.

Source: Donahue et al. 2015, "Long-term recurrent convolutional networks", which uses both flow and pictures.
"""

from __future__ import annotations

import keras

from harstream.models.architectures.lrcn import cnn, recurrent_head
from harstream.models.encoder_and_head import ENCODER, fold
from harstream.models.layers.optical_flow import OpticalFlow


def build(frames: int, height: int, width: int, classes: int) -> keras.Model:
    encoder = keras.Sequential([keras.Input((2, height, width, 3), dtype="uint8"), OpticalFlow(), *cnn()], name=ENCODER)
    return fold(encoder, recurrent_head(frames - 1, encoder.output_shape[-1], classes), "lrcn_flow")
