"""Runs a causal network in the TFLite format on the CPU, with LiteRT or TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harstream.models.catalogue import ModelFiles
from harstream.models.transform import to_model_input
from harstream.stream.recognition.litert import PROVIDER, lite_contract, lite_interpreter
from harstream.stream.recognition.protocols import State
from harstream.wire.errors import ModelError

IMAGE, LOGITS = "image", "logits"
"""The frame (1, 1, H, W, 3) and the logits (1, F) of the file's signature. All other tensors are the state: each goes
in and comes out by the same name."""


class CausalLitert:
    """An Engine and a CausalRecognizer over LiteRT. It is not thread-safe."""

    provider = PROVIDER
    parts = ()
    lookback = 0
    row_dtype: np.dtype[np.generic] = np.dtype(np.float32)

    def __init__(self, files: ModelFiles) -> None:
        """Take a file whose contract is that of a causal network.

        Raises ModelError if the file is broken, does not fit its contract, or no LiteRT is installed.
        """
        self.files = files
        self.contract = lite_contract(files.whole)
        assert self.contract.causal
        self.row_shape: tuple[int, ...] = (len(self.contract.labels),)
        self._label_of = np.array(self.contract.causal.outputs)
        self._interpreter = lite_interpreter(files.whole)  # kept, because its signature does not keep it alive
        try:
            self._run = self._interpreter.get_signature_runner()
        except ValueError as error:
            raise ModelError(f"{files.whole} must have one signature, as a causal network has") from error
        self._inputs, self._outputs = self._run.get_input_details(), self._run.get_output_details()
        self._check(self._inputs, self._outputs)
        self._empty = {
            name: np.zeros(tensor["shape"], _numbers(tensor)) for name, tensor in self._inputs.items() if name != IMAGE
        }

    def step(self, frame: NDArray[np.uint8], state: State | None) -> tuple[NDArray[np.float32], State]:
        """Turn a model frame (H, W, 3) RGB and the state before it, None at first, into scores (K,) and a new state."""
        seen = to_model_input(frame, self.contract.channels, self.contract.normalisation)
        inputs = {IMAGE: seen[np.newaxis, np.newaxis], **(self._empty if state is None else state)}
        raw = self._run(**{name: _quantized(values, self._inputs[name]) for name, values in inputs.items()})
        outputs = {name: _dequantized(values, self._outputs[name]) for name, values in raw.items()}
        logits = outputs.pop(LOGITS)[0]
        shares = np.exp(logits - logits.max())
        scores = np.bincount(self._label_of, shares / shares.sum(), len(self.contract.labels))
        return scores.astype(np.float32), outputs

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Turn model frames (N, H, W, 3) RGB into rows (N, K), each as if it were the first frame."""
        return np.stack([self.step(frame, None)[0] for frame in frames])

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the last of the rows (N, frames, K): the scores (N, K) after the newest frame."""
        return np.asarray(windows[:, -1], dtype=np.float32)

    def _check(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        contract, file = self.contract, self.files.whole
        if inputs.keys() - {IMAGE} != outputs.keys() - {LOGITS} or IMAGE not in inputs or LOGITS not in outputs:
            raise ModelError(
                f"{file} is no causal network: it must have the input {IMAGE!r}, the output {LOGITS!r}, and each "
                "tensor of its state as input and output"
            )
        expected = {
            IMAGE: (inputs[IMAGE], (1, 1, contract.height, contract.width, 3), contract.input_dtype),
            LOGITS: (outputs[LOGITS], (1, len(self._label_of)), np.dtype(np.float32)),
        } | {
            name: (outputs[name], tuple(tensor["shape"]), _numbers(tensor))
            for name, tensor in inputs.items()
            if name != IMAGE
        }
        for name, (tensor, shape, dtype) in expected.items():
            if tuple(tensor["shape"]) != shape or _numbers(tensor) != dtype:
                raise ModelError(
                    f"{file} does not fit its contract: {name} must have the shape {shape} and the type {dtype}, got "
                    f"{tuple(map(int, tensor['shape']))} and {_numbers(tensor)}"
                )


def _numbers(tensor: dict[str, Any]) -> np.dtype[np.generic]:
    """Return the type of what a tensor means. The integers of a quantized one mean floats."""
    scale, _ = tensor["quantization"]
    return np.dtype(np.float32 if scale else tensor["dtype"])


def _quantized(values: NDArray[Any], tensor: dict[str, Any]) -> NDArray[np.generic]:
    """Return what a tensor holds for these values. Only a quantized one holds something else."""
    scale, zero_point = tensor["quantization"]
    if not scale:
        return values
    limits = np.iinfo(tensor["dtype"])
    held = np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max)
    return np.asarray(held, dtype=limits.dtype)


def _dequantized(raw: NDArray[Any], tensor: dict[str, Any]) -> NDArray[np.generic]:
    """Return the values that a tensor means."""
    scale, zero_point = tensor["quantization"]
    return (raw.astype(np.float32) - np.float32(zero_point)) * np.float32(scale) if scale else raw
