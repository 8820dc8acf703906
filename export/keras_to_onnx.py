"""Converts a trained Keras model to ONNX graphs."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass

import keras
import onnx
import tensorflow as tf
import tf2onnx

from harstream.export.convlstm_graph import OPSET, NotAConvLSTM, convlstm_graph
from harstream.export.optical_flow_graph import FLOW, with_flow_before
from harstream.export.window_graph import of_windows
from harstream.models import encoder_and_head as folding
from harstream.models.layers.optical_flow import OpticalFlow


@dataclass(frozen=True, eq=False)
class Candidates:
    """Graphs that compute the same: the plain conversion of the whole window, and graphs that may be faster."""

    plain: onnx.ModelProto
    fused: onnx.ModelProto | None
    """For a ConvLSTM model, see convlstm_graph. For an encoder that sees optical flow, see optical_flow_graph."""
    parts: tuple[onnx.ModelProto, onnx.ModelProto] | None
    """The parts of a CNN+RNN model: encoder (N, H, W, 3) -> rows (N, F), and head (N, T, F) -> scores (N, K)."""


def convert(model: keras.Model) -> Candidates:
    """Convert frames (N, T, H, W, 3) uint8 -> scores (N, K)."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    plain, fused = to_onnx(model, "frames", "scores"), None
    if layers := folding.parts(model):
        encoder, head = parts = _encoder(layers[0]), to_onnx(layers[1], "rows", "scores")
        if _sees_flow(layers[0]):
            fused = of_windows(encoder, head)
        return Candidates(plain, fused, parts)
    with suppress(NotAConvLSTM):
        fused = convlstm_graph(model)
    return Candidates(plain, fused, None)


def divide_logits(model: keras.Model, temperature: float) -> keras.Model:
    """Divide the logits by the temperature, in the weights of `scores`, which is a softmax Dense.

    Changes `model` and returns it. Source: Guo et al. 2017, "On calibration of modern neural networks", eq. 9.
    """
    parts = folding.parts(model)
    scores = (parts[1] if parts else model).get_layer("scores")
    scores.set_weights([weight / temperature for weight in scores.get_weights()])
    return model


def _encoder(encoder: keras.Model) -> onnx.ModelProto:
    if not _sees_flow(encoder):
        return to_onnx(encoder, "frames", "rows")
    return with_flow_before(to_onnx(folding.after_first(encoder), FLOW, "rows"), *encoder.input_shape[2:4])


def _sees_flow(encoder: keras.Model) -> bool:
    return isinstance(folding.first_layer(encoder), OpticalFlow)


def to_onnx(model: keras.Model, source: str, target: str) -> onnx.ModelProto:
    """Convert a model of one input and one output, and name them `source` and `target`."""
    tensor = model.inputs[0]
    spec = (tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype, name=source),)
    function = tf.function(lambda values: model(values, training=False), input_signature=spec)
    proto, _ = tf2onnx.convert.from_function(function, input_signature=spec, opset=OPSET)
    return _rename(proto, proto.graph.input[0].name, source, proto.graph.output[0].name, target)


def _rename(proto: onnx.ModelProto, old_input: str, source: str, old_output: str, target: str) -> onnx.ModelProto:
    names = {old_input: source, old_output: target}
    for node in proto.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in (*proto.graph.input, *proto.graph.output):
        value.name = names[value.name]
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    return proto
