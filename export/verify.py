"""Is the exported graph the Keras model? And which of two graphs is faster?"""

from __future__ import annotations

import time

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

TOLERANCE = 1e-4
"""In probability. Keras's own float32 is off by up to 3e-5 against float64 (measured on noise with sharp weights)."""


class Differs(Exception):
    """An exported graph does not give what Keras gives."""


def session(proto: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """On one CPU thread, so that two graphs can be compared on a busy machine."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def largest_difference(
    expected: NDArray[np.float32],
    windows: NDArray[np.uint8],
    *graphs: onnx.ModelProto,
) -> float:
    """Run the whole-window graph, or encoder and head, on windows (N, T, H, W, 3) and compare with Keras's (N, K).

    In one batch and one by one. Raises Differs above TOLERANCE, or if another label comes out on top.
    """
    sessions = [session(graph) for graph in graphs]
    single = np.concatenate([_run(sessions, window[None]) for window in windows])
    together = _run(sessions, windows)
    difference = max(float(np.abs(scores - expected).max()) for scores in (single, together))
    top = np.sort(expected, axis=1)
    clear = top[:, -1] - top[:, -2] > 2 * TOLERANCE
    if difference > TOLERANCE or (single.argmax(1) != expected.argmax(1))[clear].any():
        raise Differs(
            f"the exported graph differs from Keras by {difference:.1e} in probability, allowed are "
            f"{TOLERANCE:.0e}: nothing was written"
        )
    return difference


def seconds_per_window(
    graph: onnx.ModelProto, rival: onnx.ModelProto, windows: NDArray[np.uint8]
) -> tuple[float, float]:
    """Median seconds of one window on one thread, for both graphs, measured in turns."""
    sessions = session(graph), session(rival)
    spent: tuple[list[float], list[float]] = ([], [])
    for window in windows[:32]:
        for runner, times in zip(sessions, spent, strict=True):
            start = time.perf_counter()
            _run([runner], window[None])
            times.append(time.perf_counter() - start)
    return float(np.median(spent[0][3:])), float(np.median(spent[1][3:]))


def _run(sessions: list[onnxruntime.InferenceSession], windows: NDArray[np.uint8]) -> NDArray[np.float32]:
    if len(sessions) == 1:
        return np.asarray(sessions[0].run(None, {"frames": windows})[0], dtype=np.float32)
    expected = sessions[0].get_inputs()[0].shape[1:]
    if len(expected) == windows.ndim - 1:  # the encoder sees a frame and the one before it
        windows = np.stack([windows[:, :-1], windows[:, 1:]], axis=2)
    rows = sessions[0].run(None, {"frames": windows.reshape(-1, *expected)})[0]
    return np.asarray(sessions[1].run(None, {"rows": rows.reshape(*windows.shape[:2], -1)})[0], dtype=np.float32)
