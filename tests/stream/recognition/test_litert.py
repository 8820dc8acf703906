"""TFLite models that cannot run are refused. The tests of the export run valid ones."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from harstream.models.catalogue import find_model
from harstream.models.contract import CONTRACT_KEY, ModelContract
from harstream.stream.recognition.litert import LitertRecognizer
from harstream.stream.recognition.onnx_runtime import open_model
from harstream.wire.errors import ModelError

CONTRACT = ModelContract("m", "1", ("Jump", "Walk"))


def with_contract(file: Path, text: str) -> Path:
    """Writes a file that has a contract at its end and no model."""
    with ZipFile(file, "w") as attached:
        attached.writestr(CONTRACT_KEY, text)
    return file


def test_a_file_without_a_contract_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"no model")
    with pytest.raises(ModelError, match="no harstream contract"):
        LitertRecognizer(find_model(str(tmp_path)))


def test_a_contract_with_an_unknown_value_is_refused(tmp_path: Path) -> None:
    text = json.dumps(json.loads(CONTRACT.to_json()) | {"normalisation": "imagenet"})
    with_contract(tmp_path / "model.tflite", text)
    with pytest.raises(ModelError, match="normalisation: expected"):
        open_model(find_model(str(tmp_path)))


def test_a_file_without_a_model_is_refused(tmp_path: Path) -> None:
    with_contract(tmp_path / "model.tflite", CONTRACT.to_json())
    with pytest.raises(ModelError, match=r"model\.tflite|pip install ai-edge-litert"):
        open_model(find_model(str(tmp_path)))


def test_a_tflite_model_does_not_run_on_a_gpu(tmp_path: Path) -> None:
    with_contract(tmp_path / "model.tflite", CONTRACT.to_json())
    with pytest.raises(ModelError, match="runs only on the CPU"):
        open_model(find_model(str(tmp_path)), "cuda")


def test_a_contract_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "model.tflite", "w", ZIP_DEFLATED) as attached:
        attached.writestr(CONTRACT_KEY, " " * 50_000_000)
    with pytest.raises(ModelError, match="a contract must have at most"):
        open_model(find_model(str(tmp_path)))
