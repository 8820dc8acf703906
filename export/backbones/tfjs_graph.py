"""Reads a graph model of TensorFlow.js into a GraphDef that TensorFlow can run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from numpy.typing import NDArray

_PARTS = {"_FusedConv2D": "Conv2D", "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative"}
"""The convolution in each fused node. tf2onnx knows none of them, and TensorFlow knows only the first."""
_CONVOLUTION = ("T", "strides", "padding", "data_format", "dilations", "explicit_paddings")
"""The attributes of a fused node that belong to its convolution."""


def read_graph(model: bytes, weights: bytes) -> tf.compat.v1.GraphDef:
    """Return the graph of `model`, a model.json, with the numbers of `weights` as constants.

    Raises ValueError for a kind of weights or of fused nodes that is not known here.
    """
    content = json.loads(model)
    constants = dict(_constants(content["weightsManifest"], weights))
    graph = tf.compat.v1.GraphDef()
    for node in content["modelTopology"]["node"]:
        if node["op"] == "Const":
            graph.node.append(_constant(node["name"], constants[node["name"]]))
        else:
            graph.node.extend(_separated(json_format.ParseDict(node, tf.compat.v1.NodeDef())))
    return graph


def _constants(manifest: list[dict[str, Any]], weights: bytes) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield name and array of each weight. Weights in float16 become float32, as in TensorFlow.js."""
    position = 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        stored = np.dtype(entry.get("quantization", entry)["dtype"])
        if stored not in (np.float32, np.float16, np.int32):
            raise ValueError(f"expected weights in float32, float16 or int32, got {entry['name']} in {stored}")
        count = int(np.prod(entry["shape"], dtype=int))
        values = np.frombuffer(weights, stored, count, position).reshape(entry["shape"])
        yield entry["name"], values.astype(entry["dtype"])
        position += count * stored.itemsize
    if position != len(weights):
        raise ValueError(f"expected {position} bytes of weights, got {len(weights)}")


def _constant(name: str, values: NDArray[Any]) -> tf.compat.v1.NodeDef:
    node = tf.compat.v1.NodeDef(name=name, op="Const")
    node.attr["dtype"].type = tf.as_dtype(values.dtype).as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
    return node


def _separated(node: tf.compat.v1.NodeDef) -> Iterator[tf.compat.v1.NodeDef]:
    """Yield a node as it is, or a fused one as its convolution, its bias and its activation. The last has its name."""
    if node.op not in _PARTS:
        yield node
        return
    following = [kind.decode() for kind in node.attr["fused_ops"].list.s]
    if not set(following) <= {"BiasAdd", "Relu", "Relu6"}:
        raise ValueError(f"expected a convolution with BiasAdd, Relu or Relu6, got {following} in {node.name}")
    data, kernel, *biases = node.input
    names = [f"{node.name}/{number}" for number in range(len(following))] + [node.name]
    part = tf.compat.v1.NodeDef(name=names[0], op=_PARTS[node.op], input=[data, kernel])
    for key in _CONVOLUTION:
        if key in node.attr:
            part.attr[key].CopyFrom(node.attr[key])
    yield part
    for kind, before, name in zip(following, names, names[1:], strict=False):
        inputs = [before, biases[0]] if kind == "BiasAdd" else [before]
        part = tf.compat.v1.NodeDef(name=name, op=kind, input=inputs)
        part.attr["T"].type = tf.float32.as_datatype_enum
        yield part
