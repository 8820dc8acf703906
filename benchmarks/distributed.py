"""The form in which the papers publish a CNN and an RNN: Keras's TimeDistributed around each layer of the CNN."""

from __future__ import annotations

import keras
from keras import layers

from models import folding


def time_distributed(folded: keras.Model) -> keras.Model:
    """The same layers with the same weights, each layer of the encoder under TimeDistributed."""
    parts = folding.parts(folded)
    assert parts is not None
    encoder, head = (keras.models.clone_model(part) for part in parts)
    for part, copy in zip(parts, (encoder, head), strict=True):
        copy.set_weights(part.get_weights())
    frames = x = keras.Input(folded.input_shape[1:], dtype="uint8")
    for layer in encoder.layers:
        if not isinstance(layer, layers.InputLayer):
            x = layers.TimeDistributed(layer)(x)
    return keras.Model(frames, head(x))
