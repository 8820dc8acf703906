"""The hand-built graph of optical flow gives the results of the Keras layer."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from harstream.export.convlstm_graph import OPSET
from harstream.export.keras_to_onnx import convert
from harstream.export.optical_flow_graph import flow_graph
from harstream.export.verify import largest_difference, session
from harstream.models import architectures
from harstream.models.layers.optical_flow import OpticalFlow

pytestmark = pytest.mark.training


def moved(height: int, width: int) -> np.ndarray:
    """Returns five pairs of pictures (5, 2, height, width, 3). In all but the first pair, the second picture is moved
    and lighter, and a part of it moves differently."""
    random = np.random.default_rng(4)
    coarse = random.uniform(0, 220, (5, height // 4 + 3, width // 4 + 3, 3))
    fine = coarse.repeat(4, axis=1).repeat(4, axis=2) + random.normal(0, 6, (5, height + 12, width + 12, 3))
    shifts = [(0, 0), (1, 0), (0, 2), (3, 1), (5, 4)]
    pairs = [
        (picture[:height, :width], picture[down : height + down, across : width + across] + 3 * min(down, 1))
        for picture, (down, across) in zip(fine, shifts, strict=True)
    ]
    both = np.clip(np.array(pairs), 0, 255).astype(np.uint8)
    both[1:, 1, 18:38, 20:40] = both[1:, 0, 20:40, 21:41]
    return both


@pytest.mark.parametrize("size", [(64, 64), (48, 96)])
def test_flow_graph_equals_the_layer(size: tuple[int, int]) -> None:
    pairs = moved(*size)
    expected = np.asarray(OpticalFlow()(pairs))
    graph = session(flow_graph(*size, opset=OPSET, ir_version=8))
    found = graph.run(None, {"frames": pairs})[0]
    assert found.shape == expected.shape == (5, *size, 9)
    assert np.ptp(expected[1:], axis=(0, 1, 2)).min() > 0.5
    assert np.abs(found - expected).max() < 1e-3  # without an edge, both divide by nearly 0
    assert np.abs(found - expected).mean() < 1e-6


@pytest.mark.parametrize("name", ["flow_tcn", "lrcn_flow"])
def test_a_model_with_optical_flow_is_exported(name: str) -> None:
    model = architectures.build(name, frames=5, height=64, width=64, classes=3)
    windows = moved(64, 64).repeat(3, axis=1)[:, :5]
    candidates = convert(model)
    assert candidates.parts is not None
    encoder, _ = candidates.parts
    assert any(node.op_type == "Tanh" for node in encoder.graph.node)
    assert candidates.fused is not None
    for graph in (encoder, candidates.fused):
        assert len(graph.graph.node) < 0.8 * len(candidates.plain.graph.node)
    expected = np.asarray(model.predict(windows, verbose=0))
    for graphs in (candidates.parts, [candidates.fused]):
        assert largest_difference(expected, windows, *graphs) < 1e-4
