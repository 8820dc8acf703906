"""Runs a model in the TFLite format on the CPU of a small board, with LiteRT or TensorFlow."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from harstream.models.catalogue import ModelFiles
from harstream.models.contract import CONTRACT_KEY, LONGEST_TEXT, ContractError, ModelContract, contract_from_metadata
from harstream.models.transform import to_model_input
from harstream.wire.errors import ModelError

ENCODE, SCORE = "encode", "score"
"""The signatures of a file: frames (1, H, W, 3) or (1, 2, H, W, 3) -> rows (1, F); rows (1, n, F) -> scores (1, K).

They take one frame or window at a time. With a free batch size, LiteRT runs much of a large encoder three times slower.
"""

PROVIDER = "CPU, LiteRT"


class LitertRecognizer:
    """An Engine over LiteRT. It is not thread-safe."""

    provider = PROVIDER
    parts = ()

    def __init__(self, files: ModelFiles) -> None:
        """Raises ModelError if the file is broken, does not fit its contract, or no LiteRT is installed."""
        self.files = files
        self.contract = lite_contract(files.whole)
        self._interpreter = lite_interpreter(files.whole)  # kept, because its signatures do not keep it alive
        self._encode, self._score = (_signature(self._interpreter, name, files.whole) for name in (ENCODE, SCORE))
        seen = _shape(self._encode.get_input_details()["frames"])
        self.lookback = 1 if len(seen) == 4 else 0
        self.row_shape = _shape(self._encode.get_output_details()["rows"])
        self.row_dtype: np.dtype[np.generic] = np.dtype(np.float32)
        self._check(seen)

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Turn model frames (N, H, W, 3) RGB into rows (N, F). With lookback, frames are pairs (N, 2, H, W, 3)."""
        seen = to_model_input(frames, self.contract.channels, self.contract.normalisation)
        return np.concatenate([self._encode(frames=frame[None])["rows"] for frame in seen])

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        """Turn windows of rows (N, contract.frames - lookback, F) into scores (N, K) that sum to 1."""
        scores = np.concatenate([self._score(rows=rows[None])["scores"] for rows in windows])
        # An 8-bit model gives multiples of 1/256, whose sum differs from 1 by up to 0.02.
        return np.asarray(scores / scores.sum(axis=1, keepdims=True), dtype=np.float32)

    def _check(self, seen: tuple[int, ...]) -> None:
        contract = self.contract
        frame = (contract.height, contract.width, 3)
        expected = {
            "input of encode": (seen, (2, *frame) if self.lookback else frame),
            "input of score": (
                _shape(self._score.get_input_details()["rows"]),
                (contract.frames - self.lookback, *self.row_shape),
            ),
            "output of score": (_shape(self._score.get_output_details()["scores"]), (len(contract.labels),)),
        }
        if (got_type := self._encode.get_input_details()["frames"]["dtype"]) != contract.input_dtype:
            raise ModelError(
                f"{self.files.whole} does not fit its contract: for normalisation {contract.normalisation!r} its input "
                f"must be {contract.input_dtype}, got {np.dtype(got_type)}: make it again with `harstream export`"
            )
        for what, (got, wanted) in expected.items():
            if got != wanted:
                raise ModelError(
                    f"{self.files.whole} does not fit its contract: {what} must have shape {wanted}, got {got}"
                )


def lite_contract(file: Path) -> ModelContract:
    """Read the contract from the zip archive at the end of the file, where the TFLite format keeps attached files.

    Raises ModelError.
    """
    try:
        with ZipFile(file) as attached:
            entries = [entry for entry in attached.infolist() if entry.filename == CONTRACT_KEY]
            if any(entry.file_size > 4 * LONGEST_TEXT for entry in entries):
                raise ModelError(f"{file}: a contract must have at most {LONGEST_TEXT} characters")
            metadata = {entry.filename: attached.read(entry).decode() for entry in entries}
    except BadZipFile:
        metadata = {}
    except (OSError, UnicodeDecodeError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"expected a TFLite model in {file}: {error}") from error
    try:
        return contract_from_metadata(metadata, str(file))
    except ContractError as error:
        raise ModelError(str(error)) from error


def lite_interpreter(file: Path) -> Any:
    """Open a file for one thread. Raises ModelError if it is broken or no LiteRT is installed."""
    try:
        with warnings.catch_warnings(action="ignore"):  # TensorFlow's interpreter warns that LiteRT replaces it
            return _interpreter_class()(model_path=str(file), num_threads=1)
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"expected a TFLite model in {file}, LiteRT says: {str(error)[:200]}") from error


def _interpreter_class() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tensorflow.lite.python.interpreter import Interpreter
        except ImportError:
            raise ModelError("a .tflite model needs LiteRT: pip install ai-edge-litert") from None
    return Interpreter


def _signature(interpreter: Any, name: str, file: Path) -> Any:
    try:
        return interpreter.get_signature_runner(name)
    except ValueError as error:
        raise ModelError(f"{file} has no signature {name!r}: make it with `harstream export`") from error


def _shape(tensor: dict[str, Any]) -> tuple[int, ...]:
    """Return the shape without the batch axis, which is 1."""
    return tuple(int(length) for length in tensor["shape"][1:])
