"""The code for CUDA graphs runs here with buffers of the CPU. These tests need no GPU."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from harstream.models.catalogue import find_model, shipped
from harstream.stream.recognition.cuda_graphs import MAX_BATCH, BoundSession
from harstream.stream.recognition.onnx_runtime import OnnxRecognizer, RunMode
from harstream.wire.errors import ModelError

CLOSE = 1e-6


def _session(file: Path | None) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])


def _frames(recognizer: OnnxRecognizer, count: int, seed: int) -> NDArray[np.uint8]:
    contract = recognizer.contract
    shape = (contract.height, contract.width, 3)
    seen = (count, 2, *shape) if recognizer.lookback else (count, *shape)
    return np.random.default_rng(seed).integers(0, 256, seen, dtype=np.uint8)


def _windows(recognizer: OnnxRecognizer, count: int, seed: int) -> NDArray[np.generic]:
    length = recognizer.contract.frames - recognizer.lookback
    rows = recognizer.encode(_frames(recognizer, count * length, seed))
    if recognizer.parts:
        (size,) = recognizer.row_shape
        numbers = np.random.default_rng(seed).random((len(rows), size - rows.shape[1]), np.float32)
        rows = np.concatenate([rows, numbers], axis=1)
    return rows.reshape(count, length, *recognizer.row_shape)


@pytest.mark.parametrize("name", shipped())
def test_bound_runs_repeatedly_give_the_results_of_plain_runs_at_any_batch_size(name: str) -> None:
    plain, bound = (OnnxRecognizer(find_model(name), "cpu", mode=mode) for mode in (RunMode.PLAIN, RunMode.BOUND))
    for seed, count in enumerate((1, 3, 8, 3, 1)):
        frames, windows = _frames(plain, count, seed), _windows(plain, count, seed)
        assert np.allclose(np.asarray(bound.encode(frames), float), np.asarray(plain.encode(frames), float), atol=CLOSE)
        np.testing.assert_allclose(bound.score(windows), plain.score(windows), atol=CLOSE)


def test_a_batch_larger_than_the_largest_is_run_in_pieces() -> None:
    plain, bound = (OnnxRecognizer(find_model("lrcn"), "cpu", mode=mode) for mode in (RunMode.PLAIN, RunMode.BOUND))
    frames = _frames(plain, 2 * MAX_BATCH + 5, seed=0)
    assert np.allclose(np.asarray(bound.encode(frames), float), np.asarray(plain.encode(frames), float), atol=CLOSE)


def test_results_stay_unchanged_when_the_next_batch_runs() -> None:
    bound = OnnxRecognizer(find_model("lrcn"), "cpu", mode=RunMode.BOUND)
    first = bound.encode(_frames(bound, 1, seed=0))
    kept = first.copy()
    assert not np.array_equal(bound.encode(_frames(bound, 1, seed=1)), kept)
    np.testing.assert_array_equal(first, kept)


def test_a_batch_of_another_shape_or_type_is_refused() -> None:
    head = BoundSession(_session(find_model("lrcn").head), "cpu", "head")
    with pytest.raises(ValueError, match=r"expected a batch of \(1, 19, 64\) float32, got \(1, 64, 19\) float32"):
        head(np.zeros((1, 64, 19), np.float32))
    with pytest.raises(ValueError, match="float64"):
        head(np.zeros((1, 19, 64)))


@pytest.fixture
def frames() -> NDArray[np.uint8]:
    recognizer = OnnxRecognizer(find_model("flow_tcn"), "cpu")
    return _frames(recognizer, 3, seed=0)


def _encoder(name: str) -> Path:
    file = find_model(name).encoder
    assert file is not None
    return file


def test_replays_are_used_if_they_give_the_results_of_plain_runs(
    frames: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    plain, opened = _session(_encoder("flow_tcn")), []

    def replaying() -> onnxruntime.InferenceSession:
        opened.append(_session(_encoder("flow_tcn")))
        return opened[0]

    bound = BoundSession(plain, "cpu", "flow_tcn", replaying)
    expected = plain.run(None, {"frames": frames})[0]
    for _ in range(2):
        np.testing.assert_allclose(bound(frames), expected, atol=CLOSE)
    bound(frames[:1])
    assert len(opened) == 1
    assert not caplog.records


def test_plain_runs_continue_after_one_warning_if_no_graph_can_be_recorded(
    frames: NDArray[np.uint8], caplog: pytest.LogCaptureFixture
) -> None:
    def replaying() -> onnxruntime.InferenceSession:
        raise ModelError("operation not permitted when stream is capturing")

    plain = _session(_encoder("flow_tcn"))
    bound = BoundSession(plain, "cpu", "flow_tcn", replaying)
    for count in (3, 1, 3):
        expected = plain.run(None, {"frames": frames[:count]})[0]
        np.testing.assert_allclose(bound(frames[:count]), expected, atol=CLOSE)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    line = record.getMessage()
    assert line.startswith("flow_tcn runs without CUDA graphs")
    assert line.endswith("operation not permitted when stream is capturing")


def test_replays_with_other_results_are_not_used(
    frames: NDArray[np.uint8], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = onnx.load(_encoder("flow_tcn"))
    weights = max(other.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    weights.raw_data = (np.frombuffer(weights.raw_data, np.float32) / 2).tobytes()
    onnx.save(other, tmp_path / "other.onnx")
    plain = _session(_encoder("flow_tcn"))
    bound = BoundSession(plain, "cpu", "flow_tcn", lambda: _session(tmp_path / "other.onnx"))
    for _ in range(2):
        np.testing.assert_allclose(bound(frames), plain.run(None, {"frames": frames})[0], atol=CLOSE)
    assert len(caplog.records) == 1
