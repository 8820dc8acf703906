"""The layers of cnn_tcn on optical flow instead of frames. A person may be anywhere in the picture."""

from __future__ import annotations

import keras

from harstream.models.architectures.cnn_tcn import cnn, temporal_head
from harstream.models.encoder_and_head import ENCODER, fold
from harstream.models.layers.optical_flow import OpticalFlow


def build(frames: int, height: int, width: int, classes: int) -> keras.Model:
    pair = keras.Input((2, height, width, 3), dtype="uint8")
    encoder = keras.Model(pair, cnn(OpticalFlow()(pair)), name=ENCODER)
    return fold(encoder, temporal_head(frames - 1, encoder.output_shape[-1], classes), "flow_tcn")
