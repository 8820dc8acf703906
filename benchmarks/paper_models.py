"""Builds a model as in the papers: Keras's TimeDistributed around each layer of a CNN, and no layer of ours."""

from __future__ import annotations

import keras
from keras import layers

from harstream.models import encoder_and_head as folding
from harstream.models.layers.batch_normalization import BatchNormalization
from harstream.models.layers.convlstm import ConvLSTM2D

KERAS_OWN = {ConvLSTM2D: layers.ConvLSTM2D, BatchNormalization: layers.BatchNormalization}


def as_in_papers(ours: keras.Model) -> keras.Model:
    """Return the same layers with the same weights. If an encoder looks back, time stays folded into the batch."""
    theirs = _with_layers_of_keras(ours)
    parts = folding.parts(theirs)
    looks_back = parts is not None and len(parts[0].input_shape) == 5
    return theirs if parts is None or looks_back else _time_distributed(theirs, *parts)


def _with_layers_of_keras(ours: keras.Model) -> keras.Model:
    def copied(layer: layers.Layer) -> layers.Layer:
        return KERAS_OWN.get(type(layer), type(layer)).from_config(layer.get_config())

    theirs = keras.models.clone_model(ours, clone_function=copied, recursive=True)
    theirs.set_weights(ours.get_weights())
    return theirs


def _time_distributed(folded: keras.Model, encoder: keras.Model, head: keras.Model) -> keras.Model:
    frames = x = keras.Input(folded.input_shape[1:], dtype="uint8", name="frames")
    for layer in encoder.layers:
        if not isinstance(layer, layers.InputLayer):
            x = layers.TimeDistributed(layer)(x)
    return keras.Model(frames, head(x))
