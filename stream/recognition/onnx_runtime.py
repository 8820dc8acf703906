"""Runs a model on ONNX Runtime, on the GPU where there is one and otherwise on the CPU, and says which it got.

Models in the TFLite format are run by `litert`.
"""

from __future__ import annotations

import ctypes
import io
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from harstream.models.catalogue import ModelFiles, ModelNotFound, find_model
from harstream.models.contract import ContractError, ModelContract, contract_from_metadata
from harstream.models.transform import to_model_input
from harstream.stream.recognition.cuda_graphs import BoundSession
from harstream.stream.recognition.litert import LitertRecognizer
from harstream.stream.recognition.protocols import Engine, Recognizer
from harstream.wire.errors import ModelError

Device = Literal["auto", "cpu", "cuda"]
Run = Callable[[NDArray[Any]], NDArray[Any]]
"""Takes a batch (N, ...) and returns a batch of results."""

CPU = "CPU"

log = logging.getLogger(__name__)


class Way(StrEnum):
    """How a session is run."""

    PLAIN = "plain"
    """By `session.run`, which takes arrays of any shape. On a GPU it allocates memory and copies each time."""
    BOUND = "bound"
    """Over buffers that stay on the device; see `cuda_graphs`."""
    REPLAYED = "replayed"
    """Over such buffers and as a CUDA graph: all kernels of a run are launched at once."""


