"""Runs a model on a GPU with buffers that stay in place, so that a run is recorded once and replayed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from harstream.wire.errors import ModelError

log = logging.getLogger(__name__)

LARGEST = 64
"""The largest batch; larger ones are run in pieces. It bounds the memory on the device, and the shapes to seven."""
DIFFERENCE = 1e-3
"""The largest difference, absolute or relative, between a replay and a plain run, whose algorithms may differ."""

TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}


class BoundSession:
    """Runs batches (N, ...) through a model with one input and one output; each is padded to a power of two.

    Padding keeps the shapes few: for each shape, buffers are allocated and cuDNN looks for algorithms once. It is not
    for several threads at once, because ONNX Runtime records for the thread that runs.

    Source: ONNX Runtime, docs/execution-providers/CUDA-ExecutionProvider.md, "Using CUDA Graphs"
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        device: str,
        name: str,
        replaying: Callable[[], onnxruntime.InferenceSession] | None = None,
    ) -> None:
        """`device`: where the buffers are, `cuda` or `cpu`. `name`: the model's name in the log. `replaying` opens the
        same model with CUDA graphs, whose runs are then replayed. If that fails, or differs from `session`, a WARNING
        says so and `session` runs."""
        self._session = session
        self._device = device
        self._name = name
        self._open_replaying = replaying
        self._replaying: onnxruntime.InferenceSession | None = None
        self._bindings: dict[int, _Binding] = {}

    def __call__(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the results (N, ...), which belong to the caller. Raises ValueError for another shape or type."""
        pieces = [self._run(values[start : start + LARGEST]) for start in range(0, len(values), LARGEST)]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _run(self, values: NDArray[Any]) -> NDArray[Any]:
        size = 1 << (len(values) - 1).bit_length()
        padding = np.repeat(values[-1:], size - len(values), axis=0)
        padded = np.concatenate([values, padding]) if len(padding) else values
        if size not in self._bindings:
            self._bindings[size] = self._bound(padded)
        return self._bindings[size].run(padded)[: len(values)]

    def _bound(self, values: NDArray[Any]) -> _Binding:
        plain = _Binding(self._session, len(values), self._device)
        if self._open_replaying is None:
            return plain
        expected = plain.run(values)
        try:
            self._replaying = self._replaying or self._open_replaying()
            replayed = _Binding(self._replaying, len(values), self._device)
            replayed.run(np.zeros_like(values))  # recorded with other values than those of the check
            if not np.allclose(replayed.run(values), expected, rtol=DIFFERENCE, atol=DIFFERENCE):
                raise ModelError("a replay differs from a plain run")
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            why = " ".join(str(error).split())[:200]
            log.warning("%s runs without CUDA graphs, which may be slower: %s", self._name, why)
            self._open_replaying = None
            # Batches of other sizes leave the failed session, too. It stays open: closing a session that is still
            # recording can end the process.
            self._bindings.clear()
            return plain
        return replayed


class _Binding:
    """The input and output of a session at fixed addresses, for batches of one size."""

    def __init__(self, session: onnxruntime.InferenceSession, size: int, device: str) -> None:
        def buffer(argument: onnxruntime.NodeArg) -> onnxruntime.OrtValue:
            shape = [size, *argument.shape[1:]]
            return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, TYPES[argument.type], device)

        (source,), (target,) = session.get_inputs(), session.get_outputs()
        self._session = session
        self._shape, self._type = (size, *source.shape[1:]), np.dtype(TYPES[source.type])
        self._input, self._output = buffer(source), buffer(target)
        self._binding = session.io_binding()
        self._binding.bind_ortvalue_input(source.name, self._input)
        self._binding.bind_ortvalue_output(target.name, self._output)
        self._options = onnxruntime.RunOptions()
        self._options.add_run_config_entry("gpu_graph_id", str(size))  # without CUDA graphs it has no effect

    def run(self, values: NDArray[Any]) -> NDArray[Any]:
        if values.shape != self._shape or values.dtype != self._type:  # the copy would misread them
            expected, got = f"{self._shape} {self._type}", f"{values.shape} {values.dtype}"
            raise ValueError(f"expected a batch of {expected}, got {got}")
        self._input.update_inplace(values)
        self._session.run_with_iobinding(self._binding, self._options)
        return np.array(self._output.numpy())  # on the CPU it is the buffer, which the next run overwrites
