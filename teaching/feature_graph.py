"""Builds the graph of what a taught part sees of a window: from rows to features."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import onnx
import onnx.parser
from numpy.typing import NDArray
from onnx import TensorProto, helper

from harstream.export.verify import session
from harstream.export.window_graph import sides

SHIPPED, FEATURES = "taught/shipped", "taught/features"
"""The names of the shipped head's scores and of the features, in the graph."""
ONE_BY_ONE = frozenset({"Add", "Sub", "Mul", "Div"})


def with_features(head: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph rows (N, T, *row_shape) -> shipped scores (N, K) and features (N, D), both float32.

    The features are what the head itself makes of the window before its last layer, where that layer can be found, and
    the mean and the spread of the rows over the window.
    """
    graph = onnx.ModelProto()
    graph.CopyFrom(head)
    del graph.metadata_props[:]
    _rename(graph.graph, graph.graph.output[0].name, SHIPPED)
    _add_features(graph, last_layer_inputs(head))
    K = head.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    del graph.graph.output[:]
    graph.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])
        for name, size in ((SHIPPED, K), (FEATURES, "D"))
    )
    return graph


class FeatureExtractor:
    """Computes features on one CPU thread. It is not thread-safe."""

    def __init__(self, head: onnx.ModelProto) -> None:
        self._session = session(with_features(head))
        self._rows = head.graph.input[0].name

    def __call__(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        """Turn windows of rows (N, T, *row_shape) into features (N, D)."""
        (found,) = self._session.run([FEATURES], {self._rows: windows})
        return np.asarray(found, dtype=np.float32)


def last_layer_inputs(head: onnx.ModelProto) -> list[str]:
    """Return the names of the inputs (N, F) of the dense layers before each softmax. A head may have several."""
    inferred = onnx.shape_inference.infer_shapes(head).graph
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in inferred.value_info}
    makers = {output: node for node in head.graph.node for output in node.output}
    constants = {each.name for each in head.graph.initializer}
    constants |= {output for output, node in makers.items() if node.op_type == "Constant"}
    softmaxes = [node for node in head.graph.node if node.op_type == "Softmax"]
    inputs = (name for softmax in softmaxes for name in _dense_input(softmax.input[0], makers, constants))
    return [name for name in dict.fromkeys(inputs) if ranks.get(name) == 2]


def _dense_input(name: str, makers: dict[str, onnx.NodeProto], constants: set[str]) -> Iterator[str]:
    """Yield the input of the dense layer whose output is `name`, through additions of and products with constants."""
    node = makers.get(name)
    if node is None:
        return
    variable = [each for each in node.input if each not in constants]
    if node.op_type in ("MatMul", "Gemm") and len(variable) == 1:
        yield variable[0]
    elif node.op_type in ONE_BY_ONE and len(variable) == 1:
        yield from _dense_input(variable[0], makers, constants)


def _add_features(model: onnx.ModelProto, embeddings: list[str]) -> None:
    """Add the nodes of the features. They exist in every version of ONNX's operators."""
    _, T, *row = sides(model)
    text = f"""<ir_version: {model.ir_version}, opset_import: ["" : {model.opset_import[0].version}]>
        features (float[N, {T}, F] rows) => (float[N, D] columns) <
            int64[3] shape = {{0, {T}, {math.prod(row)}}}, int64[2] flat = {{0, -1}}
        > {{
            reshaped = Reshape(rows, shape)
            channels = Transpose<perm = [0, 2, 1]>(reshaped)
            average = GlobalAveragePool(channels)
            apart = Sub(channels, average)
            squares = Mul(apart, apart)
            variance = GlobalAveragePool(squares)
            spread = Sqrt(variance)
            pooled = Concat<axis = 1>(average, spread)
            columns = Reshape(pooled, flat)
        }}"""
    added = named(onnx.parser.parse_model(text).graph, {"rows": model.graph.input[0].name})
    joint = helper.make_node("Concat", [*embeddings, "taught/columns"], [FEATURES], name="taught/Concat", axis=1)
    model.graph.node.extend([*added.node, joint])
    model.graph.initializer.extend(added.initializer)


def named(graph: onnx.GraphProto, outside: dict[str, str]) -> onnx.GraphProto:
    """Put `taught/` before the names in a graph, so that they differ from the head's. `outside`: other names."""
    for node in graph.node:
        node.input[:] = [outside.get(name, f"taught/{name}") for name in node.input]
        node.output[:] = [outside.get(name, f"taught/{name}") for name in node.output]
        node.name = f"taught/{node.op_type}/{node.output[0]}"
    for constant in graph.initializer:
        constant.name = f"taught/{constant.name}"
    return graph


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]
