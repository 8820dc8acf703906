"""A graph of TensorFlow.js computes in TensorFlow what its nodes say, also where they are fused."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.keras_import import import_keras

import_keras()

import tensorflow as tf  # noqa: E402

from harstream.export.backbones.tfjs_graph import read_graph  # noqa: E402

WEIGHTS = np.array([2.0, -1.0, 0.5, 0.25], np.float16).tobytes()
"""A kernel (1, 1, 2, 1) of 2 and -1 or its two channels, and then biases of 0.5 and 0.25."""


def fused(op: str, kernel: list[int], bias: list[int], following: tuple[str, ...]) -> bytes:
    """Returns a model.json with one fused node of a 1x1 convolution."""
    half = {"dtype": "float16", "original_dtype": "float32"}
    manifest = [
        {"name": "kernel", "shape": kernel, "dtype": "float32", "quantization": half},
        {"name": "bias", "shape": bias, "dtype": "float32", "quantization": half},
    ]
    names = [base64.b64encode(name.encode()).decode() for name in following]
    attributes: dict[str, Any] = {
        "T": {"type": "DT_FLOAT"},
        "strides": {"list": {"i": ["1", "1", "1", "1"]}},
        "padding": {"s": base64.b64encode(b"SAME").decode()},
        "fused_ops": {"list": {"s": names}},
        "num_args": {"i": "1"},
    }
    constant = {"attr": {"dtype": {"type": "DT_FLOAT"}}}
    nodes = [
        {"name": "input", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}}},
        {"name": "kernel", "op": "Const", **constant},
        {"name": "bias", "op": "Const", **constant},
        {"name": "out", "op": op, "input": ["input", "kernel", "bias"], "attr": attributes},
    ]
    return json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": manifest}]}).encode()


def result(model: bytes, weights: bytes, pixel: list[float]) -> list[float]:
    """Returns what the graph gives for a picture of one pixel."""
    picture: NDArray[np.float32] = np.array(pixel, np.float32).reshape(1, 1, 1, -1)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(read_graph(model, weights), name="")
        return [float(value) for value in session.run("out:0", {"input:0": picture}).ravel()]


@pytest.mark.parametrize(
    ("pixel", "expected"),
    [([1.0, 0.5], 2.0), ([5.0, 1.0], 6.0), ([0.0, 3.0], 0.0)],  # 2 * 1 - 0.5 + 0.5; 9.5 is cut at 6; -2.5 is cut at 0
)
def test_a_fused_convolution_adds_its_bias_and_is_cut_at_six(pixel: list[float], expected: float) -> None:
    model = fused("_FusedConv2D", [1, 1, 2, 1], [1], ("BiasAdd", "Relu6"))
    assert result(model, WEIGHTS[:6], pixel) == [expected]


def test_a_fused_depthwise_convolution_treats_each_channel_alone() -> None:
    model = fused("FusedDepthwiseConv2dNative", [1, 1, 2, 1], [2], ("BiasAdd",))
    assert result(model, WEIGHTS, [1.0, 3.0]) == [2.5, -2.75]  # 2 * 1 + 0.5 and -1 * 3 + 0.25


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match="Prelu"):
        read_graph(fused("_FusedConv2D", [1, 1, 2, 1], [1], ("BiasAdd", "Prelu")), WEIGHTS[:6])


@pytest.mark.parametrize("weights", [WEIGHTS[:4], WEIGHTS])
def test_weights_of_another_length_are_refused(weights: bytes) -> None:
    with pytest.raises(ValueError, match=r"bytes of weights|buffer"):
        read_graph(fused("_FusedConv2D", [1, 1, 2, 1], [1], ("BiasAdd",)), weights)
