"""Our BatchNormalization has the outputs, gradients and moving statistics of Keras's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from harstream.models.layers.batch_normalization import BatchNormalization

pytestmark = pytest.mark.training

PICTURES, ROWS = (3, 5, 4, 6), (3, 5, 6)


def pair(shape: tuple[int, ...]) -> tuple[keras.layers.Layer, keras.layers.Layer]:
    """Returns Keras's layer and ours with the same weights. No two channels are equal."""
    theirs, ours = keras.layers.BatchNormalization(), BatchNormalization()
    random = np.random.default_rng(2)
    gamma, beta, mean, variance = random.uniform(0.5, 2, (4, shape[-1]))
    for layer in (theirs, ours):
        layer.build(shape)
        layer.set_weights([gamma, beta, mean, variance])
    return theirs, ours


def outputs_gradients_and_weights(layer: keras.layers.Layer, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Takes one training step. Returns gradients of gamma, beta, inputs; then gamma, beta, moving mean, variance."""
    import tensorflow as tf

    inputs = tf.constant(np.random.default_rng(4).normal(1, 3, shape), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
        asked = tf.constant(np.random.default_rng(3).normal(size=shape), tf.float32)
        loss = tf.reduce_sum(outputs * asked)
    gradients = tape.gradient(loss, [*(weight.value for weight in layer.trainable_weights), inputs])
    return [outputs.numpy(), *(gradient.numpy() for gradient in gradients), *layer.get_weights()]


@pytest.mark.parametrize("shape", [PICTURES, ROWS], ids=["pictures", "rows"])
def test_a_training_step_equals_that_of_keras(shape: tuple[int, ...]) -> None:
    theirs, ours = (outputs_gradients_and_weights(layer, shape) for layer in pair(shape))
    assert len(theirs) == 8
    for expected, found in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [True, False], ids=["frozen, training", "not training"])
def test_moving_statistics_stay_unchanged_without_learning(training: bool) -> None:
    theirs, ours = pair(PICTURES)
    theirs.trainable = ours.trainable = not training
    before = ours.get_weights()
    inputs = np.random.default_rng(4).normal(1, 3, PICTURES).astype(np.float32)
    np.testing.assert_allclose(ours(inputs, training=training), theirs(inputs, training=training), rtol=1e-6)
    np.testing.assert_array_equal(ours.get_weights(), before)


def test_a_saved_layer_is_loaded_as_our_class(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input(PICTURES[1:]), BatchNormalization(name="normal")])
    model.save(tmp_path / "model.keras")
    layer = keras.models.load_model(tmp_path / "model.keras").get_layer("normal")
    assert type(layer) is BatchNormalization
    assert layer.get_config() == model.get_layer("normal").get_config()
