"""An ONNX file that would take too much memory, or read foreign files, is refused before a runtime opens it."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from harstream.models.catalogue import PERSON_DETECTOR, TRAINED
from harstream.models.onnx_file import UnsafeOnnxFile, check_onnx_file


def written(file: Path, nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto]) -> Path:
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    onnx.save(helper.make_model(helper.make_graph(nodes, "graph", [], [out], constants)), str(file))
    return file


def external(location: str) -> onnx.TensorProto:
    tensor = numpy_helper.from_array(np.zeros(2, np.float32), "weights")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return tensor


@pytest.mark.parametrize(
    "file",
    [PERSON_DETECTOR, *sorted(TRAINED.glob("*/*.onnx"))],
    ids=lambda file: f"{file.parent.name}/{file.name}",
)
def test_shipped_files_are_accepted(file: Path) -> None:
    check_onnx_file(file)


@pytest.mark.parametrize("packed", [True, False])
def test_a_small_file_that_fills_gigabytes_is_refused(tmp_path: Path, packed: bool) -> None:
    shape = np.array([60_000, 60_000])
    tensor = numpy_helper.from_array(shape, "shape")
    if packed:
        tensor = helper.make_tensor("shape", TensorProto.INT64, [2], shape.tolist())
    file = written(tmp_path / "a.onnx", [helper.make_node("ConstantOfShape", ["shape"], ["out"])], [tensor])
    with pytest.raises(UnsafeOnnxFile, match=r"ConstantOfShape to the shape \[60000, 60000\]"):
        check_onnx_file(file)


def test_a_fill_inside_a_condition_is_refused(tmp_path: Path) -> None:
    shape = helper.make_node("Constant", [], ["shape"], value=numpy_helper.from_array(np.array([2**40])))
    inner_out = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
    inner = helper.make_graph([shape, helper.make_node("Expand", ["one", "shape"], ["x"])], "inner", [], [inner_out])
    node = helper.make_node("If", ["is"], ["out"], then_branch=inner, else_branch=inner)
    with pytest.raises(UnsafeOnnxFile, match="Expand to the shape"):
        check_onnx_file(written(tmp_path / "a.onnx", [node], []))


def test_a_constant_that_says_that_it_is_huge_is_refused(tmp_path: Path) -> None:
    tensor = TensorProto(name="weights", dims=[2**20, 2**20], data_type=TensorProto.FLOAT, raw_data=b"1234")
    with pytest.raises(UnsafeOnnxFile, match=r"'weights' of shape \[1048576, 1048576\]"):
        check_onnx_file(written(tmp_path / "a.onnx", [helper.make_node("Identity", ["weights"], ["out"])], [tensor]))


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "link.bin", "..\\weights.bin"])
def test_external_data_outside_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "link.bin").symlink_to(tmp_path / "weights.bin")
    file = written(tmp_path / "model" / "a.onnx", [], [external(location)])
    with pytest.raises(UnsafeOnnxFile, match="external data in the model's folder"):
        check_onnx_file(file)


def test_external_data_inside_the_folder_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(8))
    check_onnx_file(written(tmp_path / "a.onnx", [], [external("weights.bin")]))


def test_no_damage_to_a_file_gives_another_error(tmp_path: Path) -> None:
    good = (TRAINED / "lrcn" / "encoder.onnx").read_bytes()
    chance = random.Random(1)
    file = tmp_path / "a.onnx"
    for _ in range(100):
        bad = bytearray(good[: chance.choice([len(good), chance.randrange(len(good))])])
        for _ in range(20):
            bad[chance.randrange(min(len(bad), 4000))] = chance.randrange(256)
        file.write_bytes(bad)
        with suppress(UnsafeOnnxFile):
            check_onnx_file(file)
