"""Measures the cost of a window in Keras, TensorFlow, other runtimes, the plain ONNX graph, and in a stream."""

from __future__ import annotations

import logging
from collections.abc import Callable

import keras
import numpy as np
import onnx
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.interleaved import seconds_in_turns
from benchmarks.paper_models import as_in_papers
from benchmarks.tables import Table, milliseconds, ratio
from harstream.export.keras_to_onnx import convert
from harstream.export.keras_to_tflite import NotConvertible, convert_to_tflite, tflite_runner
from harstream.export.verify import TOLERANCE, onnx_runner, seen_by_encoder, session
from harstream.models import architectures

ARCHITECTURES = ("lrcn", "lrcn_large", "convlstm", "convlstm_large", "flow_tcn")
CLASSES = 13
Way = Callable[[], NDArray[np.float32]]


def measure(*, short: bool) -> Table:
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    chosen = ("lrcn", "convlstm") if short else ARCHITECTURES
    rows = [_row(name, rounds=3 if short else 30) for name in chosen]
    return Table(
        "windows",
        "A window of 20 frames",
        ("architecture", *("keras.predict", "tf.function", "OpenVINO", "TFLite", "tf2onnx", "whole", "a new frame"),
         "keras.predict / a new frame", "whole / tf2onnx", "a new frame / tf2onnx"),
        rows,
        "Milliseconds, median, all ways of a model in turns, the second of two calls; one window at a time. "
        "The first two and tf2onnx run the model as in the papers (TimeDistributed, Keras's ConvLSTM2D). The others "
        "run our form with the same weights: time folded into the batch, ConvLSTM unrolled with fused gates, "
        "flow_tcn's optical flow in few nodes. keras.predict and tf.function use TensorFlow's default threads, all "
        "others one thread. tf2onnx: its graph of the whole window in ONNX Runtime. Whole: the graph that `export` "
        "keeps. A new frame: the cost of each recognition in a stream, where one frame is encoded and the head "
        "runs over the rows of the last twenty; the next table shows this cost in a stream. "
        f"Scores of all ways differ by less than {TOLERANCE:g}. Random weights.",
    )  # fmt: skip


def _row(name: str, rounds: int) -> list[str]:
    model = architectures.build(name, frames=20, height=64, width=64, classes=CLASSES)
    window = np.random.default_rng(1).integers(0, 256, (1, 20, 64, 64, 3), dtype=np.uint8)
    ways = _ways(model, window)
    expected = ways["keras.predict"]()
    for way, run in ways.items():
        difference = float(np.abs(run() - expected).max())
        if difference > TOLERANCE:
            raise RuntimeError(f"{name}: {way} differs from Keras by {difference:g}")
    took = seconds_in_turns(ways, rounds, between=lambda: None)
    best = took.get("a new frame", took["whole"])
    names = ("keras.predict", "tf.function", "OpenVINO", "TFLite", "tf2onnx", "whole", "a new frame")
    return [
        name, *(milliseconds(took.get(way)) for way in names), ratio(took["keras.predict"] / best),
        ratio(took["whole"] / took["tf2onnx"]), ratio(best / took["tf2onnx"]) if "a new frame" in took else "–",
    ]  # fmt: skip


def _ways(model: keras.Model, window: NDArray[np.uint8]) -> dict[str, Way]:
    graphs, published = convert(model), as_in_papers(model)
    kept = graphs.fused or graphs.plain
    plain, whole, function = onnx_runner(convert(published).plain), onnx_runner(kept), tf.function(published)
    ways: dict[str, Way] = {
        "keras.predict": lambda: np.asarray(published.predict(window, verbose=0)),
        "tf.function": lambda: function(window, training=False).numpy(),
        "tf2onnx": lambda: plain(window),
        "whole": lambda: whole(window),
    }
    if (with_openvino := _openvino(kept, window)) is not None:
        ways["OpenVINO"] = with_openvino
    if graphs.parts:
        ways["a new frame"] = new_frame(*graphs.parts, window)
        try:
            lite = tflite_runner(convert_to_tflite(model, None))
            ways["TFLite"] = lambda: lite(window)
        except NotConvertible:
            pass
    return ways


def new_frame(encoder: onnx.ModelProto, head: onnx.ModelProto, window: NDArray[np.uint8]) -> Way:
    """Encode the last frame of a window (1, T, H, W, 3) and score the window; the other rows exist already."""
    encode, score = session(encoder), session(head)
    frames = seen_by_encoder(window, len(encode.get_inputs()[0].shape) - 1)[0]
    rows = encode.run(None, {"frames": frames})[0][None]

    def run() -> NDArray[np.float32]:
        rows[0, -1] = encode.run(None, {"frames": frames[-1:]})[0][0]
        return np.asarray(score.run(None, {"rows": rows})[0])

    return run


def _openvino(graph: onnx.ModelProto, window: NDArray[np.uint8]) -> Way | None:
    """Return OpenVINO's way, or None if it is not installed."""
    try:
        import openvino
    except ImportError:
        return None
    core = openvino.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    network = core.read_model(graph.SerializeToString())
    network.reshape(list(window.shape))  # OpenVINO refuses a ConvLSTM graph with a free batch size
    compiled = core.compile_model(network, "CPU", settings)
    return lambda: np.asarray(compiled([window])[0])