class OnnxRecognizer:
    """An Engine. Of a model with an encoder and a head, each frame is encoded once; otherwise a row is a frame.

    It is not for several threads at once.
    """

    def __init__(self, files: ModelFiles, device: Device = "auto", threads: int = 1, way: Way | None = None) -> None:
        """`threads`: CPU threads. Two gain little for small models (`python -m benchmarks --only batches`), and on a
        busy machine the slowest tenth of the runs took twice as long. `way`: None for plain on the CPU, replayed on a
        GPU.

        Raises ModelError if a file is broken, does not fit its contract, or `cuda` is asked for and not available.
        """
        self.files = files
        head_file = files.head or files.whole
        self._head = _session(head_file, device, threads)
        self.contract = _contract(self._head, head_file)
        self._encoder = _session(files.encoder, device, threads) if files.encoder else None
        self.lookback = 1 if self._encoder and len(self._encoder.get_inputs()[0].shape) == 5 else 0
        self.row_shape = self._checked_row_shape()
        self.row_dtype = np.dtype(np.float32 if self._encoder else np.uint8)
        self._encode = _run(self._encoder, files.encoder, way) if self._encoder and files.encoder else None
        self._score = _run(self._head, head_file, way)
        _expect_type(self._encoder or self._head, files.encoder or head_file, self.contract)

    @property
    def provider(self) -> str:
        """What really runs the model: `CPU` or `CUDA`. ONNX Runtime falls back to the CPU silently."""
        return _provider(self._head)

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Turn model frames (N, H, W, 3) RGB into rows (N, *row_shape); with lookback pairs (N, 2, H, W, 3)."""
        return self._encode(self._as_input(frames)) if self._encode else frames

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        """Turn windows of rows (N, contract.frames - lookback, *row_shape) into scores (N, K)."""
        seen = windows if self._encode else self._as_input(windows.astype(np.uint8, copy=False))
        return np.asarray(self._score(seen), dtype=np.float32)

    def _as_input(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return to_model_input(frames, self.contract.channels, self.contract.normalisation)

    def _checked_row_shape(self) -> tuple[int, ...]:
        contract, frame = self.contract, (self.contract.height, self.contract.width, 3)
        rows = frame
        if self._encoder:
            seen = (2, *frame) if self.lookback else frame
            _expect(self.files.encoder, "input", self._encoder.get_inputs()[0].shape[1:], seen)
            rows = tuple(self._encoder.get_outputs()[0].shape[1:])
        whole = self.files.head or self.files.whole
        _expect(whole, "input", self._head.get_inputs()[0].shape[1:], (contract.frames - self.lookback, *rows))
        _expect(whole, "output", self._head.get_outputs()[0].shape[1:], (len(contract.labels),))
        return rows


def with_lookback(frames: NDArray[np.uint8], lookback: int) -> NDArray[np.uint8]:
    """Return what `encode` takes for consecutive frames (n, H, W, 3): these, or pairs (n - 1, 2, H, W, 3)."""
    return np.stack([frames[:-1], frames[1:]], axis=1) if lookback else frames


def open_model(files: ModelFiles, device: Device = "auto") -> Engine:
    """Open, check and warm up a model.

    Raises ModelError if a file is broken, does not fit its contract, does not output probabilities, or cannot run on
    the device.
    """
    if files.is_lite and device == "cuda":
        raise ModelError(f"{files.whole} is for small boards and runs on the CPU only: set device: auto or cpu")
    engine: Engine = LitertRecognizer(files) if files.is_lite else OnnxRecognizer(files, device)
    _warm_up(engine)
    return engine


def load(name_or_path: str, device: Device = "auto") -> Engine:
    """Find and open a model that can watch a stream. Raises ModelError."""
    try:
        recognizer = open_model(find_model(name_or_path), device)
        recognizer.contract.live_rate  # noqa: B018  (raises for a model without a rate)
    except (ModelNotFound, ContractError) as error:
        raise ModelError(str(error)) from error
    return recognizer


def warn_if_gpu_is_left_out(engine: Engine, device: Device) -> None:
    """Log a warning where `auto` took the CPU although the machine has a GPU, which its owner expects to be used."""
    if device == "auto" and engine.provider == CPU and has_nvidia_driver():
        log.warning(
            "there is an NVIDIA driver, but ONNX Runtime could not use the GPU and took the CPU: "
            "`pip install 'harstream[cuda]'` brings the CUDA libraries; device: cpu ends this warning"
        )


def has_nvidia_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _warm_up(recognizer: Recognizer) -> None:
    """Run once, as for one camera, so that the first real window is not late.

    Raises ModelError if the model does not output probabilities.
    """
    contract, lookback = recognizer.contract, recognizer.lookback
    frames = np.zeros((1 + lookback, contract.height, contract.width, 3), dtype=np.uint8)
    row = recognizer.encode(with_lookback(frames, lookback))
    scores = recognizer.score(np.repeat(row[:, None], contract.frames - lookback, axis=1))[0]
    if not (scores.min() >= 0 and abs(scores.sum() - 1) < 0.01):
        raise ModelError(
            f"the model {contract.name} does not output probabilities: expected {len(scores)} scores from 0 to 1 that "
            f"sum to 1, as a softmax gives them, got {scores.min():.3g} to {scores.max():.3g}, sum {scores.sum():.3g}"
        )


def _run(session: onnxruntime.InferenceSession, file: Path, way: Way | None) -> Run:
    on_gpu = _provider(session) != CPU
    match way or (Way.REPLAYED if on_gpu else Way.PLAIN):
        case Way.PLAIN:
            (source,) = session.get_inputs()
            return lambda values: np.asarray(session.run(None, {source.name: values})[0])
        case Way.BOUND:
            return BoundSession(session, "cuda" if on_gpu else "cpu", str(file))
        case Way.REPLAYED:
            replaying = partial(_session, file, "cuda", has_cuda_graphs=True)
            return BoundSession(session, "cuda" if on_gpu else "cpu", str(file), replaying)


def _provider(session: onnxruntime.InferenceSession) -> str:
    return str(session.get_providers()[0]).removesuffix("ExecutionProvider")


def _session(
    file: Path, device: Device, threads: int = 1, *, has_cuda_graphs: bool = False
) -> onnxruntime.InferenceSession:
    providers: list[object] = ["CPUExecutionProvider"]
    if device == "cuda" or (device == "auto" and has_nvidia_driver()):
        # TF32 rounds factors to 10 bits. Models are verified, and their thresholds chosen, without it.
        wanted = {"use_tf32": "0", "enable_cuda_graph": str(int(has_cuda_graphs))}
        providers.insert(0, ("CUDAExecutionProvider", wanted))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without it, 8-bit models overflow silently on x86 CPUs without VNNI instructions. Source: ONNX Runtime,
    # onnxruntime_session_options_config_keys.h.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 4
    onnxruntime.set_default_logger_severity(4)
    try:
        with redirect_stdout(io.StringIO()):  # it reports a broken GPU on stdout, where events may go
            if len(providers) > 1 and hasattr(onnxruntime, "preload_dlls"):
                onnxruntime.preload_dlls()  # finds the CUDA libraries that pip installs
            session = onnxruntime.InferenceSession(str(file), options, providers=providers)
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise ModelError(f"expected an ONNX model in {file}, ONNX Runtime says: {_first_line(error)}") from error
    if device == "cuda" and _provider(session) == CPU:
        raise ModelError(
            "asked for CUDA, got the CPU: install the CUDA libraries with `pip install 'harstream[cuda]'` and an "
            "NVIDIA driver, or set device: auto; `harstream doctor` says more"
        )
    return session


def _contract(session: onnxruntime.InferenceSession, file: Path) -> ModelContract:
    try:
        return contract_from_metadata(session.get_modelmeta().custom_metadata_map, str(file))
    except ContractError as error:
        raise ModelError(str(error)) from error


def _expect(file: Path | None, what: str, got: Sequence[object], expected: tuple[int, ...]) -> None:
    if tuple(got) != expected:
        raise ModelError(f"{file} does not fit its contract: {what} must have shape (N, {expected}), got (N, {got})")


def _expect_type(session: onnxruntime.InferenceSession, file: Path, contract: ModelContract) -> None:
    got = session.get_inputs()[0].type
    expected = "tensor(uint8)" if contract.input_dtype == np.uint8 else "tensor(float)"
    if got != expected:
        raise ModelError(
            f"{file} does not fit its contract: for normalisation {contract.normalisation!r} its input must be "
            f"{expected}, got {got}: make it again with `harstream export`, or correct its contract"
        )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
