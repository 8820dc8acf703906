"""Converts a trained Keras model to one TFLite file of built-in operations."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.lite.python.convert import ConverterError

from harstream.export.verify import Runner, seen_by_encoder
from harstream.models import encoder_and_head as folding
from harstream.models.layers.optical_flow import OpticalFlow

ENCODE, SCORE = SIGNATURES = "encode", "score"
FRAMES_OF_A_WINDOW = 4
"""Frames of each window that determine the ranges of an 8-bit encoder. Neighbouring frames are nearly equal."""


class NotConvertible(Exception):
    """The model cannot become a TFLite file of built-in operations."""


def convert_to_tflite(model: keras.Model, windows: NDArray[np.uint8] | None) -> bytes:
    """Convert a folded model to a file with the signatures `encode` and `score`, each for a batch of one.

    Windows (N, T, H, W, 3) make it a file of 8-bit integers, whose ranges they decide. Raises NotConvertible.
    """
    encoder, head = _parts(model, is_float=windows is None)
    module = tf.Module()
    module.encode = _constant_function(encoder, "frames", "rows")
    module.score = _constant_function(_unroll(head), "rows", "scores")
    signatures = {name: getattr(module, name).get_concrete_function() for name in SIGNATURES}
    with TemporaryDirectory() as folder, _quiet():
        tf.saved_model.save(module, folder, signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(signatures))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if windows is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: _representative_inputs(encoder, windows)
        try:
            return bytes(converter.convert())
        except ConverterError as error:
            raise NotConvertible(f"{model.name} has an operation that is not built in: {_first_line(error)}") from error


def tflite_runner(content: bytes) -> Runner:
    """Return a function that runs windows one by one on one thread."""
    with _quiet():
        interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
    encode, score = (interpreter.get_signature_runner(name) for name in SIGNATURES)
    axes = len(encode.get_input_details()["frames"]["shape"]) - 1

    def run(windows: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert interpreter  # keep a reference, because the signatures do not
        encoded = [
            np.concatenate([encode(frames=frame[None])["rows"] for frame in window])
            for window in seen_by_encoder(windows, axes)
        ]
        return np.concatenate([score(rows=rows[None])["scores"] for rows in encoded])

    return run


def _parts(model: keras.Model, *, is_float: bool) -> tuple[keras.Model, keras.Model]:
    parts = folding.parts(model)
    if parts is None:
        raise NotConvertible(
            f"TFLite needs a model of an encoder and a head, but {model.name} is one graph, and built-in operations "
            "cannot pool over its frames: leave out --format tflite"
        )
    if not is_float and any(isinstance(layer, OpticalFlow) for layer in parts[0].layers):
        raise NotConvertible(
            "int8 TFLite quantizes the whole model, and then optical flow divides by 0: leave out "
            "--format tflite or --quantize int8"
        )
    return parts


def _constant_function(model: keras.Model, source: str, target: str) -> Any:
    """Return a function with the weights as constants. LiteRT would read variables again in each call."""
    tensor = model.inputs[0]
    trained = [np.asarray(variable) for variable in model.trainable_variables]
    others = [np.asarray(variable) for variable in model.non_trainable_variables]

    def compute(values: Any) -> dict[str, Any]:
        scores, _ = model.stateless_call(
            [tf.constant(values) for values in trained],
            [tf.constant(values) for values in others],
            values,
            training=False,
        )
        return {target: scores}

    return tf.function(compute, input_signature=[tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype, name=source)])


def _unroll(head: keras.Model) -> keras.Model:
    """Return the head without loops, because the loops of recurrent layers need operations that are not built in."""

    def again(layer: keras.layers.Layer) -> keras.layers.Layer:
        settings = layer.get_config()
        return type(layer).from_config(settings | {"unroll": True} if "unroll" in settings else settings)

    copy = keras.models.clone_model(head, clone_function=again)
    copy.set_weights(head.get_weights())
    return copy


def _representative_inputs(
    encoder: keras.Model, windows: NDArray[np.uint8]
) -> Iterator[tuple[str, dict[str, NDArray[np.generic]]]]:
    for frames in seen_by_encoder(windows, len(encoder.input_shape) - 1):
        rows = np.asarray(encoder.predict(frames, verbose=0))
        for frame in frames[:: max(len(frames) // FRAMES_OF_A_WINDOW, 1)]:
            yield ENCODE, {"frames": frame[None]}
        yield SCORE, {"rows": rows[None]}


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence TensorFlow, which logs where it saves, and warns that its interpreter is now called LiteRT."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logger.setLevel(level)
