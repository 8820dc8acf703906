"""A small model of encoder and head with known rows: the powers of a frame's mean brightness."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnx.parser
import pytest

from harstream.export.window_graph import attach_contract, of_windows
from harstream.models.contract import ModelContract

BRIGHTNESS = ModelContract(
    name="brightness", version="1.0.0", labels=("Dark", "Light"), background=("Dark",), frames=5, height=8, width=8,
    rate=10.0, unknown_threshold=0.6,
)  # fmt: skip

VERSIONS = '<ir_version: 8, opset_import: ["" : 17]>'
ENCODER = f"""{VERSIONS}
    encoder (uint8[N, 8, 8, 3] frames) => (float[N, 3] rows) <float full = {{255}}, int64[2] column = {{-1, 1}}> {{
        float_ = Cast<to = 1>(frames)
        levels = ReduceMean<axes = [1, 2, 3], keepdims = 0>(float_)
        shares = Div(levels, full)
        one = Reshape(shares, column)
        two = Mul(one, one)
        three = Mul(two, one)
        rows = Concat<axis = 1>(one, two, three)
    }}"""
HEAD = f"""{VERSIONS}
    head (float[N, 5, 3] rows) => (float[N, 2] scores) <
        float[3, 2] weights = {{0, 40, 0, 0, 0, 0}}, float[2] bias = {{0, -32}}
    > {{
        mean = ReduceMean<axes = [1], keepdims = 0>(rows)
        logits = Gemm(mean, weights, bias)
        scores = Softmax<axis = 1>(logits)
    }}"""


@pytest.fixture(scope="session")
def row_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that recognizes Light above 80 % of full brightness."""
    return write_row_model(tmp_path_factory.mktemp("brightness"))


def write_row_model(folder: Path, contract: ModelContract = BRIGHTNESS, encoder: str = ENCODER) -> Path:
    encoder_graph, head = onnx.parser.parse_model(encoder), onnx.parser.parse_model(HEAD)
    for name, graph in (("encoder", encoder_graph), ("head", head), ("model", of_windows(encoder_graph, head))):
        onnx.save(attach_contract(graph, contract), folder / f"{name}.onnx")
    return folder
