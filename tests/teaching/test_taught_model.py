from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from harstream.models.catalogue import find_model
from harstream.stream.recognition.model import load
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.stream.teaching.taught_folder import EXPORT
from harstream.teaching.feature_graph import FeatureExtractor
from harstream.teaching.head_graph import TaughtPart
from harstream.teaching.taught_model import taught_contract, write_taught_model
from tests.support.parts_model import write_parts_model


def test_a_model_whose_rows_have_parts_is_taught(tmp_path: Path) -> None:
    base = find_model(str(write_parts_model(tmp_path / "red")))
    recognizer = load_engine(str(base.folder))
    windows = np.random.default_rng(1).random((3, recognizer.contract.frames, *recognizer.row_shape)).astype(np.float32)
    assert base.head
    D = FeatureExtractor(onnx.load(base.head))(windows).shape[1]
    always = TaughtPart(
        np.zeros(D, np.float32), np.ones(D, np.float32), np.zeros((D, 2), np.float32), np.array([0, 3], np.float32)
    )
    contract = taught_contract(recognizer.contract, ["Paint"])
    out = tmp_path / "taught"
    write_taught_model(out, base, always, contract, windows, {EXPORT: {}})
    assert sorted(file.name for file in out.iterdir()) == ["encoder.onnx", EXPORT, "head.onnx", "part_red.onnx"]
    red = np.zeros((recognizer.contract.frames, 40, 60, 3), np.uint8)
    red[..., 2] = 255
    scores, shipped = load(out)(red), load(base.folder)(red)
    assert scores["Paint"] == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-4)
    assert scores["Red"] == pytest.approx((1 - scores["Paint"]) * shipped["Red"], abs=1e-4)
