"""A model as the papers publish it: Keras's TimeDistributed around each layer of a CNN, and Keras's own ConvLSTM2D."""

from __future__ import annotations

import keras
from keras import layers

from models import folding
from models.convlstm import ConvLSTM2D


def as_published(ours: keras.Model) -> keras.Model:
    """The same layers with the same weights. A model whose encoder looks back has no such form, and is given back."""
    parts = folding.parts(ours)
    if parts is None:
        return _with_layers_of_keras(ours)
    looks_back = len(parts[0].input_shape) == 5
    return ours if looks_back else _time_distributed(ours, parts)


def _time_distributed(ours: keras.Model, parts: tuple[keras.Model, keras.Model]) -> keras.Model:
    encoder, head = (keras.models.clone_model(part) for part in parts)
    for part, copy in zip(parts, (encoder, head), strict=True):
        copy.set_weights(part.get_weights())
    frames = x = keras.Input(ours.input_shape[1:], dtype="uint8", name="frames")
    for layer in encoder.layers:
        if not isinstance(layer, layers.InputLayer):
            x = layers.TimeDistributed(layer)(x)
    return keras.Model(frames, head(x))


def _with_layers_of_keras(ours: keras.Model) -> keras.Model:
    def copied(layer: layers.Layer) -> layers.Layer:
        kind = layers.ConvLSTM2D if isinstance(layer, ConvLSTM2D) else type(layer)
        return kind.from_config(layer.get_config())

    theirs = keras.models.clone_model(ours, clone_function=copied)
    theirs.set_weights(ours.get_weights())
    return theirs
