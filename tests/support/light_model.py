"""A model with known scores: it recognizes the activity Light in pictures that are not dark."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from harstream.models.contract import CONTRACT_KEY, ModelContract

LIGHT = ModelContract(
    name="light", version="1.0.0", labels=("Dark", "Light"), background=("Dark",), frames=5, height=8, width=8,
    rate=10.0, unknown_threshold=0.6,
)  # fmt: skip

QUICK = {"start_above": 0.5, "hold": 0.2, "gone": 0.3, "merge": 0.2, "update": 0.3, "smoothing": 0.1}
"""The section `activities` for films in which light and dark parts of a second are activities and pauses."""


class MakeModel(Protocol):
    """Writes a model that applies `last` to `labels` logits. It has no contract if `contract` is None."""

    def __call__(
        self, file: Path, contract: ModelContract | None = LIGHT, labels: int = 2, last: str = "Softmax"
    ) -> Path: ...


@pytest.fixture(scope="session")
def light_contract() -> ModelContract:
    return LIGHT


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    return write_model


@pytest.fixture(scope="session")
def light_model(tmp_path_factory: pytest.TempPathFactory, make_model: MakeModel) -> Path:
    return make_model(tmp_path_factory.mktemp("model") / "light.onnx")


def write_model(file: Path, contract: ModelContract | None = LIGHT, labels: int = 2, last: str = "Softmax") -> Path:
    shape = ["N", LIGHT.frames, LIGHT.height, LIGHT.width, 3]
    weights = np.zeros((1, labels), np.float32)
    weights[0, -1] = 60 / 255
    bias = np.zeros(labels, np.float32)
    bias[-1] = -9
    nodes = [
        helper.make_node("Cast", ["frames"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[1, 2, 3, 4], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "axis"], ["column"]),
        helper.make_node("MatMul", ["column", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node(last, ["sum"], ["scores"], axis=1),
    ]
    constants = {"axis": np.array([1]), "weights": weights, "bias": bias}
    graph = helper.make_graph(
        nodes,
        "light",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", labels])],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    if contract is not None:
        helper.set_model_props(model, {CONTRACT_KEY: contract.to_json()})
    onnx.save(model, str(file))
    return file
