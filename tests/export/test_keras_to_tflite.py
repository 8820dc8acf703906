"""TFLite files: the export writes them, and the stream runs them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.catalogue import find_model
from harstream.models.contract import ModelContract
from harstream.models.lite_file import append_contract
from harstream.stream.recognition.onnx_runtime import open_model
from harstream.stream.recognition.row_parts import with_lookback
from harstream.wire.errors import ModelError

pytestmark = pytest.mark.training

FRAMES = 6
CONTRACT = ModelContract("x", "1.0.0", ("a", "b", "c"), frames=FRAMES)


@pytest.fixture(scope="module")
def windows() -> NDArray[np.uint8]:
    return noise(5)


def noise(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (3, FRAMES, 64, 64, 3), dtype=np.uint8)


def built(name: str) -> Any:
    """Returns the same model in every run. Its weights are scaled so that scores differ between windows."""
    import keras

    from harstream.models import architectures

    keras.utils.set_random_seed(3)
    model = architectures.build(name, frames=FRAMES, height=64, width=64, classes=3)
    random = np.random.default_rng(3)
    model.set_weights(
        [weight + random.normal(0, 0.02 if name == "flow_tcn" else 0.1, weight.shape) for weight in model.get_weights()]
    )
    return model


def written(folder: Path, name: str, contract: ModelContract = CONTRACT) -> Any:
    from harstream.export.keras_to_tflite import convert_to_tflite

    model = built(name)
    (folder / "model.tflite").write_bytes(append_contract(convert_to_tflite(model, None), contract))
    return model


@pytest.mark.parametrize("name", ["lrcn", "lrcn_motion", "cnn_tcn", "flow_tcn"])
def test_a_stream_gets_the_scores_of_keras_from_the_file(name: str, windows: NDArray[np.uint8], tmp_path: Path) -> None:
    model = written(tmp_path, name)
    recognizer = open_model(find_model(str(tmp_path)))
    assert recognizer.contract == CONTRACT
    rows = np.stack([recognizer.encode(with_lookback(window, recognizer.lookback)) for window in windows])
    expected = model.predict(windows, verbose=0)
    assert np.ptp(expected, axis=0).max() > 1e-3
    np.testing.assert_allclose(recognizer.score(rows), expected, atol=1e-4)
    assert b"Flex" not in (tmp_path / "model.tflite").read_bytes()  # TensorFlow's own operations begin so


@pytest.mark.parametrize("name", ["lrcn", "cnn_tcn"])
def test_a_quantized_file_keeps_the_labels_of_sure_windows(name: str, windows: NDArray[np.uint8]) -> None:
    from harstream.export.keras_to_tflite import convert_to_tflite, tflite_runner

    model = built(name)
    content = convert_to_tflite(model, windows)
    assert len(content) < len(convert_to_tflite(model, None)) / 2
    scores, expected = tflite_runner(content)(windows), model.predict(windows, verbose=0)
    assert 0 < np.abs(scores - expected).max() < 0.1


def test_scores_of_a_quantized_file_sum_to_one(windows: NDArray[np.uint8], tmp_path: Path) -> None:
    from harstream.export.keras_to_tflite import convert_to_tflite, tflite_runner

    content = convert_to_tflite(built("lrcn"), windows)
    raw = np.concatenate([tflite_runner(content)(noise(seed)) for seed in range(20)])
    assert np.abs(raw.sum(axis=1) - 1).max() > 1e-3  # some sums of the interpreter do not equal 1
    windows = noise(int(np.abs(raw.sum(axis=1) - 1).argmax()) // 3)
    (tmp_path / "model.tflite").write_bytes(append_contract(content, CONTRACT))
    recognizer = open_model(find_model(str(tmp_path)))
    scores = recognizer.score(np.stack([recognizer.encode(window) for window in windows]))
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


def test_a_model_without_encoder_and_head_is_refused() -> None:
    from harstream.export.keras_to_tflite import NotConvertible, convert_to_tflite

    with pytest.raises(NotConvertible, match="convlstm is one graph"):
        convert_to_tflite(built("convlstm"), None)


def test_quantized_optical_flow_is_refused(windows: NDArray[np.uint8]) -> None:
    from harstream.export.keras_to_tflite import NotConvertible, convert_to_tflite

    with pytest.raises(NotConvertible, match="optical flow divides by 0"):
        convert_to_tflite(built("flow_tcn"), windows)


def test_an_operation_that_is_not_built_in_is_refused_in_one_line() -> None:
    from harstream.export.keras_to_tflite import NotConvertible, convert_to_tflite
    from harstream.models.encoder_and_head import ENCODER, HEAD, fold

    encoder = keras.Sequential(
        [keras.Input((8, 8, 3), dtype="uint8"), keras.layers.Rescaling(1 / 255), keras.layers.Flatten()], name=ENCODER
    )
    rows = keras.Input((FRAMES, 192))
    head = keras.Model(rows, keras.ops.erfinv(keras.layers.GlobalAveragePooling1D()(rows)), name=HEAD)
    with pytest.raises(NotConvertible) as refused:
        convert_to_tflite(fold(encoder, head, "strange"), None)
    assert str(refused.value).startswith("strange has an operation that is not built in: ")
    assert "\n" not in str(refused.value)


def test_a_file_that_does_not_fit_its_contract_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "lrcn", ModelContract("x", "1.0.0", ("a", "b"), frames=FRAMES))
    with pytest.raises(ModelError, match=r"output of score must have shape \(2,\), got \(3,\)"):
        open_model(find_model(str(tmp_path)))


def test_a_file_without_a_contract_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"TFL3 made by someone else")
    with pytest.raises(ModelError, match="no harstream contract"):
        open_model(find_model(str(tmp_path)))


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(append_contract(b"no model", CONTRACT))
    with pytest.raises(ModelError, match=r"expected a TFLite model in .*LiteRT says"):
        open_model(find_model(str(tmp_path)))


def test_the_error_without_litert_and_tensorflow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "lrcn")
    for module in ("ai_edge_litert", "ai_edge_litert.interpreter", "tensorflow.lite.python.interpreter"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModelError, match="pip install ai-edge-litert"):
        open_model(find_model(str(tmp_path)))


def test_a_gpu_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").touch()
    with pytest.raises(ModelError, match="runs only on the CPU"):
        open_model(find_model(str(tmp_path)), "cuda")
