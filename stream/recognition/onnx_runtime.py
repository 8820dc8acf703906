"""Runs a model on ONNX Runtime, on a GPU or the CPU, and reports which of them it uses.

`litert` and `causal_litert` run models in the TFLite format.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from harstream.models.catalogue import ModelFiles, ModelNotFound, find_model
from harstream.models.contract import ENCODER_KEY, ContractError, ModelContract, RowPart, contract_from_metadata
from harstream.models.transform import to_model_input
from harstream.stream.recognition.causal_litert import CausalLitert
from harstream.stream.recognition.cuda_graphs import BoundSession
from harstream.stream.recognition.litert import LitertRecognizer, lite_contract
from harstream.stream.recognition.onnx_session import CPU, Device, has_nvidia_driver, open_session, provider_of, reason
from harstream.stream.recognition.protocols import Engine, Recognizer
from harstream.stream.recognition.row_parts import black_window
from harstream.wire.errors import ModelError

Run = Callable[[NDArray[Any]], NDArray[Any]]
"""Takes a batch (N, ...) and returns a batch of results."""

log = logging.getLogger(__name__)


class RunMode(StrEnum):
    """How a session runs."""

    PLAIN = "plain"
    """Calls `session.run`, which takes arrays of any shape. On a GPU each run allocates memory and copies."""
    BOUND = "bound"
    """Uses buffers that stay on the device; see `cuda_graphs`."""
    REPLAYED = "replayed"
    """Uses such buffers and a CUDA graph, which launches all kernels of a run at once."""


class OnnxPart:
    """A PartEncoder over ONNX Runtime."""

    def __init__(self, file: Path, part: RowPart, device: Device, threads: int = 1) -> None:
        """Raises ModelError if the file is missing or broken, or does not fit the contract."""
        if not file.is_file():
            raise ModelError(f"the model's contract names the part {part.name}, but there is no file {file}")
        session = open_session(file, device, threads)
        _expect_one(session, file)
        source, target = session.get_inputs()[0], session.get_outputs()[0]
        self.every, self.size = part.every, (part.height, part.width)
        if source.type != "tensor(uint8)" or len(target.shape) != 2 or not isinstance(target.shape[1], int):
            raise ModelError(
                f"{file} must take pictures in uint8 and output vectors, got {source.type} and the shape {target.shape}"
            )
        _expect(file, "input", source.shape[1:], (*self.size, 3))
        self.length: int = target.shape[1]
        """D, how many numbers it adds to a row."""
        self._see = _run(session, file, RunMode.PLAIN)  # a loop over the pictures cannot be a CUDA graph

    @cached_property
    def blank(self) -> NDArray[np.float32]:
        (numbers,) = self.see(np.zeros((1, *self.size, 3), np.uint8))
        return np.asarray(numbers)

    def see(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn pictures (N, *size, 3) RGB uint8 into numbers (N, length)."""
        return np.asarray(self._see(pictures), dtype=np.float32)


