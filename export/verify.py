"""Checks that an exported graph computes what Keras computes, and measures its speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

TOLERANCE = 1e-4
"""Largest difference in probability. Keras in float32 differs from float64 by 3e-5 (on noise, with sharp weights)."""
SURE, SAME_LABEL = 0.2, 0.9
"""Keras is sure of a window if its first label leads by SURE. The share SAME_LABEL of these must keep their label in
8-bit integers. All tested models kept all labels; a broken model keeps as many as chance gives."""
TIMED = 32
"""Windows that are timed, after three that are not counted."""

Runner = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""A function of windows (N, T, H, W, 3) -> scores (N, K)."""


class OutputsDiffer(Exception):
    """An exported graph computes something else than Keras."""


def session(proto: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Open a session on one CPU thread, so that two graphs can be compared on a busy machine."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", "1")  # the same as in a stream
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def onnx_runner(*graphs: onnx.ModelProto) -> Runner:
    """Return a function that runs the whole-window graph, or encoder and head."""
    sessions = [session(graph) for graph in graphs]

    def run(windows: NDArray[np.uint8]) -> NDArray[np.float32]:
        if len(sessions) == 1:
            return np.asarray(sessions[0].run(None, {"frames": windows})[0], dtype=np.float32)
        frame = sessions[0].get_inputs()[0].shape[1:]
        frames = seen_by_encoder(windows, len(frame)).reshape(-1, *frame)
        rows = (
            sessions[0]
            .run(None, {"frames": frames})[0]
            .reshape(len(windows), -1, *sessions[1].get_inputs()[0].shape[2:])
        )
        return np.asarray(sessions[1].run(None, {"rows": rows})[0], dtype=np.float32)

    return run


def seen_by_encoder(windows: NDArray[np.uint8], axes: int) -> NDArray[np.uint8]:
    """Return the input of an encoder for windows (N, T, H, W, 3).

    With 3 axes per frame, the input is the windows. With 4 axes, it is pairs of frames (N, T - 1, 2, H, W, 3), and the
    earlier frame comes first.
    """
    return windows if axes == 3 else np.stack([windows[:, :-1], windows[:, 1:]], axis=2)


def largest_difference(
    expected: NDArray[np.float32],
    windows: NDArray[np.uint8],
    *graphs: onnx.ModelProto,
) -> float:
    """Run the whole-window graph, or encoder and head, on windows (N, T, H, W, 3) and compare with Keras's (N, K).

    Windows run in one batch and one by one. Raises OutputsDiffer above TOLERANCE, or if the top label changes.
    """
    return difference_of(onnx_runner(*graphs), expected, windows)


def difference_of(run: Runner, expected: NDArray[np.float32], windows: NDArray[np.uint8]) -> float:
    """Do the same as largest_difference for any runner."""
    single = np.concatenate([run(window[None]) for window in windows])
    together = run(windows)
    difference = max(float(np.abs(scores - expected).max()) for scores in (single, together))
    if difference > TOLERANCE or (single.argmax(1) != expected.argmax(1))[_lead(expected) > 2 * TOLERANCE].any():
        raise OutputsDiffer(
            f"the exported graph differs from Keras by {difference:.1e} in probability, but at most {TOLERANCE:.0e} is "
            "allowed: no file was written"
        )
    return difference


def require_same_labels(expected: NDArray[np.float32], scores: NDArray[np.float32]) -> None:
    """Raises OutputsDiffer if scores (N, K) change the label of too many windows of which Keras is sure."""
    is_sure = _lead(expected) > SURE
    same = (scores.argmax(1) == expected.argmax(1))[is_sure]
    if not is_sure.any() or same.mean() >= SAME_LABEL:
        return
    raise OutputsDiffer(
        f"8-bit integers keep the label of {same.sum()} of {len(same)} windows of which Keras is sure, but "
        f"{SAME_LABEL:.0%} is expected: no file was written"
    )


def seconds_per_window(runners: Sequence[Runner], windows: NDArray[np.uint8]) -> list[float]:
    """Return the median seconds per window on one thread. The functions take turns, so load affects all."""
    spent: list[list[float]] = [[] for _ in runners]
    for window in windows[: TIMED + 3]:
        for run, times in zip(runners, spent, strict=True):
            start = time.perf_counter()
            run(window[None])
            times.append(time.perf_counter() - start)
    return [float(np.median(times[3:] or times)) for times in spent]


def _lead(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (N,), the lead of the first label over the second."""
    top = np.sort(scores, axis=1)
    return np.asarray(top[:, -1] - top[:, -2], dtype=np.float32)
