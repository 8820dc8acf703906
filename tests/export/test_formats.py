"""Each export format gives the files to write and a function that runs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from harstream.models.contract import CONTRACT_KEY
from tests.support.light_model import LIGHT

pytestmark = pytest.mark.training

WINDOWS = np.stack([np.full((LIGHT.frames, 8, 8, 3), grey, np.uint8) for grey in (0, 38, 39, 255)])
"""The model of tests.support recognizes Light if the mean is above 9 * 255 / 60 = 38.25."""


@pytest.fixture
def graph(light_model: Path) -> onnx.ModelProto:
    return onnx.load(str(light_model))


def expected() -> NDArray[np.float32]:
    """Returns the softmax of (0, mean * 60 / 255 - 9)."""
    logits = WINDOWS.reshape(len(WINDOWS), -1).mean(axis=1) * 60 / 255 - 9
    light = 1 / (1 + np.exp(-logits))
    return np.stack([1 - light, light], axis=1).astype(np.float32)


def test_an_onnx_export_runs_the_graph_and_contains_the_contract(graph: onnx.ModelProto) -> None:
    from harstream.export.formats import as_onnx

    contract = replace(LIGHT, name="renamed")
    export = as_onnx({"model.onnx": graph}, contract)
    assert export.run(WINDOWS) == pytest.approx(expected(), abs=1e-5)
    written = onnx.load_model_from_string(export.contents["model.onnx"])
    assert {item.key: item.value for item in written.metadata_props}[CONTRACT_KEY] == contract.to_json()
    assert (export.loaded, export.size) == (("model.onnx",), len(export.contents["model.onnx"]))


def test_size_counts_only_the_files_that_a_stream_loads() -> None:
    from harstream.export.formats import Export

    contents = {"model.onnx": b"12345", "encoder.onnx": b"123", "head.onnx": b"1"}
    assert Export(contents, lambda windows: expected(), ("encoder.onnx", "head.onnx")).size == 4


def test_a_float_export_that_equals_keras_is_measured(graph: onnx.ModelProto) -> None:
    from harstream.export.formats import as_onnx, compare_with_float

    export = as_onnx({"model.onnx": graph}, LIGHT)
    smaller = replace(export, contents={"model.onnx": b"1234567"})
    found = compare_with_float(smaller, export, expected(), WINDOWS, is_float=True)
    assert found["difference_to_keras"] < 1e-5
    assert found["windows_with_the_label_of_keras"] == 4
    assert found["bytes"] == {"this": 7, "float ONNX": export.size}
    assert set(found["milliseconds_a_window"]) == {"this", "float ONNX"}


def test_a_float_export_that_differs_from_keras_is_refused(graph: onnx.ModelProto) -> None:
    from harstream.export.formats import as_onnx, compare_with_float
    from harstream.export.verify import OutputsDiffer

    export = as_onnx({"model.onnx": graph}, LIGHT)
    other = replace(export, run=lambda windows: export.run(windows)[:, ::-1])
    with pytest.raises(OutputsDiffer, match="differs from Keras"):
        compare_with_float(other, export, expected(), WINDOWS, is_float=True)


def test_an_integer_export_may_differ_as_long_as_sure_windows_keep_their_label(graph: onnx.ModelProto) -> None:
    from harstream.export.formats import as_onnx, compare_with_float
    from harstream.export.verify import OutputsDiffer

    export = as_onnx({"model.onnx": graph}, LIGHT)
    coarse = replace(export, run=lambda windows: np.where(export.run(windows) > 0.5, 0.9, 0.1).astype(np.float32))
    found = compare_with_float(coarse, export, expected(), WINDOWS, is_float=False)
    assert found["difference_to_keras"] == pytest.approx(0.9 - expected()[1, 0], abs=1e-5)  # the least sure window
    assert found["windows_with_the_label_of_keras"] == 4
    turned = replace(export, run=lambda windows: export.run(windows)[:, ::-1])
    with pytest.raises(OutputsDiffer, match="8-bit integers"):
        compare_with_float(turned, export, expected(), WINDOWS, is_float=False)
