"""ONNX Runtime runs models as their contracts say. A contract that it cannot meet is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from harstream.models.catalogue import find_model
from harstream.models.contract import CONTRACT_KEY, ModelContract, Normalisation
from harstream.stream.recognition.onnx_runtime import OnnxRecognizer, load_engine, open_model
from harstream.stream.recognition.row_parts import with_lookback
from harstream.wire.errors import ModelError

CONTRACT = ModelContract("first", "1", ("Low", "High"), frames=2, height=2, width=2, rate=10.0)
RED = np.broadcast_to(np.array([255, 0, 0], np.uint8), (2, 2, 2, 3))
"""A window of red frames, in RGB."""


def first_channel_model(file: Path, element: int, contract: dict[str, Any]) -> Path:
    """Writes a model that scores (1 - s, s), where s is the sigmoid of the mean of the first input channel."""
    nodes = [
        helper.make_node("Cast", ["frames"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Slice", ["float", "zero", "one", "last"], ["first"]),
        helper.make_node("ReduceMean", ["first"], ["mean"], axes=[1, 2, 3, 4], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("Sigmoid", ["column"], ["high"]),
        helper.make_node("Sub", ["unit", "high"], ["low"]),
        helper.make_node("Concat", ["low", "high"], ["scores"], axis=1),
    ]
    constants = {"zero": [0], "one": [1], "last": [4], "unit": [[1.0]]}
    arrays = {name: np.array(value, np.float32 if name == "unit" else np.int64) for name, value in constants.items()}
    graph = helper.make_graph(
        nodes,
        "first",
        [helper.make_tensor_value_info("frames", element, ["N", 2, 2, 2, 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 2])],
        [onnx.numpy_helper.from_array(value, name) for name, value in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    helper.set_model_props(model, {CONTRACT_KEY: json.dumps(contract)})
    onnx.save(model, str(file))
    return file


def written(file: Path, element: int, **changes: Any) -> Path:
    return first_channel_model(file, element, json.loads(CONTRACT.to_json()) | changes)


def high(file: Path) -> float:
    """Returns the mean that the model sees in its first channel, for a red window."""
    recognizer = open_model(find_model(str(file)), "cpu")
    score = float(recognizer.score(recognizer.encode(RED)[None])[0, 1])
    return float(np.log(score / (1 - score)))


@pytest.mark.parametrize(
    ("normalisation", "red", "none"), [("0 to 1", 1.0, 0.0), ("-1 to 1", 1.0, -1.0)]
)  # fmt: skip
def test_a_model_of_floats_gets_its_range_and_its_colour_order(
    tmp_path: Path, normalisation: str, red: float, none: float
) -> None:
    rgb = written(tmp_path / "rgb.onnx", TensorProto.FLOAT, normalisation=normalisation)
    bgr = written(tmp_path / "bgr.onnx", TensorProto.FLOAT, normalisation=normalisation, channels="BGR")
    assert high(rgb) == pytest.approx(red, abs=1e-5)
    assert high(bgr) == pytest.approx(none, abs=1e-5)


def test_a_model_of_levels_gets_its_colour_order(tmp_path: Path) -> None:
    bgr = OnnxRecognizer(find_model(str(written(tmp_path / "bgr.onnx", TensorProto.UINT8, channels="BGR"))), "cpu")
    rgb = OnnxRecognizer(find_model(str(written(tmp_path / "rgb.onnx", TensorProto.UINT8))), "cpu")
    assert bgr.score(RED[None])[0].tolist() == [0.5, 0.5]
    assert rgb.score(RED[None])[0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("element", "normalisation", "got"),
    [(TensorProto.FLOAT, "divide by 255", "tensor(float)"), (TensorProto.UINT8, "0 to 1", "tensor(uint8)")],
)
def test_an_input_type_that_differs_from_the_contract_is_refused(
    tmp_path: Path, element: int, normalisation: Normalisation, got: str
) -> None:
    file = written(tmp_path / "model.onnx", element, normalisation=normalisation)
    with pytest.raises(ModelError) as refused:
        load_engine(str(file), "cpu")
    assert all(part in str(refused.value) for part in (str(file), normalisation, f"got {got}", "harstream export"))


@pytest.mark.parametrize("change", [{"channels": "GRAY"}, {"normalisation": "imagenet"}, {"transform": "letterbox"}])
def test_a_contract_with_an_unknown_value_is_refused(tmp_path: Path, change: dict[str, str]) -> None:
    file = written(tmp_path / "model.onnx", TensorProto.UINT8, **change)
    for opened in (lambda: load_engine(str(file), "cpu"), lambda: OnnxRecognizer(find_model(str(file)), "cpu")):
        with pytest.raises(ModelError) as refused:
            opened()
        ((key, value),) = change.items()
        assert f"{key}: expected" in str(refused.value)
        assert repr(value) in str(refused.value)


def test_a_model_whose_shape_differs_from_its_contract_is_refused(tmp_path: Path) -> None:
    contract = json.loads(replace(CONTRACT, height=4).to_json())
    file = first_channel_model(tmp_path / "model.onnx", TensorProto.UINT8, contract)
    with pytest.raises(ModelError, match="does not fit its contract: input"):
        load_engine(str(file), "cpu")


def test_a_model_without_a_rate_can_be_opened_but_cannot_watch_a_stream(tmp_path: Path) -> None:
    file = written(tmp_path / "even.onnx", TensorProto.FLOAT, rate=None, normalisation="0 to 1")
    with pytest.raises(ModelError, match="spread evenly over each clip"):
        load_engine(str(file), "cpu")
    assert open_model(find_model(str(file)), "cpu").contract.rate is None


def test_an_unknown_model_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="flow_tcn"):
        load_engine("no-such-model", "cpu")


def test_a_file_that_is_no_model_is_refused_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "broken.onnx"
    file.write_bytes(b"no model at all")
    with pytest.raises(ModelError, match=r"expected an ONNX model in .*broken\.onnx"):
        load_engine(str(file), "cpu")


def test_frames_with_lookback_are_pairs_of_neighbours() -> None:
    frames = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1)
    assert with_lookback(frames, 0).ravel().tolist() == [0, 1, 2]
    assert with_lookback(frames, 1).reshape(2, 2).tolist() == [[0, 1], [1, 2]]


def graph_of(file: Path, sides: list[object], nodes: list[Any], inputs: tuple[str, ...] = ("frames",)) -> Path:
    contract = ModelContract("odd", "1", ("Low", "High"), frames=2, height=2, width=2)
    graph = helper.make_graph(
        nodes,
        "odd",
        [helper.make_tensor_value_info(name, TensorProto.UINT8, sides) for name in inputs],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    helper.set_model_props(model, {CONTRACT_KEY: contract.to_json()})
    onnx.save(model, str(file))
    return file


SCORES = [
    helper.make_node("Cast", ["frames"], ["float"], to=TensorProto.FLOAT),
    helper.make_node("Flatten", ["float"], ["flat"]),
    helper.make_node("Split", ["flat"], ["a", "b"], axis=1, name="split"),
    helper.make_node("Softmax", ["a"], ["scores"]),
]


@pytest.mark.parametrize(
    ("sides", "inputs", "expected"),
    [
        ([4, 2, 2, 2, 3], ("frames",), "batches of any size"),
        (["N", 2, 2, 2, 3], ("frames", "others"), "one input and one output, got 2 and 1"),
        (["N", 2, 2, 2, 3], ("frames",), "got"),
    ],
)
def test_a_graph_that_cannot_run_is_one_line(
    tmp_path: Path, sides: list[object], inputs: tuple[str, ...], expected: str
) -> None:
    file = graph_of(tmp_path / "odd.onnx", sides, SCORES, inputs)
    with pytest.raises(ModelError, match=expected) as caught:
        load_engine(str(file), "cpu")
    assert "\n" not in str(caught.value)


def test_a_model_with_texts_that_are_not_utf_8_is_one_line(tmp_path: Path) -> None:
    file = written(tmp_path / "a.onnx", TensorProto.UINT8)
    content = file.read_bytes()
    file.write_bytes(content.replace(b"harstream.contract", b"harstream.contrac\xff"))
    with pytest.raises(ModelError, match=r"a\.onnx.*texts are not UTF-8"):
        load_engine(str(file), "cpu")
