"""Joins an encoder and a sequence head into one model of windows, with time folded into the batch.

Keras 3 runs `TimeDistributed` as a Python loop. A reshape has the same weights and output, and trains 3 to 7 times
faster. Both parts keep their names, so that a stream can encode each frame once.
"""

from __future__ import annotations

import keras
from keras import ops

ENCODER, HEAD = "encoder", "head"


def fold(encoder: keras.Model, head: keras.Model, name: str) -> keras.Model:
    """Join an encoder and a head (rows, F) -> (K,) into a model of frames (T, H, W, 3) uint8 -> scores (K,).

    An encoder of frames (H, W, 3) uint8 has rows = T. An encoder of pairs (2, H, W, 3), a frame after its previous one,
    has rows = T - 1.
    """
    rows, F = head.input_shape[1:]
    *lookback, H, W, C = encoder.input_shape[1:]
    T = rows + len(lookback)
    frames = keras.Input((T, H, W, C), dtype="uint8", name="frames")
    seen = ops.stack([frames[:, :-1], frames[:, 1:]], axis=2) if lookback else frames
    encoded = encoder(ops.reshape(seen, (-1, *lookback, H, W, C)))
    return keras.Model(frames, head(ops.reshape(encoded, (-1, rows, F))), name=name)


def parts(model: keras.Model) -> tuple[keras.Model, keras.Model] | None:
    """Return the encoder and the head of a folded model, or None for a model without them."""
    names = {layer.name for layer in model.layers}
    if not {ENCODER, HEAD} <= names:
        return None
    return model.get_layer(ENCODER), model.get_layer(HEAD)


def before(model: keras.Model, name: str) -> keras.Model:
    """Return the layers before the layer `name`, as a model."""
    last = model.get_layer(name)
    if isinstance(model, keras.Sequential):
        return keras.Sequential([input_like(model), *model.layers[: model.layers.index(last)]])
    return keras.Model(model.input, last.input)


def first_layer(model: keras.Model) -> keras.layers.Layer:
    """Return the first layer after the input."""
    return next(layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer))


def after_first(model: keras.Model) -> keras.Model:
    """Return the layers after the first one, as a model. Only the first layer may take the input."""
    first = first_layer(model)
    if isinstance(model, keras.Sequential):
        shape = first.compute_output_shape(model.input_shape)
        return keras.Sequential([keras.Input(batch_shape=shape), *model.layers[1:]])
    return keras.Model(first.output, model.output)


def input_like(model: keras.Model) -> keras.KerasTensor:
    """Return a new input of the shape and type that the model takes."""
    return keras.Input(batch_shape=model.input_shape, dtype=model.inputs[0].dtype)