class OnnxRecognizer:
    """An Engine over ONNX Runtime. It is not thread-safe.

    A model with an encoder and a head encodes each frame once. For any other model, a row is a frame.
    """

    def __init__(
        self, files: ModelFiles, device: Device = "auto", threads: int = 1, mode: RunMode | None = None
    ) -> None:
        """`mode`: None is plain on the CPU, replayed on a GPU.

        `threads`: CPU threads. Two threads gain little for small models (`python -m benchmarks --only batches`). On a
        busy machine they made the slowest tenth of the runs take twice as long.

        Raises ModelError if a file is broken, does not fit its contract, or `cuda` is asked for and not available.
        """
        self.files = files
        head_file = files.head or files.whole
        self._head = open_session(head_file, device, threads)
        self.contract = _contract(self._head, head_file)
        if self.contract.causal:
            raise ModelError(f"{head_file} says that it is a causal network, which must be a TFLite file")
        self._encoder = open_session(files.encoder, device, threads) if files.encoder else None
        _expect_one(self._head, head_file)
        _expect_encoder(self._head, files)
        if self._encoder and files.encoder:
            _expect_one(self._encoder, files.encoder)
        self.lookback = 1 if self._encoder and len(self._encoder.get_inputs()[0].shape) == 5 else 0
        self.parts = [OnnxPart(files.part(part.name), part, device, threads) for part in self.contract.parts]
        self.row_shape = self._checked_row_shape()
        self.row_dtype = np.dtype(np.float32 if self._encoder else np.uint8)
        _expect_type(self._encoder or self._head, files.encoder or head_file, self.contract)
        self._encode = _run(self._encoder, files.encoder, mode) if self._encoder and files.encoder else None
        self._score = _run(self._head, head_file, mode)

    @property
    def provider(self) -> str:
        """The device that runs the model: `CPU` or `CUDA`."""
        return provider_of(self._head)

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Turn model frames (N, H, W, 3) RGB into rows (N, *row_shape). With lookback, frames are pairs (N, 2, ...)."""
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
        if self.parts and len(rows) != 1:
            raise ModelError(f"a model with parts must have an encoder that outputs vectors, got the shape {rows}")
        rows = (rows[0] + sum(part.length for part in self.parts), *rows[1:])
        whole = self.files.head or self.files.whole
        _expect(whole, "input", self._head.get_inputs()[0].shape[1:], (contract.frames - self.lookback, *rows))
        _expect(whole, "output", self._head.get_outputs()[0].shape[1:], (len(contract.labels),))
        return rows


def open_model(files: ModelFiles, device: Device = "auto") -> Engine:
    """Open, check and warm up a model.

    Raises ModelError if a file is broken, does not fit its contract, does not output probabilities, or cannot run on
    the device.
    """
    if files.is_lite and device == "cuda":
        raise ModelError(f"{files.whole} is a model for small boards and runs only on the CPU: set device: auto or cpu")
    try:
        engine: Engine = _open_lite(files) if files.is_lite else OnnxRecognizer(files, device)
    except UnicodeDecodeError as error:  # ONNX Runtime decodes names and metadata when they are read
        raise ModelError(f"expected an ONNX model in {files.whole}, got one whose texts are not UTF-8") from error
    _warm_up(engine)
    return engine


def _open_lite(files: ModelFiles) -> Engine:
    if lite_contract(files.whole).causal:
        return CausalLitert(files)
    return LitertRecognizer(files)


def load_engine(name_or_path: str, device: Device = "auto") -> Engine:
    """Find and open a model that states a frame rate, as a stream needs. Raises ModelError."""
    try:
        recognizer = open_model(find_model(name_or_path), device)
        recognizer.contract.live_rate  # noqa: B018  (raises ContractError for a model without a rate)
    except (ModelNotFound, ContractError) as error:
        raise ModelError(str(error)) from error
    return recognizer


def warn_if_gpu_is_left_out(engine: Engine, device: Device) -> None:
    """Log a warning if `auto` chose the CPU although the machine has an NVIDIA driver."""
    if device == "auto" and engine.provider == CPU and has_nvidia_driver():
        log.warning(
            "there is an NVIDIA driver, but ONNX Runtime could not use the GPU and uses the CPU: "
            "install the CUDA libraries with `pip install 'harstream[cuda]'`, or set device: cpu to hide this warning"
        )


def _warm_up(recognizer: Recognizer) -> None:
    """Run once, as for one camera, so that the first window is not late.

    Raises ModelError if the model does not output probabilities.
    """
    try:
        scores = _scores_of_black(recognizer)
    except ModelError:
        raise
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise ModelError(f"the model {recognizer.contract.name} cannot run: {reason(error)}") from error
    if not (scores.min() >= 0 and abs(scores.sum() - 1) < 0.01):
        raise ModelError(
            f"the model {recognizer.contract.name} does not output probabilities: expected {len(scores)} scores from 0 "
            f"to 1 that sum to 1, as after a softmax, got {scores.min():.3g} to {scores.max():.3g}, "
            f"sum {scores.sum():.3g}"
        )


def _scores_of_black(recognizer: Recognizer) -> NDArray[np.float32]:
    """Return the scores (K,) of a window of black frames."""
    return np.asarray(recognizer.score(black_window(recognizer)[np.newaxis])[0])


def _run(session: onnxruntime.InferenceSession, file: Path, mode: RunMode | None) -> Run:
    on_gpu = provider_of(session) != CPU
    match mode or (RunMode.REPLAYED if on_gpu else RunMode.PLAIN):
        case RunMode.PLAIN:
            (source,) = session.get_inputs()
            return lambda values: np.asarray(session.run(None, {source.name: values})[0])
        case RunMode.BOUND:
            return BoundSession(session, "cuda" if on_gpu else "cpu", str(file))
        case RunMode.REPLAYED:
            open_with_graphs = partial(open_session, file, "cuda", has_cuda_graphs=True)
            return BoundSession(session, "cuda" if on_gpu else "cpu", str(file), open_with_graphs)


def _contract(session: onnxruntime.InferenceSession, file: Path) -> ModelContract:
    try:
        return contract_from_metadata(session.get_modelmeta().custom_metadata_map, str(file))
    except ContractError as error:
        raise ModelError(str(error)) from error


def _expect(file: Path | None, what: str, got: Sequence[object], expected: tuple[int, ...]) -> None:
    if tuple(got) != expected:
        raise ModelError(f"{file} does not fit its contract: {what} must have shape (N, {expected}), got (N, {got})")


def _expect_encoder(head: onnxruntime.InferenceSession, files: ModelFiles) -> None:
    """Check that a head stands beside the encoder that it was taught on. With another one, rows mean other things."""
    expected = head.get_modelmeta().custom_metadata_map.get(ENCODER_KEY)
    if expected and files.encoder and hashlib.sha256(files.encoder.read_bytes()).hexdigest() != expected:
        raise ModelError(
            f"{files.head} was taught on another encoder than {files.encoder}: teach again with `harstream teach fit`"
        )


def _expect_one(session: onnxruntime.InferenceSession, file: Path) -> None:
    """Check that a graph has one input and one output of numbers, for batches of any size."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(f"{file} must have one input and one output, got {len(inputs)} and {len(outputs)}")
    if not inputs[0].shape or isinstance(inputs[0].shape[0], int):
        raise ModelError(
            f"{file} must take batches of any size, got the input shape {inputs[0].shape}: export it with a free "
            "first dimension"
        )
    if outputs[0].type not in ("tensor(float)", "tensor(double)", "tensor(float16)"):
        raise ModelError(f"{file} must output floats, got {outputs[0].type}")


def _expect_type(session: onnxruntime.InferenceSession, file: Path, contract: ModelContract) -> None:
    got = session.get_inputs()[0].type
    expected = "tensor(uint8)" if contract.input_dtype == np.uint8 else "tensor(float)"
    if got != expected:
        raise ModelError(
            f"{file} does not fit its contract: for normalisation {contract.normalisation!r} its input must be "
            f"{expected}, got {got}: make it again with `harstream export`, or correct its contract"
        )
