"""Our ConvLSTM2D has the outputs, gradients and dropout of Keras's own with the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from harstream.models.layers.convlstm import ConvLSTM2D

pytestmark = pytest.mark.training

SHAPE = (3, 5, 9, 8, 2)
"""The shape of the sequences: N, T, H, W, C."""


def sequences() -> np.ndarray:
    return np.random.default_rng(4).normal(size=SHAPE).astype(np.float32)


def pair(**options: Any) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """Returns Keras's layer and ours with the same weights. No two gates are equal."""
    keras.utils.set_random_seed(1)
    theirs, ours = keras.layers.ConvLSTM2D(6, 3, **options), ConvLSTM2D(6, 3, **options)
    for layer in (theirs, ours):
        layer.build(SHAPE)
    random = np.random.default_rng(2)
    weights = [random.normal(0, 0.3, weight.shape) for weight in theirs.get_weights()]
    for layer in (theirs, ours):
        layer.set_weights(weights)
    return theirs, ours


def outputs_and_gradients(layer: keras.layers.Layer, training: bool) -> tuple[np.ndarray, list[np.ndarray]]:
    """Returns outputs and gradients of the kernel, the recurrent kernel, the bias and the sequences."""
    import tensorflow as tf

    values = tf.constant(sequences())
    with tf.GradientTape() as tape:
        tape.watch(values)
        outputs = layer(values, training=training)
        asked = tf.constant(np.random.default_rng(3).normal(size=outputs.shape), tf.float32)
        loss = tf.reduce_sum(outputs * asked)
    found = tape.gradient(loss, [*(weight.value for weight in layer.trainable_weights), values])
    return outputs.numpy(), [gradient.numpy() for gradient in found]


@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize(
    ("dropout", "training"),
    [(0.0, True), (0.0, False), (0.4, True), (0.4, False)],
    ids=["no dropout, training", "no dropout", "dropout, training", "dropout"],
)
def test_outputs_and_gradients_equal_those_of_keras(dropout: float, training: bool, return_sequences: bool) -> None:
    theirs, ours = pair(recurrent_dropout=dropout, return_sequences=return_sequences, seed=11)
    expected, expected_gradients = outputs_and_gradients(theirs, training)
    outputs, gradients = outputs_and_gradients(ours, training)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert np.ptp(expected) > 0.5
    for gradient, known in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(gradient, known, atol=1e-4 * np.abs(known).max())


def test_each_batch_gets_new_dropout_masks() -> None:
    _, ours = pair(recurrent_dropout=0.4, seed=11)
    first, second = (np.asarray(ours(sequences(), training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 0.01


def test_a_new_layer_has_the_names_and_initial_weights_of_keras() -> None:
    names, weights = [], []
    for kind in (keras.layers.ConvLSTM2D, ConvLSTM2D):
        keras.utils.clear_session()
        keras.utils.set_random_seed(7)
        layer = kind(6, 3)
        layer.build(SHAPE)
        names.append([weight.path for weight in layer.weights])
        weights.append(layer.get_weights())
    assert names[0] == names[1]
    assert all(np.array_equal(*both) for both in zip(*weights, strict=True))


def model_with(kind: type[keras.layers.Layer]) -> keras.Model:
    keras.utils.clear_session()
    return keras.Sequential(
        [keras.Input(SHAPE[1:]), kind(6, 3, recurrent_dropout=0.2, return_sequences=True), kind(4, 3)]
    )


def test_a_saved_model_is_loaded_unchanged(tmp_path: Path) -> None:
    model = model_with(ConvLSTM2D)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert [type(layer) for layer in loaded.layers] == [ConvLSTM2D, ConvLSTM2D]
    assert [layer.recurrent_dropout for layer in loaded.layers] == [0.2, 0.0]
    assert [layer.return_sequences for layer in loaded.layers] == [True, False]
    np.testing.assert_array_equal(loaded.predict(sequences(), verbose=0), model.predict(sequences(), verbose=0))


def test_weights_of_a_run_with_the_layer_of_keras_are_loaded(tmp_path: Path) -> None:
    theirs, ours = model_with(keras.layers.ConvLSTM2D), model_with(ConvLSTM2D)
    theirs.save_weights(tmp_path / "epoch.weights.h5")
    ours.load_weights(tmp_path / "epoch.weights.h5")
    np.testing.assert_allclose(ours.predict(sequences(), verbose=0), theirs.predict(sequences(), verbose=0), atol=1e-5)


def test_unsupported_options_are_refused() -> None:
    layer = ConvLSTM2D(4, 3)
    with pytest.raises(ValueError, match=r"expected no initial_state and no mask"):
        layer(sequences(), mask=np.ones(SHAPE[:2], dtype=bool))
    with pytest.raises(TypeError, match="go_backwards"):
        ConvLSTM2D(4, 3, go_backwards=True)  # type: ignore[call-arg]
