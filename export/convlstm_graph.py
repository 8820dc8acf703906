"""Converts a Keras ConvLSTM model to an unrolled ONNX graph in NCHW.

tf2onnx turns Keras's own layer into a Loop with eight convolutions and fourteen transposes per step. Here a step has
one convolution, because the gates are fused and one convolution processes the input of all steps.
Source: Shi et al. 2015, "Convolutional LSTM Network", eq. 3 without peepholes, as Keras 3 computes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from harstream.models.layers.convlstm import ConvLSTM2D
from harstream.models.layers.optical_flow import FrameDifference
from harstream.models.layers.sum_of_classes import SumOfClasses, sum_matrix

OPSET = 17
_SHAPE_ONLY = (keras.layers.InputLayer, keras.layers.Dropout)


class NotAConvLSTM(Exception):
    """The model has a layer that this builder does not know."""


def convlstm_graph(model: keras.Sequential) -> onnx.ModelProto:
    """Build a graph of frames (N, T, H, W, 3) uint8 -> scores (N, K) for any N. Raises NotAConvLSTM."""
    if not isinstance(model, keras.Sequential):
        raise NotAConvLSTM(f"{model.name} is not a keras.Sequential")
    graph = _Graph(model)
    for layer in model.layers:
        graph.add(layer)
    return graph.finished()


class _Graph:
    """The nodes so far. Sequences are time-major, (T * N, C, H, W), so that a split along axis 0 gives the steps."""

    def __init__(self, model: keras.Sequential) -> None:
        _, self.window, self.H, self.W, self.C = model.input_shape
        self.T = self.window  # steps of the sequence
        self.classes = model.output_shape[-1]
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.known_shapes: list[onnx.ValueInfoProto] = []
        self.is_sequence = True
        self.shape = (self.H, self.W, self.C)
        self.scale = 1.0
        frames = self.node("Transpose", ["frames"], perm=[1, 0, 4, 2, 3])
        self.frames = self.node("Cast", [frames], to=TensorProto.FLOAT)
        self.current = self.reshaped(self.frames, (-1, self.C, self.H, self.W))

    def add(self, layer: keras.layers.Layer) -> None:
        builders: dict[type, Callable[[Any], None]] = {
            keras.layers.Rescaling: self._rescaling,
            FrameDifference: self._frame_difference,
            ConvLSTM2D: self._convlstm,
            keras.layers.ConvLSTM2D: self._convlstm,  # runs that are older than this project's layer have Keras's
            keras.layers.MaxPooling3D: self._max_pooling,
            keras.layers.MaxPooling2D: self._max_pooling,
            keras.layers.Flatten: self._flatten,
            keras.layers.Dense: self._dense,
            SumOfClasses: self._sum,
        }
        if isinstance(layer, _SHAPE_ONLY):
            return
        if type(layer) not in builders:
            raise NotAConvLSTM(f"layer {layer.name} is a {type(layer).__name__}")
        builders[type(layer)](layer)

    def finished(self) -> onnx.ModelProto:
        self.node("Identity", [self.current], name="scores")
        graph = helper.make_graph(
            self.nodes,
            "convlstm",
            [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["N", self.window, self.H, self.W, self.C])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", self.classes])],
            self.initializers,
            value_info=self.known_shapes,
        )
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        # Without inferred shapes with one name for N, ONNX Runtime needs five to ten times as long to open a session.
        return onnx.shape_inference.infer_shapes(proto, strict_mode=True)

    def node(self, kind: str, inputs: list[str], *, name: str = "", **attributes: Any) -> str:
        output = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def split(self, source: str, count: int, axis: int) -> list[str]:
        outputs = [f"Split_{len(self.nodes)}_{index}" for index in range(count)]
        self.nodes.append(helper.make_node("Split", [source], outputs, axis=axis))
        return outputs

    def constant(self, values: NDArray[np.generic]) -> str:
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def reshaped(self, source: str, shape: tuple[int, ...]) -> str:
        return self.node("Reshape", [source, self.constant(np.array(shape, dtype=np.int64))])

    def _rescaling(self, layer: Any) -> None:
        if layer.offset != 0 or self.shape != (self.H, self.W, self.C):
            raise NotAConvLSTM(
                "only a Rescaling without offset, first in the model, can be folded into its convolution"
            )
        self.scale = layer.scale

    def _frame_difference(self, layer: Any) -> None:
        if self.shape != (self.H, self.W, self.C):
            raise NotAConvLSTM(f"{layer.name} is not first in the model")
        later, earlier = (self._slice(start, self.T - 1) for start in (1, 0))
        self.current = self.reshaped(self.node("Sub", [later, earlier]), (-1, self.C, self.H, self.W))
        self.T -= 1
        self.scale = 1 / 255

    def _slice(self, start: int, length: int) -> str:
        bounds = [self.constant(np.array([value], dtype=np.int64)) for value in (start, start + length, 0)]
        return self.node("Slice", [self.frames, *bounds])

    def _convlstm(self, layer: Any) -> None:
        if (layer.kernel_size, layer.padding, layer.strides) != ((3, 3), "valid", (1, 1)):
            raise NotAConvLSTM(f"{layer.name} is not 3x3, valid, stride 1")
        kernel, recurrent, bias = (_sigmoids_first(np.asarray(weight)) for weight in layer.get_weights())
        kernel_name = self.constant(kernel.transpose(3, 2, 0, 1) * np.float32(self.scale))
        recurrent_name = self.constant(recurrent.transpose(3, 2, 0, 1))
        hoisted = self.node("Conv", [self.current, kernel_name, self.constant(bias)])
        inputs = self.split(hoisted, self.T, 0)
        gates_shape = ["N", 4 * layer.filters, self.shape[0] - 2, self.shape[1] - 2]
        self.known_shapes += [helper.make_tensor_value_info(name, TensorProto.FLOAT, gates_shape) for name in inputs]
        states = self._steps(inputs, recurrent_name, layer.filters)
        self.current = self.node("Concat", states, axis=0) if layer.return_sequences else states[-1]
        self.is_sequence = layer.return_sequences
        self.shape = (self.shape[0] - 2, self.shape[1] - 2, layer.filters)
        self.scale = 1.0

    def _steps(self, inputs: list[str], recurrent: str, filters: int) -> list[str]:
        states: list[str] = []
        cell = ""
        sizes = self.constant(np.array([3 * filters, filters], dtype=np.int64))
        for gates in inputs:
            if states:
                gates = self.node("Add", [gates, self.node("Conv", [states[-1], recurrent], pads=[1, 1, 1, 1])])
            sigmoids, candidate = f"sigmoids_{len(self.nodes)}", f"candidate_{len(self.nodes)}"
            self.nodes.append(helper.make_node("Split", [gates, sizes], [sigmoids, candidate], axis=1))
            i, f, o = self.split(self.node("Sigmoid", [sigmoids]), 3, 1)
            fresh = self.node("Mul", [i, self.node("Tanh", [candidate])])
            cell = self.node("Add", [self.node("Mul", [f, cell]), fresh]) if cell else fresh
            states.append(self.node("Mul", [o, self.node("Tanh", [cell])]))
        return states

    def _max_pooling(self, layer: Any) -> None:
        if tuple(layer.pool_size)[-2:] != (2, 2) or set(layer.pool_size[:-2]) - {1} or layer.padding != "same":
            raise NotAConvLSTM(f"{layer.name} is not 2x2 with same padding")
        self.current = self.node("MaxPool", [self.current], kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
        H, W, C = self.shape
        self.shape = (-(-H // 2), -(-W // 2), C)

    def _flatten(self, _: Any) -> None:
        H, W, C = self.shape
        if self.is_sequence:
            steps = self.reshaped(self.current, (self.T, -1, C, H, W))
            features = self.T * H * W * C
            self.current = self.reshaped(self.node("Transpose", [steps], perm=[1, 0, 3, 4, 2]), (-1, features))
        else:
            channels_last = self.node("Transpose", [self.current], perm=[0, 2, 3, 1])
            self.current = self.reshaped(channels_last, (-1, H * W * C))

    def _dense(self, layer: Any) -> None:
        kernel, bias = (np.asarray(weight) for weight in layer.get_weights())
        self.current = self.node("Gemm", [self.current, self.constant(kernel), self.constant(bias)])
        activation = layer.activation.__name__
        if activation not in ("relu", "softmax"):
            raise NotAConvLSTM(f"{layer.name} has activation {activation}")
        self.current = self.node("Relu" if activation == "relu" else "Softmax", [self.current])

    def _sum(self, layer: Any) -> None:
        self.current = self.node("MatMul", [self.current, self.constant(sum_matrix(layer.label_of))])


def _sigmoids_first(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reorder the gates from Keras's i, f, candidate, o to i, f, o, candidate, so that one sigmoid computes three."""
    i, f, candidate, o = np.split(weight, 4, axis=-1)
    return np.concatenate([i, f, o, candidate], axis=-1)
