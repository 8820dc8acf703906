"""Composes a model's head with a taught part into one ONNX graph whose scores sum to 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import onnx.parser
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from harstream.teaching.feature_graph import FEATURES, SHIPPED, named, with_features


@dataclass(frozen=True, eq=False)
class TaughtPart:
    """A multinomial logistic regression on the features (D,) of a window. Its first class is "nothing of these"."""

    mean: NDArray[np.float32]
    """(D,), subtracted from the features."""
    scale: NDArray[np.float32]
    """(D,), by which they are divided then; positive."""
    weights: NDArray[np.float32]
    """(D, 1 + L) for L new labels."""
    bias: NDArray[np.float32]
    """(1 + L,)"""

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (N, 1 + L) for features (N, D)."""
        logits = (features - self.mean) / self.scale @ self.weights + self.bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def compose_scores(shipped: NDArray[np.float32], probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the scores (N, K + L) from the shipped scores (N, K) and the taught probabilities (N, 1 + L)."""
    return np.concatenate([probabilities[:, :1] * shipped, probabilities[:, 1:]], axis=1)


def with_taught_part(head: onnx.ModelProto, part: TaughtPart) -> onnx.ModelProto:
    """Return the graph rows (N, T, *row_shape) -> scores (N, K + L); see `compose_scores`."""
    composed = with_features(head)
    L = len(part.bias) - 1
    text = f"""<ir_version: {head.ir_version}, opset_import: ["" : {head.opset_import[0].version}]>
        taught (float[N, D] features, float[N, K] shipped, float[D] mean, float[D] scale, float[D, M] weights,
                float[M] bias) => (float[N, S] scores) <int64[2] sizes = {{1, {L}}}> {{
            centred = Sub(features, mean)
            standardised = Div(centred, scale)
            logits = Gemm(standardised, weights, bias)
            probabilities = Softmax<axis = 1>(logits)
            nothing, new = Split<axis = 1>(probabilities, sizes)
            known = Mul(nothing, shipped)
            scores = Concat<axis = 1>(known, new)
        }}"""
    added = named(onnx.parser.parse_model(text).graph, {"features": FEATURES, "shipped": SHIPPED, "scores": "scores"})
    composed.graph.node.extend(added.node)
    composed.graph.initializer.extend(added.initializer)
    composed.graph.initializer.extend(_constants(part))
    K = head.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    del composed.graph.output[:]
    composed.graph.output.append(helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", K + L]))
    return composed


def _constants(part: TaughtPart) -> list[onnx.TensorProto]:
    values = {"mean": part.mean, "scale": part.scale, "weights": part.weights, "bias": part.bias}
    return [
        numpy_helper.from_array(np.ascontiguousarray(value, np.float32), f"taught/{name}")
        for name, value in values.items()
    ]
