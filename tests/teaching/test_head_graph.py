"""The composed head computes what scikit-learn and the shipped head compute."""

from __future__ import annotations

from functools import cache

import numpy as np
import onnx
import onnx.parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from harstream.export.verify import session
from harstream.models.catalogue import HEAD as HEAD_FILE
from harstream.models.catalogue import TRAINED
from harstream.teaching.feature_graph import FeatureExtractor, last_layer_inputs
from harstream.teaching.head_graph import with_taught_part
from harstream.teaching.learning import part_of
from tests.support.row_model import HEAD

ATTENTION = """<ir_version: 8, opset_import: ["" : 17]>
    attention (float[N, 4, 3] rows) => (float[N, 2] scores) <
        float[3, 1] key = {1, 2, 3}, float[3, 2] first = {1, 2, 3, 4, 5, 6}, float[3, 2] second = {6, 5, 4, 3, 2, 1},
        float temperature = {2}
    > {
        keys = MatMul(rows, key)
        shares = Softmax<axis = 1>(keys)
        weighted = Mul(rows, shares)
        mean = ReduceMean<axes = [1], keepdims = 0>(weighted)
        highest = ReduceMax<axes = [1], keepdims = 0>(rows)
        one = MatMul(mean, first)
        divided = Div(one, temperature)
        scores_one = Softmax<axis = 1>(divided)
        two = Gemm(highest, second)
        scores_two = Softmax<axis = 1>(two)
        product = Mul(scores_one, scores_two)
        scores = Softmax<axis = 1>(product)
    }"""
"""Two branches, each with a dense layer before its softmax, and a softmax over time, which is none."""


@cache
def head(name: str) -> onnx.ModelProto:
    texts = {"brightness": HEAD, "attention": ATTENTION}
    return onnx.parser.parse_model(texts[name]) if name in texts else onnx.load(TRAINED / name / HEAD_FILE)


def rows(name: str, generator: np.random.Generator) -> NDArray[np.float32]:
    _, *shape = [side.dim_value for side in head(name).graph.input[0].type.tensor_type.shape.dim]
    return generator.normal(size=(12, *shape)).astype(np.float32)


@pytest.mark.parametrize("name", ["brightness", "attention", "flow_tcn", "lrcn"])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), new=st.integers(1, 6), size=st.floats(0.01, 100))
def test_scores_are_those_of_both_parts_and_sum_to_1(name: str, seed: int, new: int, size: float) -> None:
    generator = np.random.default_rng(seed)
    windows = rows(name, generator) * np.float32(size)
    features = FeatureExtractor(head(name))(windows)
    classes = np.concatenate([np.arange(1 + new), generator.integers(0, 1 + new, 11 - new)])
    scaler = StandardScaler().fit(features)
    regression = LogisticRegression(C=0.1, max_iter=1000).fit(scaler.transform(features), classes)

    (scores,) = session(with_taught_part(head(name), part_of(scaler, regression))).run(None, {"rows": windows})

    expected = regression.predict_proba(scaler.transform(features))
    (shipped,) = session(head(name)).run(None, {"rows": windows})
    K = shipped.shape[1]
    assert scores[:, K:] == pytest.approx(expected[:, 1:], abs=1e-4)
    assert scores[:, :K] == pytest.approx(expected[:, :1] * shipped, abs=1e-4)
    assert scores.sum(axis=1) == pytest.approx(np.ones(12), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("brightness", ["mean"]), ("attention", ["mean", "highest"]), ("flow_tcn", ["head_1/concatenate_1/concat:0"])],
)
def test_the_inputs_of_the_last_dense_layers_are_found(name: str, expected: list[str]) -> None:
    assert last_layer_inputs(head(name)) == expected


def test_features_are_the_head_s_own_and_mean_and_spread_of_rows() -> None:
    windows = np.array([[[1, 0, 2]] * 4 + [[6, 0, 2]]], np.float32)
    (features,) = FeatureExtractor(head("brightness"))(windows)
    assert features == pytest.approx([2, 0, 2, 2, 0, 2, 2, 0, 0])
