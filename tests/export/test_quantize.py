"""ONNX graphs are quantized to 8-bit integers."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

pytestmark = pytest.mark.training

FRAMES = 6


WINDOWS: NDArray[np.uint8] = np.random.default_rng(5).integers(0, 256, (8, FRAMES, 64, 64, 3), dtype=np.uint8)


def converted(name: str, label_of: tuple[int, ...] = (0, 1, 2)) -> dict[str, Any]:
    import keras

    from harstream.export.keras_to_onnx import convert
    from harstream.models import architectures
    from harstream.models.layers.sum_of_classes import with_label_scores

    keras.utils.set_random_seed(3)
    model = architectures.build(name, frames=FRAMES, height=64, width=64, classes=len(label_of))
    model = with_label_scores(model, label_of)
    random = np.random.default_rng(3)
    model.set_weights([weight + random.normal(0, 0.1, weight.shape) for weight in model.get_weights()])
    candidates = convert(model)
    whole = candidates.fused or candidates.plain
    if not candidates.parts:
        return {"model.onnx": whole}
    return {"model.onnx": whole, "encoder.onnx": candidates.parts[0], "head.onnx": candidates.parts[1]}


graphs_of = cache(converted)


@cache
def quantized(name: str, **options: tuple[int, ...]) -> dict[str, Any]:
    """Returns what `graphs_of` returns for the same values, quantized."""
    from harstream.export.formats import quantize_graphs

    return quantize_graphs(graphs_of(name, **options), WINDOWS)


def second_inputs(graph: Any, kind: str = "Conv") -> list[str]:
    """Returns the operation that makes the second input of each node of a kind, in the order of the graph."""
    makers = {output: node.op_type for node in graph.graph.node for output in node.output}
    return [makers.get(node.input[1], "float") for node in graph.graph.node if node.op_type == kind]


@pytest.mark.parametrize("name", ["lrcn", "cnn_tcn", "flow_tcn"])
def test_quantized_encoder_and_head_stay_close_to_the_float_ones(name: str) -> None:
    from harstream.export.verify import onnx_runner

    graphs = graphs_of(name)
    small = quantized(name)
    assert small["encoder.onnx"].ByteSize() < graphs["encoder.onnx"].ByteSize() / 2
    parts = ("encoder.onnx", "head.onnx")
    expected, scores = (onnx_runner(*(made[part] for part in parts))(WINDOWS) for made in (graphs, small))
    assert 0 < np.abs(scores - expected).max() < 0.1
    whole = onnx_runner(small["model.onnx"])(WINDOWS)
    assert 0 < np.abs(whole - expected).max() < 0.1


def test_all_convolutions_but_the_first_have_integer_weights() -> None:
    small = quantized("lrcn")
    assert second_inputs(small["encoder.onnx"]) == ["float", *["DequantizeLinear"] * 3]


def test_optical_flow_stays_float() -> None:
    encoder = quantized("flow_tcn")["encoder.onnx"]
    assert second_inputs(encoder) == ["float", *["DequantizeLinear"] * 4]
    products = second_inputs(encoder, "MatMul")
    assert len(products) > 20
    assert "DequantizeLinear" not in products


def test_probabilities_sum_to_one_if_classes_share_a_label() -> None:
    from harstream.export.verify import onnx_runner

    small = quantized("flow_tcn", label_of=(0, 1, 2, 2, 2))
    for graphs in ([small["encoder.onnx"], small["head.onnx"]], [small["model.onnx"]]):
        assert np.allclose(onnx_runner(*graphs)(WINDOWS).sum(axis=1), 1, atol=1e-5)


def test_a_head_with_an_lstm_stays_float() -> None:
    assert quantized("lrcn")["head.onnx"] is graphs_of("lrcn")["head.onnx"]


def test_a_convlstm_is_quantized_as_a_whole() -> None:
    from harstream.export.verify import onnx_runner

    graphs = graphs_of("convlstm")
    small = quantized("convlstm")
    assert small["model.onnx"].ByteSize() < graphs["model.onnx"].ByteSize()
    expected, scores = (onnx_runner(made["model.onnx"])(WINDOWS) for made in (graphs, small))
    assert 0 < np.abs(scores - expected).max() < 0.2


def test_the_graph_that_is_quantized_is_not_changed() -> None:
    from harstream.export.quantize import quantize

    graph = converted("lrcn")["encoder.onnx"]  # no other test has quantized it
    before = graph.SerializeToString()
    quantize(graph, list(WINDOWS))
    assert graph.SerializeToString() == before
    onnx.checker.check_model(graph)


def test_a_quantized_model_that_changes_labels_of_sure_windows_is_refused() -> None:
    from harstream.export.verify import OutputsDiffer, require_same_labels

    sure = np.tile(np.array([0.7, 0.2, 0.1], np.float32), (10, 1))
    unsure = np.tile(np.array([0.4, 0.35, 0.25], np.float32), (30, 1))
    expected = np.concatenate([sure, unsure])
    scores = expected.copy()
    scores[10:] = [0.3, 0.4, 0.3]  # Keras is sure of none of these
    scores[0] = [0.2, 0.7, 0.1]
    require_same_labels(expected, scores)  # 9 of 10
    scores[1] = [0.2, 0.7, 0.1]
    with pytest.raises(
        OutputsDiffer, match="keep the label of 8 of 10 windows of which Keras is sure, but 90% is expected"
    ):
        require_same_labels(expected, scores)
