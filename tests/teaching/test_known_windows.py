"""The file of known footage fits the model beside it, or is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from harstream.models.catalogue import find_model
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.teaching.known_windows import FILE, KnownWindows, read_known_windows, write_known_windows
from harstream.wire.errors import ModelError
from tests.support.row_model import write_row_model


def test_features_are_read_as_they_were_written(tmp_path: Path) -> None:
    files = find_model(str(write_row_model(tmp_path)))
    assert read_known_windows(files) is None
    known = KnownWindows(np.arange(18, dtype=np.float32).reshape(3, 6), ("Küche", "walk", "Küche"))
    write_known_windows(files, known)
    read = read_known_windows(files)
    assert read is not None
    assert np.array_equal(read.features, known.features)
    assert read.classes == known.classes


def test_kinds_of_background_can_be_left_out() -> None:
    known = KnownWindows(np.arange(3, dtype=np.float32)[:, np.newaxis], ("sit", "walk", "sit"))
    assert known.without({"sit"}).classes == ("walk",)
    assert known.without({"sit"}).features.tolist() == [[1.0]]


def test_features_of_another_model_are_refused(tmp_path: Path, row_model: Path) -> None:
    files = find_model(str(write_row_model(tmp_path)))
    write_known_windows(files, KnownWindows(np.zeros((2, 6), np.float32), ("sit", "walk")))
    shutil.copyfile(Path(find_model("flow_tcn").folder, "head.onnx"), tmp_path / "head.onnx")
    with pytest.raises(ModelError, match="is of another model"):
        read_known_windows(files)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04"])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    files = find_model(str(write_row_model(tmp_path)))
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ModelError, match="got a broken file"):
        read_known_windows(files)


def test_the_default_model_brings_known_footage() -> None:
    files = find_model("flow_tcn")
    known = read_known_windows(files)
    assert known is not None
    assert known.features.shape == (len(known.classes), 512)
    assert set(known.classes) > set(load_engine("flow_tcn", "cpu").contract.activities)
