"""A model on ONNX Runtime: on the GPU where there is one, on the CPU otherwise, and it says which it got.

Models in TFLite's format are handed on to stream.tflite.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.catalogue import ModelFiles, ModelNotFound, find_model
from models.contract import ContractError, ModelContract, contract_from_metadata
from stream.errors import ModelError
from stream.ports import Engine, Recognizer
from stream.tflite import LiteRecognizer

Device = Literal["auto", "cpu", "cuda"]


class OnnxRecognizer:
    """An Engine. Where the model has an encoder and a head, each frame is encoded once; otherwise a row is a frame.

    Not for several threads at once.
    """

    def __init__(self, files: ModelFiles, device: Device = "auto", threads: int = 1) -> None:
        """`threads`: on the CPU; two gain little for small models (`python -m benchmarks --only batches`), and a busy
        machine's slowest tenth was twice as slow. Raises ModelError if a file is broken, does not fit its contract, or
        `cuda` was asked for and not got."""
        self.files = files
        head_file = files.head or files.whole
        self._head = _session(head_file, device, threads)
        self.contract = _contract(self._head, head_file)
        self._encoder = _session(files.encoder, device, threads) if files.encoder else None
        self.lookback = 1 if self._encoder and len(self._encoder.get_inputs()[0].shape) == 5 else 0
        self.row_shape = self._checked_row_shape()
        self.row_dtype = np.dtype(np.float32 if self._encoder else np.uint8)

    @property
    def provider(self) -> str:
        """What really runs it: `CPU` or `CUDA`. ONNX Runtime falls back in silence and lists CUDA all the same."""
        return str(self._head.get_providers()[0]).removesuffix("ExecutionProvider")

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Model frames (N, H, W, 3) RGB to rows (N, *row_shape); with lookback (N, 2, H, W, 3), the earlier first."""
        if self._encoder is None:
            return frames
        return np.asarray(self._encoder.run(None, {"frames": frames})[0])

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        """Windows of rows (N, contract.frames - lookback, *row_shape) to scores (N, K)."""
        name = "rows" if self._encoder else "frames"
        return np.asarray(self._head.run(None, {name: windows})[0], dtype=np.float32)

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
    """What `encode` takes for consecutive model frames (n, H, W, 3): these, or n - 1 pairs (n - 1, 2, H, W, 3)."""
    return np.stack([frames[:-1], frames[1:]], axis=1) if lookback else frames


def open_model(files: ModelFiles, device: Device = "auto") -> Engine:
    """Raises ModelError if a file is broken, does not fit its contract, or cannot run on the device."""
    if not files.is_lite:
        return OnnxRecognizer(files, device)
    if device == "cuda":
        raise ModelError(f"{files.whole} is for small boards and runs on the CPU only: set device: auto or cpu")
    return LiteRecognizer(files)


def load(name_or_path: str, device: Device = "auto") -> Engine:
    """Find, load, check and warm up a model. Raises ModelError."""
    try:
        recognizer = open_model(find_model(name_or_path), device)
        recognizer.contract.live_rate  # noqa: B018  (a model without a rate cannot watch a stream)
    except (ModelNotFound, ContractError) as error:
        raise ModelError(str(error)) from error
    _warm_up(recognizer)
    return recognizer


def has_nvidia_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _warm_up(recognizer: Recognizer) -> None:
    """Run once, so that the first real window is not late."""
    contract = recognizer.contract
    frames = np.zeros((contract.frames, contract.height, contract.width, 3), dtype=np.uint8)
    recognizer.score(recognizer.encode(with_lookback(frames, recognizer.lookback))[None])


def _session(file: Path, device: Device, threads: int) -> onnxruntime.InferenceSession:
    providers = ["CPUExecutionProvider"]
    if device == "cuda" or (device == "auto" and has_nvidia_driver()):
        if hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()  # finds the CUDA libraries that pip installed
        providers.insert(0, "CUDAExecutionProvider")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without it, 8-bit models overflow in silence on x86 CPUs that lack VNNI instructions. Source: ONNX Runtime,
    # onnxruntime_session_options_config_keys.h.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 4
    onnxruntime.set_default_logger_severity(4)
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=providers)
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise ModelError(f"expected an ONNX model in {file}, ONNX Runtime says: {_first_line(error)}") from error
    if device == "cuda" and session.get_providers()[0] != "CUDAExecutionProvider":
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


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
