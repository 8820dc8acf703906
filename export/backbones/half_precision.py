"""Stores the weights of an ONNX graph in float16. A runtime computes in float32 as before."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 64
"""Constants with fewer values stay as they are, because a node that casts them takes as much space."""


def store_weights_in_half(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Change `proto` so that each large constant is float16 and is cast to float32, and return it.

    A runtime does the cast once, when it loads the graph. Weights that were float16 before are not changed at all.
    """
    graph, casts = proto.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < SMALLEST:
            continue
        name, stored = tensor.name, f"{tensor.name}/half"
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), stored))
        casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return proto
