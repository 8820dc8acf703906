"""A model whose rows have a part: it recognizes Red from the red of larger pictures, of which it sees every second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harstream.models.catalogue import ENCODER, HEAD, PART
from harstream.models.contract import CONTRACT_KEY, ModelContract, RowPart

EVERY = 2
SIZE = (16, 24)
RED = ModelContract(
    name="red", version="1.0.0", labels=("Other", "Red"), background=("Other",), frames=5, height=8, width=8,
    rate=10.0, unknown_threshold=0.6, parts=(RowPart("red", *SIZE, EVERY),),
)  # fmt: skip


def write_parts_model(folder: Path, contract: ModelContract = RED, *, part_size: tuple[int, int] = SIZE) -> Path:
    """Write encoder, part and head, without a graph of the whole window."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / ENCODER, _mean((contract.height, contract.width), channel=None))
    _write(folder / PART.format("red"), _mean(part_size, channel=0))
    head = _head(contract)
    helper.set_model_props(head, {CONTRACT_KEY: contract.to_json()})
    _write(folder / HEAD, head)
    return folder


def _mean(size: tuple[int, int], channel: int | None) -> onnx.ModelProto:
    """Pictures (N, *size, 3) -> the mean level (N, 1) from 0 to 1, of one colour or of all."""
    share = np.full((3, 1), 1 / 3, np.float32) if channel is None else np.eye(3, dtype=np.float32)[:, [channel]]
    nodes = [
        helper.make_node("Cast", ["pictures"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["mean", "share"], ["numbers"]),
    ]
    return _model(
        nodes, ("pictures", TensorProto.UINT8, ["N", *size, 3]), ("numbers", ["N", 1]), {"share": share / 255}
    )


def _head(contract: ModelContract) -> onnx.ModelProto:
    """Rows (N, frames, 2) -> scores (N, 2): Red by the mean of the part's number over the window."""
    weights = np.zeros((2, 2), np.float32)
    weights[1, 1] = 20
    nodes = [
        helper.make_node("ReduceMean", ["rows"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node("Softmax", ["sum"], ["scores"], axis=1),
    ]
    constants = {"weights": weights, "bias": np.array([0, -10], np.float32)}
    return _model(nodes, ("rows", TensorProto.FLOAT, ["N", contract.frames, 2]), ("scores", ["N", 2]), constants)


def _model(
    nodes: list[onnx.NodeProto],
    source: tuple[str, int, Sequence[str | int]],
    target: tuple[str, Sequence[str | int]],
    constants: dict[str, np.ndarray],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "part",
        [helper.make_tensor_value_info(*source)],
        [helper.make_tensor_value_info(target[0], TensorProto.FLOAT, target[1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def _write(file: Path, model: onnx.ModelProto) -> None:
    onnx.save(model, str(file))
