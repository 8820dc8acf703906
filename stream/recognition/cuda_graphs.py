"""Runs a model on a GPU over fixed buffers, so that a run is recorded once as a CUDA graph and replayed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from harstream.wire.errors import ModelError

log = logging.getLogger(__name__)

MAX_BATCH = 64
"""The largest batch. Larger batches run in pieces. It limits device memory, and the number of shapes to seven."""
TOLERANCE = 1e-3
"""Tolerance between a replay and a plain run, absolute or relative. Their algorithms may differ."""

TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}


class BoundSession:
    """Runs batches (N, ...) through a model with one input and one output, padded to a power of two.

    Padding limits the number of shapes. For each shape, it allocates buffers and cuDNN searches for algorithms once.
    It is not thread-safe, because ONNX Runtime records a graph per thread.

    Source: ONNX Runtime, docs/execution-providers/CUDA-ExecutionProvider.md, "Using CUDA Graphs"
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        device: str,
        name: str,
        open_with_graphs: Callable[[], onnxruntime.InferenceSession] | None = None,
    ) -> None:
        """`device`: where the buffers are, `cuda` or `cpu`. `name`: the model's name in the log.

        `open_with_graphs` opens the same model with CUDA graphs. If that fails, or its scores differ from those of
        `session`, it logs a warning and `session` runs.
        """
        self._session = session
        self._device = device
        self._name = name
        self._open_with_graphs = open_with_graphs
        self._with_graphs: onnxruntime.InferenceSession | None = None
        self._bindings: dict[int, _Binding] = {}

    def __call__(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the results (N, ...), a new array. Raises ValueError for another shape or type."""
        pieces = [self._run(values[start : start + MAX_BATCH]) for start in range(0, len(values), MAX_BATCH)]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _run(self, values: NDArray[Any]) -> NDArray[Any]:
        size = 1 << (len(values) - 1).bit_length()
        padding = np.repeat(values[-1:], size - len(values), axis=0)
        padded = np.concatenate([values, padding]) if len(padding) else values
        if size not in self._bindings:
            self._bindings[size] = self._bind(padded)
        return self._bindings[size].run(padded)[: len(values)]

    def _bind(self, values: NDArray[Any]) -> _Binding:
        plain = _Binding(self._session, len(values), self._device)
        if self._open_with_graphs is None:
            return plain
        expected = plain.run(values)
        try:
            self._with_graphs = self._with_graphs or self._open_with_graphs()
            replayed = _Binding(self._with_graphs, len(values), self._device)
            replayed.run(np.zeros_like(values))  # the first run records; other values make the check meaningful
            if not np.allclose(replayed.run(values), expected, rtol=TOLERANCE, atol=TOLERANCE):
                raise ModelError("a replay differs from a plain run")
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            why = " ".join(str(error).split())[:200]
            log.warning("%s runs without CUDA graphs, which may be slower: %s", self._name, why)
            self._open_with_graphs = None
            # Batches of other sizes stop using the failed session, too. It stays open, because closing a session that
            # is still recording can end the process.
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
        self._options.add_run_config_entry("gpu_graph_id", str(size))  # has no effect without CUDA graphs

    def run(self, values: NDArray[Any]) -> NDArray[Any]:
        if values.shape != self._shape or values.dtype != self._type:  # update_inplace does not check
            expected, got = f"{self._shape} {self._type}", f"{values.shape} {values.dtype}"
            raise ValueError(f"expected a batch of {expected}, got {got}")
        self._input.update_inplace(values)
        self._session.run_with_iobinding(self._binding, self._options)
        return np.array(self._output.numpy())  # a copy: on the CPU, numpy() is the buffer that the next run overwrites
