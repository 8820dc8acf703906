"""Exports to ONNX or TFLite, with float or 8-bit integers, and compares the result with float ONNX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from harstream.export.keras_to_tflite import convert_to_tflite, tflite_runner
from harstream.export.quantize import quantize
from harstream.export.verify import (
    Runner,
    difference_of,
    onnx_runner,
    require_same_labels,
    seconds_per_window,
    seen_by_encoder,
    session,
)
from harstream.export.window_graph import attach_contract
from harstream.models.catalogue import ENCODER, HEAD, LITE, WHOLE
from harstream.models.contract import ModelContract
from harstream.models.lite_file import append_contract


@dataclass(frozen=True, eq=False)
class Export:
    """The files to write, and a function that runs them."""

    contents: dict[str, bytes]
    """The content of each file by its name, with the contract inside."""
    run: Runner
    loaded: tuple[str, ...]
    """The files that a stream loads."""

    @property
    def size(self) -> int:
        return sum(len(self.contents[file]) for file in self.loaded)


def as_onnx(graphs: dict[str, onnx.ModelProto], contract: ModelContract) -> Export:
    loaded = (ENCODER, HEAD) if ENCODER in graphs else (WHOLE,)
    contents = {file: attach_contract(graph, contract).SerializeToString() for file, graph in graphs.items()}
    return Export(contents, onnx_runner(*(graphs[file] for file in loaded)), loaded)


def quantize_graphs(graphs: dict[str, onnx.ModelProto], windows: NDArray[np.uint8]) -> dict[str, onnx.ModelProto]:
    made = {WHOLE: quantize(graphs[WHOLE], [window[None] for window in windows])}
    if ENCODER in graphs:
        encoder = session(graphs[ENCODER])
        frames = [*seen_by_encoder(windows, len(encoder.get_inputs()[0].shape) - 1)]
        rows = [encoder.run(None, {"frames": each})[0][None] for each in frames]
        made |= {ENCODER: quantize(graphs[ENCODER], frames), HEAD: quantize(graphs[HEAD], rows)}
    return made


def as_tflite(model: keras.Model, contract: ModelContract, windows: NDArray[np.uint8] | None) -> Export:
    content = convert_to_tflite(model, windows)
    return Export({LITE: append_contract(content, contract)}, tflite_runner(content), (LITE,))


def compare_with_float(
    export: Export, plain: Export, expected: NDArray[np.float32], windows: NDArray[np.uint8], *, is_float: bool
) -> dict[str, Any]:
    """Measure an export and float ONNX in turns. Raises OutputsDiffer if the export computes something else."""
    scores = export.run(windows)
    if is_float:
        difference = difference_of(export.run, expected, windows)
    else:
        require_same_labels(expected, scores)
        difference = float(np.abs(scores - expected).max())
    seconds, plainly = seconds_per_window([export.run, plain.run], windows)
    return {
        "difference_to_keras": difference,
        "windows_with_the_label_of_keras": int((scores.argmax(axis=1) == expected.argmax(axis=1)).sum()),
        "bytes": {"this": export.size, "float ONNX": plain.size},
        "milliseconds_a_window": {"this": round(1000 * seconds, 2), "float ONNX": round(1000 * plainly, 2)},
    }
