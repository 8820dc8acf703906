"""A faster keras.layers.BatchNormalization with the same weights, outputs and gradients.

Keras uses separate operators for mean, variance, normalisation, scale and shift. Each of them and of their gradients
reads all features again. TensorFlow has one operator for all steps, which Keras 3 does not call.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="harstream")
class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Normalises over the last axis of features (N, H, W, C) or of rows (N, T, C).

    It has the name of Keras's layer, so that layers and weights of runs with either layer have the same names.
    Source: Ioffe and Szegedy 2015, "Batch normalization", algorithm 1.
    """

    def __init__(self, *, name: str | None = None, dtype: Any = None, trainable: bool = True) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {key: config[key] for key in ("name", "dtype", "trainable")}

    def call(self, inputs: Any, training: bool | None = None, mask: None = None) -> Any:
        is_learning = training and self.trainable
        if not is_learning or mask is not None or len(inputs.shape) != 4 or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance = self._in_one_operator(ops.cast(inputs, "float32"))
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return ops.cast(outputs, self.compute_dtype)

    def _in_one_operator(self, inputs: Any) -> tuple[Any, Any, Any]:
        """Return the outputs, and mean and variance (C,) of the batch."""
        import tensorflow as tf

        outputs, mean, unbiased, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=tf.zeros(0),  # the batch's own statistics
            variance=tf.zeros(0),
            epsilon=self.epsilon,
            is_training=True,
        )
        N, H, W, _ = tf.unstack(tf.cast(tf.shape(inputs), tf.float32))
        return outputs, mean, unbiased * (1 - 1 / (N * H * W))  # Keras keeps the variance without Bessel's correction
