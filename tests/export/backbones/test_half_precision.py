"""Weights in float16 take half the space, and those that were float16 before change nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from harstream.export.backbones.half_precision import store_weights_in_half
from harstream.export.verify import session


def product_with(weights: NDArray[Any]) -> onnx.ModelProto:
    """Returns a graph that multiplies `values` (N, len(weights)) with the weights."""
    graph = helper.make_graph(
        [helper.make_node("Mul", ["values", "weights"], ["products"])],
        "product",
        [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["N", len(weights)])],
        [helper.make_tensor_value_info("products", TensorProto.FLOAT, ["N", len(weights)])],
        [numpy_helper.from_array(weights, "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_weights_that_fit_into_half_give_the_same_products() -> None:
    weights = np.arange(100, dtype=np.float32) / 4  # float16 holds quarters below 512 exactly
    half = store_weights_in_half(product_with(weights))
    (tensor,) = half.graph.initializer
    assert tensor.data_type == TensorProto.FLOAT16
    assert len(tensor.raw_data) == 200
    onnx.checker.check_model(half, full_check=True)
    (products,) = session(half).run(None, {"values": np.full((1, 100), 2, np.float32)})
    assert products[0].tolist() == (np.arange(100) / 2).tolist()


def test_small_constants_and_integers_stay() -> None:
    small, whole = np.ones(63, np.float32), np.ones(100, np.int64)
    assert store_weights_in_half(product_with(small)).graph.initializer[0].data_type == TensorProto.FLOAT
    assert store_weights_in_half(product_with(whole)).graph.initializer[0].data_type == TensorProto.INT64
